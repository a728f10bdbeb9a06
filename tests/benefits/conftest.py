"""A shelf of published benefits in a small world: providers, reviewers, and everything benefits stand on."""

import dataclasses
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import cached_property
from typing import Any, TypeVar

import pytest
from sqlalchemy.orm import Session

from talentseal.accounts.models import OrganisationKind
from talentseal.accounts.roles import Actor, Role
from talentseal.agreements import admission
from talentseal.benefits import budgeting, service
from talentseal.benefits.models import BenefitVersion, Category, QuotaPeriod
from talentseal.benefits.schemas import BudgetInput, DraftBenefit, TierLine, VersionInput
from talentseal.clock import legal_date
from talentseal.partners import access, mandates
from talentseal.partners.access_models import ModuleAccess, OperatorMandate
from talentseal.partners.access_schemas import ApplyForFinance, DraftMandate, OpenNegotiation
from talentseal.policy import measures
from talentseal.policy import reading as policy_reading
from talentseal.policy import service as policy
from talentseal.policy.effects import Deed
from talentseal.policy.measure_models import Measure, MeasureState
from talentseal.policy.measure_schemas import DraftMeasure, MeasureMove
from talentseal.policy.schemas import ArticleInput, EnterVersion
from talentseal.policy.tiers import Tier
from tests.world import PDF, Member, World, clock, sqlite_world, world

__all__ = ["clock", "sqlite_world", "world"]

T = TypeVar("T")
Act = Callable[[Session, datetime], T]

BENEFIT_DEEDS = (
    Deed.GOVERNMENT_BENEFIT,
    Deed.GOVERNMENT_REDEMPTION,
    Deed.FINANCIAL_REDEMPTION,
    Deed.CONSUMPTION_REDEMPTION,
)
ON_THE_WAY = (
    MeasureState.ON_AGENDA,
    MeasureState.PASSED_BY_JOINT_MEETING,
    MeasureState.SUBMITTED,
    MeasureState.APPROVED,
)
"""The steps of a measure up to its approval."""


def another(actor: Actor, number: int = 2) -> Actor:
    """Another person of the same organisation and role."""
    return dataclasses.replace(actor, account_id=f"{actor.account_id[:29]}-{number:02d}")


@dataclass
class Shelf:
    """Hands of everybody who has a part in benefits; every call is a transaction of its own.

    Organisations are made when they are first asked for. A person named `…_2` is another account of the
    same organisation.
    """

    world: World
    term: timedelta = timedelta(days=365)
    agreements: dict[str, str] = field(default_factory=dict)
    """The agreement of each provider with the operator, in force."""
    _admitted: set[str] = field(default_factory=set)

    def act(self, work: Act[T]) -> T:
        now = self.world.clock.now()
        return self.world.database.write(lambda session: work(session, now))

    def do(self, act: Callable[..., T], actor: Actor, *given: Any) -> T:
        """One act of a service by somebody."""
        return self.act(lambda session, now: act(session, actor, *given, now=now))

    @property
    def today(self) -> date:
        return legal_date(self.world.clock.now())

    @cached_property
    def operator(self) -> Member:
        return self.world.member("虚构运营公司", role=Role.OPERATOR, kind=OrganisationKind.OPERATOR)

    @cached_property
    def office(self) -> Member:
        return self.world.member("虚构人才办", role=Role.TALENT_OFFICE, kind=OrganisationKind.GOVERNMENT)

    @cached_property
    def office_2(self) -> Actor:
        return another(self.office.actor)

    @cached_property
    def leading_group(self) -> Member:
        return self.world.member("虚构领导小组", role=Role.LEADING_GROUP, kind=OrganisationKind.GOVERNMENT)

    @cached_property
    def finance_bureau(self) -> Member:
        role = Role.FINANCIAL_AFFAIRS_BUREAU
        return self.world.member("虚构金融局", role=role, kind=OrganisationKind.GOVERNMENT)

    @cached_property
    def bureau(self) -> Member:
        return self.world.member("虚构科技局", role=Role.BUREAU, kind=OrganisationKind.GOVERNMENT)

    @cached_property
    def bank(self) -> Member:
        return self.world.member("虚构银行")

    @cached_property
    def merchant(self) -> Member:
        return self.world.member("虚构书店", kind=OrganisationKind.MERCHANT)

    # What benefits stand on.

    def instrument(self) -> None:
        """Measures in force that provide for benefits, unless some are."""
        now, day = self.world.clock.now(), self.today - timedelta(days=30)

        def work(session: Session) -> None:
            try:
                policy_reading.basis_of(session, Deed.GOVERNMENT_BENEFIT, now=now)
            except policy_reading.InstrumentExpired:
                policy.enter(session, Actor.console(), _instrument(day), now=now)

        self.world.database.write(work)

    def mandate(self, *kinds: OrganisationKind, starts_on: date | None = None) -> OperatorMandate:
        """A live mandate of the operator; without `kinds` for every kind of partner."""
        command = self.mandate_draft(*kinds, starts_on=starts_on)
        row = self.do(mandates.draft, self.office.actor, command)
        return self.activate(row)

    def mandate_draft(self, *kinds: OrganisationKind, starts_on: date | None = None) -> DraftMandate:
        first = starts_on or self.today
        return DraftMandate(
            operator=self.operator.id,
            reference=f"虚构委托{secrets.token_hex(4)}",
            starts_on=first,
            ends_on=first + self.term,
            scope=kinds or tuple(access.NEGOTIATED),
        )

    def activate(self, mandate: OperatorMandate) -> OperatorMandate:
        return self.do(mandates.activate, self.office_2, mandate.id)

    def mandated(self) -> None:
        """See that the operator has a mandate today."""
        if self.operator.id not in self._admitted:
            self._admitted.add(self.operator.id)
            self.mandate()

    def agreement(self, provider: Member, *others: Member, **changes: Any) -> str:
        """The id of an agreement between the provider and the operator (or `others`) that is in force."""
        if provider.id not in self.agreements or others or changes:
            terms = {
                "number": f"XG-{secrets.token_hex(4)}",
                "title": "虚构权益合作协议",
                "effective_from": self.today,
                "valid_through": self.today + self.term,
                "plain": PDF + secrets.token_bytes(8),
                **changes,
            }
            version = self.world.signed(provider, *(others or (self.operator,)), **terms)
            self.world.settle()
            self.agreements[provider.id] = version.agreement_id
        return self.agreements[provider.id]

    def applied(self, bank: Member | None = None, **changes: Any) -> ModuleAccess:
        """A bank's own application to the finance module."""
        member = bank or self.bank
        licence = {"licence_type": "金融许可证", "licence_number": "虚构B0001"}
        command = ApplyForFinance(**{"organisation": member.id, **licence, **changes})
        return self.do(access.apply, member.actor, command)

    def examined(self, row: ModuleAccess) -> ModuleAccess:
        examiner = self.finance_bureau.actor
        return self.do(access.examine, examiner, row.id, "证照齐全（虚构）")

    def admit(self, row: ModuleAccess) -> ModuleAccess:
        return self.do(access.admit, self.office.actor, row.id)

    def finance_access(self, bank: Member | None = None) -> ModuleAccess:
        return self.admit(self.examined(self.applied(bank)))

    def negotiating(self, merchant: Member | None = None) -> ModuleAccess:
        """A negotiation that the operator has just opened."""
        command = OpenNegotiation(organisation=(merchant or self.merchant).id)
        by = self.operator.actor
        return self.do(access.open_negotiation, by, command)

    def filed(self, merchant: Member | None = None) -> ModuleAccess:
        """A negotiation with its signed agreement, before the talent office."""
        member, by = merchant or self.merchant, self.operator.actor
        row, agreement = self.negotiating(member), self.agreement(member)

        def work(session: Session, now: datetime) -> ModuleAccess:
            access.agree_terms(session, by, row.id, now=now)
            admission.sign_access(session, by, row.id, agreement, now=now)
            return access.file(session, by, row.id, now=now)

        return self.act(work)

    def consumption_access(self, merchant: Member | None = None) -> ModuleAccess:
        self.mandated()
        return self.admit(self.filed(merchant))

    def measure_draft(self, body: Member | None = None, **changes: Any) -> DraftMeasure:
        fields = {
            "organisation": (body or self.bureau).id,
            "title": "虚构措施",
            "text": "对青年人才给予虚构补贴。",
            "effective_from": self.today,
        }
        return DraftMeasure(**{**fields, **changes})

    def drafted_measure(self, body: Member | None = None, **changes: Any) -> Measure:
        command = self.measure_draft(body, **changes)
        return self.do(measures.draft, self.office.actor, command)

    def move_measure(self, row: Measure, to: MeasureState, by: Actor | None = None) -> Measure:
        """One step of a measure, by whoever takes it."""
        judged = {MeasureState.APPROVED, MeasureState.RETURNED, MeasureState.REJECTED}
        actor = by or (self.leading_group.actor if to in judged else self.office_2)
        command = MeasureMove(to=to, reference="虚构纪要1号", reason="虚构的理由")
        return self.do(measures.move, actor, row.id, command)

    def measure_at(self, state: MeasureState, body: Member | None = None, **changes: Any) -> Measure:
        """A measure that has come as far as `state`, one of ON_THE_WAY."""
        row = self.drafted_measure(body, **changes)
        for step in ON_THE_WAY[: ON_THE_WAY.index(state) + 1]:
            row = self.move_measure(row, step)
        return row

    # Benefits.

    def provider_of(self, category: Category) -> Member:
        """The provider of a category, with everything it has to be admitted by."""
        match category:
            case Category.GOVERNMENT:
                self.instrument()
                return self.bureau
            case Category.FINANCIAL:
                self._once(self.bank, self.finance_access)
                return self.bank
            case Category.CONSUMPTION:
                self._once(self.merchant, self.consumption_access)
                return self.merchant

    def _once(self, member: Member, admitted: Callable[[Member], ModuleAccess]) -> None:
        if member.id not in self._admitted:
            self._admitted.add(member.id)
            admitted(member)

    def content(self, category: Category, provider: Member, **changes: Any) -> VersionInput:
        """What a version says, with all that it has to stand on."""
        fields: dict[str, Any] = {
            "title": "虚构权益",
            "text": "凭人才码享受一次虚构优惠。",
            "starts_on": self.today,
            "ends_on": self.today + timedelta(days=180),
            "tiers": (TierLine(tier=Tier.YOUTH, quota=2),),
            "quota_period": QuotaPeriod.MONTH,
            "value_fen": 5_000,
        }
        if category is Category.GOVERNMENT and "measure" not in changes:
            fields["measure"] = self.measure_at(MeasureState.APPROVED, provider).id
        if category is not Category.GOVERNMENT and "agreement" not in changes:
            fields |= {"agreement": self.agreement(provider), "stipulation": 0}
        return VersionInput(**{**fields, **changes})

    def drafted(
        self,
        category: Category = Category.CONSUMPTION,
        *,
        provider: Member | None = None,
        number: str | None = None,
        **changes: Any,
    ) -> BenefitVersion:
        """A draft of a new benefit."""
        by = provider or self.provider_of(category)
        content = self.content(category, by, **changes)
        command = DraftBenefit(
            number=number or f"XG-{secrets.token_hex(4)}", category=category, version=content
        )
        return self.do(service.draft, by.actor, command)

    def send(self, version: BenefitVersion, provider: Member) -> BenefitVersion:
        return self.do(service.send_to_review, provider.actor, version.benefit_id, version.number)

    def publish(self, version: BenefitVersion, by: Actor) -> BenefitVersion:
        return self.do(service.publish, by, version.benefit_id, version.number)

    def budget(
        self, version: BenefitVersion, provider: Member, *, units: int | None = 100, fen: int | None = None
    ) -> str:
        """The id of a budget of the benefit for its version's term, which the provider bears."""
        command = BudgetInput(
            starts_on=version.starts_on, ends_on=version.ends_on, limit_units=units, limit_fen=fen
        )
        return self.act(
            lambda session, now: (
                budgeting.set_budget(session, provider.actor, version.benefit_id, command, now=now).id
            )
        )

    def reviewer(self, provider: Member) -> Actor:
        """Who reviews that provider's benefits."""
        if provider.actor.role in {Role.PARTNER, Role.THIRD_PARTY}:
            return self.operator.actor
        return self.office_2

    def published(
        self,
        category: Category = Category.CONSUMPTION,
        *,
        tiers: Mapping[Tier, int | None] | None = None,
        period: QuotaPeriod = QuotaPeriod.MONTH,
        value_fen: int | None = 5_000,
        budget_units: int | None = None,
        budget_fen: int | None = None,
        provider: Member | None = None,
        **changes: Any,
    ) -> BenefitVersion:
        """A benefit that came onto the shelf the real way; `changes` are fields of `VersionInput`.

        tiers: quota of each tier that has a right, None for no limit; default: two for YOUTH. A budget is set
        when one is named, and where there has to be one.
        """
        by = provider or self.provider_of(category)
        if tiers is not None:
            changes["tiers"] = tuple(TierLine(tier=tier, quota=quota) for tier, quota in tiers.items())
        version = self.drafted(category, provider=by, quota_period=period, value_fen=value_fen, **changes)
        needs_one = category is Category.GOVERNMENT or version.subsidy_bp > 0
        if budget_units is not None or budget_fen is not None:
            self.budget(version, by, units=budget_units, fen=budget_fen)
        elif needs_one:
            self.budget(version, by, units=1_000_000)
        return self.publish(self.send(version, by), self.reviewer(by))


def _instrument(day: date) -> EnterVersion:
    """Invented measures, in force from `day` on."""
    return EnterVersion(
        instrument="invented-benefit-measures",
        title="虚构权益办法（试行）",
        issuer="虚构管理委员会",
        document_number="虚构〔2026〕8号",
        issued_on=day,
        effective_from=day,
        valid_through=day + timedelta(days=1461),
        articles=(ArticleInput(number=1, text="提供权益（虚构）。", deeds=BENEFIT_DEEDS),),
    )


@pytest.fixture
def shelf(world: World) -> Shelf:
    """On both kinds of database."""
    return Shelf(world)


@pytest.fixture
def sqlite_shelf(sqlite_world: World) -> Shelf:
    """On SQLite alone, for what does not depend on the database."""
    return Shelf(sqlite_world)
