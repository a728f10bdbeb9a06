"""A market: published benefits, counters that give them, and people who come to use them."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Any, TypeVar

from sqlalchemy import Update, select
from sqlalchemy.orm import Session

from talentseal.accounts.roles import Actor
from talentseal.benefits.models import Benefit, BenefitVersion, Budget, QuotaUse
from talentseal.clock import legal_date
from talentseal.credentials import presenting
from talentseal.credentials.presenting import Established, Sent
from talentseal.db import Database
from talentseal.evidence.models import EvidenceRecord
from talentseal.policy import service as policy
from talentseal.policy.schemas import ArticleInput
from talentseal.policy.tiers import Tier
from talentseal.redemptions import reversing, service
from talentseal.redemptions.models import Redemption, RedemptionRefusal
from talentseal.redemptions.refusals import Refusal
from talentseal.redemptions.reversing import Part, Reversed
from talentseal.redemptions.schemas import Order
from talentseal.redemptions.service import NotRedeemed, Redeemed, Visit
from talentseal.talents import consents
from talentseal.talents.privacy_models import ConsentScope
from talentseal.talents.privacy_schemas import GiveConsent
from tests.benefits.conftest import BENEFIT_DEEDS, Shelf
from tests.credentials.counters import CREDENTIALS, Phone, Till
from tests.partners.counters import Manager
from tests.talents.conftest import MEASURES, People, high, in_force
from tests.world import Member, World

T = TypeVar("T")
Met = Redeemed | NotRedeemed


@dataclass
class Market:
    """Hands of everybody at the counters; every act is a transaction of its own."""

    world: World
    crowd: People
    shelf: Shelf
    by_code: bool = False
    """Whether who is established by nothing else shows his code with the wish, not in a request before it."""
    _tills: dict[str, list[Till]] = field(default_factory=dict)

    @classmethod
    def of(cls, world: World, *, days: int = 1000) -> "Market":
        """days: how long the measures still are in force that benefits stand on."""
        market = cls(world, in_force(world), Shelf(world))
        today = legal_date(world.clock.now())
        command = MEASURES.model_copy(
            update={
                "instrument": "invented-benefits",
                "document_number": "虚构〔2025〕8号",
                "valid_through": today + timedelta(days=days),
                "articles": (ArticleInput(number=8, text="提供权益（虚构）。", deeds=BENEFIT_DEEDS),),
            }
        )
        now = world.clock.now()
        world.database.write(lambda session: policy.enter(session, Actor.console(), command, now=now)[1])
        return market

    @property
    def now(self) -> datetime:
        return self.world.clock.now()

    # Who is there.

    def tills(self, member: Member, count: int = 1) -> list[Till]:
        """That many counters of an organisation, each at an outlet of its own."""
        known = self._tills.setdefault(member.id, [])
        while len(known) < count:
            known.append(self._till(member, f"{len(known) + 1}号网点（虚构）"))
        return known[:count]

    def till(self, version: BenefitVersion) -> Till:
        """A counter of the benefit's provider."""
        return self.tills(self.provider(version))[0]

    def _till(self, member: Member, name: str) -> Till:
        manager = Manager(self.world, member)
        outlet, clerk = manager.open(name), manager.person(f"{name}柜员", member.actor.role)
        manager.bind(outlet, clerk)
        return Till(self.world, manager.device(outlet), clerk)

    def provider(self, version: BenefitVersion) -> Member:
        made = (self.shelf.bank, self.shelf.merchant, self.shelf.bureau)
        owner = self.benefit_of(version)
        return next(member for member in made if member.id == owner)

    def benefit_of(self, version: BenefitVersion) -> str:
        """The provider's id."""
        return self.read(lambda session: session.get_one(Benefit, version.benefit_id).organisation_id)

    def holder(self, tier: Tier = Tier.RESERVE, *, consents_to: Member | None = None) -> Phone:
        """Somebody of that tier (RESERVE or HIGH_…) with a phone."""
        talent = self.crowd.holder() if tier is Tier.RESERVE else self.crowd.holder(claim=high(tier))
        if tier is not Tier.RESERVE:
            self.crowd.confirm(talent)
        phone = Phone(self.world, talent).sign_in()
        phone.bind()
        if consents_to is not None:
            self.consent(phone, consents_to)
        return phone

    def guest(self, version: BenefitVersion, tier: Tier = Tier.RESERVE) -> Phone:
        """Somebody who may use the benefit, as far as it is up to him."""
        return self.holder(tier, consents_to=self.provider(version))

    def consent(self, phone: Phone, member: Member) -> str:
        """The consent's id; none when the organisation needs none."""
        command = GiveConsent(
            organisation=member.id, scope=ConsentScope.SERVICE, notice_version=consents.NOTICE_VERSION
        )
        give = partial(consents.give, actor=phone.talent, command=command, now=self.now)

        def work(session: Session) -> str:
            try:
                return give(session).id
            except consents.PartnerUnknown:
                return ""

        return self.world.database.write(work)

    # What they do.

    def write(self, work: Callable[[Session], T]) -> T:
        return self.world.database.write(work)

    def read(self, work: Callable[[Session], T]) -> T:
        return self.world.database.read(work)

    def change(self, statement: Update) -> None:
        """Alter the database behind the services' back."""

        def work(session: Session) -> None:
            session.execute(statement)

        self.write(work)

    def shown(self, till: Till, phone: Phone) -> str:
        """The id of a presentation of the phone's code at the counter."""
        met = till.scan(phone.mint().text)
        assert isinstance(met, Established)
        return met.presentation

    def redeem(
        self,
        version: BenefitVersion | str,
        phone: Phone,
        till: Till | None = None,
        *,
        presentation: str | None = None,
        reserve: bool = False,
        database: Database | None = None,
        **order: Any,
    ) -> Met:
        """Use a benefit at a counter, by a presentation, or `by_code` unless one is given."""
        benefit = version if isinstance(version, str) else version.benefit_id
        if till is None:
            assert isinstance(version, BenefitVersion)
            till = self.till(version)
        if self.by_code and presentation is None:
            visit = self._showing(till, phone.mint().text)
        else:
            visit = Visit(CREDENTIALS, till.place, presentation=presentation or self.shown(till, phone))
        return self._redeemed(
            till, visit, Order(benefit=benefit, **order), reserve=reserve, database=database
        )

    def redeem_at_once(self, version: BenefitVersion, text: str, till: Till, **order: Any) -> Met:
        """Show a code and use the benefit in one step."""
        return self._redeemed(till, self._showing(till, text), Order(benefit=version.benefit_id, **order))

    def _showing(self, till: Till, text: str) -> Visit:
        sent = presenting.verified(CREDENTIALS, Sent(text, ""), now=self.now)
        return Visit(CREDENTIALS, till.place, sent=sent)

    def _redeemed(
        self,
        till: Till,
        visit: Visit,
        order: Order,
        *,
        reserve: bool = False,
        database: Database | None = None,
    ) -> Met:
        actor, now = till.device.actor, self.now
        return (database or self.world.database).write(
            lambda session: service.redeem(session, actor, visit, order, reserve=reserve, now=now),
            visit.ahead(actor, order, now=now),
        )

    def complete(self, row: Redemption, till: Till) -> Met:
        actor, place, now = till.device.actor, till.place, self.now
        return self.write(lambda session: service.complete(session, actor, place, row.id, now=now))

    def cancel(self, row: Redemption, till: Till) -> Redeemed:
        actor, place, now = till.device.actor, till.place, self.now
        return self.write(lambda session: service.cancel(session, actor, place, row.id, now=now))

    def reverse(self, row: Redemption, till: Till, units: int = 1) -> Reversed:
        actor, place, now = till.device.actor, till.place, self.now
        part = Part(units, "顾客退回（虚构）")
        return self.write(lambda session: reversing.reverse(session, actor, place, row.id, part, now=now))

    def correct(self, row: Redemption, member: Member, units: int = 1) -> Reversed:
        actor, now, part = member.actor, self.now, Part(units, "更正（虚构）")
        return self.write(lambda session: reversing.correct(session, actor, row.id, part, now=now))

    def sweep(self) -> int:
        now = self.now
        return self.write(lambda session: service.release_due(session, now=now))

    # What came of it.

    def row(self, redemption: str) -> Redemption:
        return self.read(lambda session: session.get_one(Redemption, redemption))

    def redemptions(self) -> list[Redemption]:
        return self.read(lambda session: list(session.scalars(select(Redemption))))

    def refusals(self) -> list[RedemptionRefusal]:
        return self.read(lambda session: list(session.scalars(select(RedemptionRefusal))))

    def records(self, kind: int = 30) -> int:
        query = select(EvidenceRecord.id).where(EvidenceRecord.kind == kind)
        return len(self.read(lambda session: list(session.scalars(query))))

    def used(self, version: BenefitVersion, phone: Phone) -> int:
        """Units that count in the person's quotas of the benefit."""
        talent = self.crowd.id_of(phone.talent)
        query = select(QuotaUse.used).where(
            QuotaUse.talent_id == talent, QuotaUse.benefit_id == version.benefit_id
        )
        return sum(self.read(lambda session: list(session.scalars(query))))

    def spent(self, version: BenefitVersion) -> tuple[int, int]:
        """Units and fen that count in the benefit's budget."""
        query = select(Budget.used_units, Budget.used_fen).where(Budget.benefit_id == version.benefit_id)
        return tuple(self.read(lambda session: session.execute(query).one()))  # type: ignore[return-value]

    def nothing_counts(self, version: BenefitVersion, phone: Phone) -> bool:
        """Whether no redemption, no evidence and no counter moved."""
        budgets = select(Budget.used_units).where(Budget.benefit_id == version.benefit_id)
        spent = sum(self.read(lambda session: list(session.scalars(budgets))))
        return not self.redemptions() and not self.records() and not self.used(version, phone) and not spent


def refused(met: Met) -> Refusal | None:
    """Why nothing was redeemed; None when it was."""
    return met.refusal if isinstance(met, NotRedeemed) else None


def done(met: Met) -> Redemption:
    """The redemption, which was made."""
    assert isinstance(met, Redeemed), met
    return met.row
