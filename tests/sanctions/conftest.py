"""Rules signed by every side, facts at a counter, and people who decide, in a small world."""

import secrets
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from talentseal.accounts.models import OrganisationKind
from talentseal.accounts.roles import PERMISSIONS, Actor, Role
from talentseal.clock import legal_date
from talentseal.credentials.models import Channel, Presentation, PresentationRefusal
from talentseal.credentials.refusals import Refusal
from talentseal.partners import outlets
from talentseal.partners.models import Terminal
from talentseal.partners.schemas import OpenOutlet
from talentseal.partners.service import personal_digest
from talentseal.policy import service as policy
from talentseal.policy.effects import Deed
from talentseal.policy.schemas import ArticleInput, EnterVersion
from talentseal.sanctions import cases, clockwork, facts, restrictions, rules, terminations
from talentseal.sanctions.models import Fact, SuspensionCase, SuspensionRule, TerminationCase
from talentseal.sanctions.schemas import (
    Attach,
    Confirm,
    Decide,
    GiveSignature,
    Hear,
    Propose,
    Refuse,
    Report,
    RuleText,
    Say,
)
from talentseal.sanctions.states import Ground, RuleState
from talentseal.sanctions.triggers import Trigger
from talentseal.talents.models import CodeState, TalentCode
from tests.talents.conftest import People, in_force, office
from tests.world import Member, World, clock, sqlite_world, world

__all__ = ["clock", "sqlite_world", "world"]

ON_RULES = EnterVersion(
    instrument="invented-rules",
    title="虚构办法（暂停规则）",
    issuer="虚构管理委员会",
    document_number="虚构〔2026〕9号",
    issued_on=date(2026, 6, 1),
    effective_from=date(2026, 6, 1),
    valid_through=date(2026, 12, 31),
    articles=tuple(
        ArticleInput(
            number=number,
            text=f"第{number}条（虚构）。",
            deeds=(Deed.NEW_SUSPENSION_RULE,) if number == 13 else (),
        )
        for number in range(1, 14)
    ),
)
PDF = b"%PDF-1.7\ninvented judgment\n%%EOF\n"
DRAFTER = office(9)
"""Who drafts and proposes; the others decide."""


def leading_group() -> Actor:
    return Actor("leader-1", "0x" + "5" * 64, Role.LEADING_GROUP, PERMISSIONS[Role.LEADING_GROUP])


@dataclass(slots=True)
class Court:
    """Hands of every side; each call is a transaction of its own."""

    people: People
    office: Member
    bureau: Member
    bank: Member
    numbers: Iterator[int] = field(default_factory=lambda: iter(range(10_000)))

    @property
    def world(self) -> World:
        return self.people.world

    @property
    def now(self) -> datetime:
        return self.world.clock.now()

    @property
    def sides(self) -> tuple[Member, Member, Member]:
        return self.office, self.bureau, self.bank

    def write(self, work: Any) -> Any:
        return self.world.database.write(work)

    def text(self, **changes: Any) -> RuleText:
        """A presenter who is not the holder: one fact, everything rests for thirty days."""
        fields: dict[str, Any] = {
            "title": "冒用人才码（虚构）",
            "wording": "出示人与持有人不符的，暂停使用。",
            "trigger": Trigger.PRESENTER_MISMATCH,
            "threshold": 1,
            "window_minutes": 60,
            "duration_days": 30,
            "partner_set": (self.bank.id,),
            "effective_from": date(2026, 11, 1),
        }
        return RuleText.model_validate({**fields, **changes})

    def draft(self, text: RuleText | None = None, *, rule: str | None = None) -> SuspensionRule:
        now, command = self.now, text or self.text()
        row: SuspensionRule = self.write(
            lambda session: rules.draft(session, DRAFTER, command, rule=rule, now=now)
        )
        return row

    def sign(self, by: Member, row: SuspensionRule, signature: str | None = None) -> SuspensionRule:
        now = self.now
        digest = "0x" + personal_digest(rules.statement(row, by.id)).hex()
        command = GiveSignature(signature=signature or by.sign(digest))
        signed: SuspensionRule = self.write(
            lambda session: rules.sign(session, by.actor, row.rule, row.number, command, now=now)
        )
        return signed

    def refuse(self, by: Member, row: SuspensionRule) -> None:
        now, command = self.now, Refuse(reason="须再议（虚构）")
        self.write(lambda session: rules.refuse(session, by.actor, row.rule, row.number, command, now=now))

    def rule(self, *, of: str | None = None, **changes: Any) -> SuspensionRule:
        """A rule in force from now on, signed by its three sides."""
        row = self.draft(self.text(**changes), rule=of)
        for member in self.sides:
            row = self.sign(member, row)
        return row

    def state(self, row: SuspensionRule) -> RuleState:
        now = self.now

        def read(session: Session) -> RuleState:
            found = rules.find(session, row.rule, row.number)
            return rules.state_at(found, len(rules.signatures_of(session, found)), now)

        return self.world.database.read(read)

    def report(
        self,
        talent: Actor,
        trigger: Trigger = Trigger.PRESENTER_MISMATCH,
        *,
        by: Member | None = None,
        **more: Any,
    ) -> Fact:
        """Something that happened just now at the bank's counter."""
        now, actor = self.now, (by or self.bank).actor
        seen = more.pop("presentation", None) or self.presented(talent, by or self.bank)
        fields = {"occurred_at": now, "reference": f"虚构-{next(self.numbers)}", **more}
        command = Report.model_validate({"trigger": trigger, "presentation": seen, **fields})
        fact: Fact = self.write(
            lambda session: facts.report(session, actor, self.people.vault, command, now=now)
        )
        return fact

    def terminal(self, at: Member) -> Terminal:
        """The browser of an outlet of that organisation, which is opened on first use."""
        now, manager = self.now, Actor("manager", at.id, Role.PARTNER, PERMISSIONS[Role.PARTNER])

        def work(session: Session) -> Terminal:
            found = outlets.outlets_of(session, manager, limit=1)
            command = OpenOutlet(name="虚构网点", address="虚构路 1 号")
            outlet = found[0] if found else outlets.open_outlet(session, manager, command, now=now)
            return session.scalars(select(Terminal).where(Terminal.outlet_id == outlet.id)).one()

        opened: Terminal = self.write(work)
        return opened

    def presented(self, talent: Actor, at: Member) -> str:
        """The id of a presentation of the talent's code at a counter of that organisation."""
        terminal, code, now = self.terminal(at), self.code(talent), self.now
        row = Presentation(
            id=secrets.token_hex(16),
            code_id=code.id,
            channel=Channel.SCAN,
            organisation_id=at.id,
            outlet_id=terminal.outlet_id,
            terminal_id=terminal.id,
            staff_id=at.actor.account_id,
            presented_at=now,
            expires_at=now,
            tier=code.tier,
            second_factor_required=False,
        )
        self.write(lambda session: session.add(row))
        return row.id

    def replayed(self, talent: Actor) -> None:
        """A token of the talent's, shown at the bank after it was used."""
        row = PresentationRefusal(
            id=secrets.token_hex(16),
            terminal_id=self.terminal(self.bank).id,
            code_id=self.code(talent).id,
            refusal=Refusal.TOKEN_USED,
            refused_at=self.now,
        )
        self.write(lambda session: session.add(row))

    def tick(self) -> int:
        now = self.now
        done: int = self.write(lambda session: clockwork.tick(session, now))
        return done

    def night(self) -> int:
        """What the date brings today."""
        now = self.now
        done: int = self.write(lambda session: clockwork.apply_day(session, legal_date(now), now))
        return done

    def cases(self, talent: Actor) -> list[SuspensionCase]:
        """Against the talent, the oldest first."""
        code = self.code(talent).id
        query = select(SuspensionCase).where(SuspensionCase.code_id == code)
        ordered = query.order_by(SuspensionCase.opened_at, SuspensionCase.id)
        return self.world.database.read(lambda session: list(session.scalars(ordered)))

    def code(self, talent: Actor) -> TalentCode:
        """The talent's code, ended or not."""
        talent_id = self.people.id_of(talent)
        query = select(TalentCode).where(TalentCode.talent_id == talent_id)
        return self.world.database.read(lambda session: session.scalars(query).one())

    def code_state(self, talent: Actor) -> CodeState:
        return self.code(talent).state

    def detected(self, talent: Actor) -> SuspensionCase:
        """A case opened by a report."""
        self.report(talent)
        self.tick()
        return self.cases(talent)[-1]

    def suspended(self, talent: Actor, by: Actor | None = None) -> SuspensionCase:
        """A case in which a person has suspended, after the holder was heard."""
        case = self.detected(talent)
        self.state_case(talent, case)
        return self.decide(case, by=by)

    def state_case(self, talent: Actor, case: SuspensionCase) -> SuspensionCase:
        return self._case(cases.make_statement, talent, case, Say(text="并非本人所为（虚构）"))

    def decide(self, case: SuspensionCase, *, grant: bool = True, by: Actor | None = None) -> SuspensionCase:
        command = Decide(grant=grant, reason="事实清楚（虚构）")
        return self._case(cases.decide, by or office(), case, command)

    def appeal(self, talent: Actor, case: SuspensionCase) -> SuspensionCase:
        return self._case(cases.appeal, talent, case, Say(text="请求撤销（虚构）"))

    def hear(self, case: SuspensionCase, *, uphold: bool, by: Actor | None = None) -> SuspensionCase:
        return self._case(cases.hear, by or office(2), case, Hear(uphold=uphold, reason="复核意见（虚构）"))

    def refer(self, case: SuspensionCase, by: Actor | None = None) -> TerminationCase:
        now, command = self.now, Say(text="屡次违反（虚构）")
        row: TerminationCase = self.write(
            lambda session: cases.refer(session, by or office(), self.people.vault, case.id, command, now=now)
        )
        return row

    def _case(self, act: Any, by: Actor, case: SuspensionCase, command: Any) -> SuspensionCase:
        now = self.now
        row: SuspensionCase = self.write(
            lambda session: act(session, by, self.people.vault, case.id, command, now=now)
        )
        return row

    def propose(
        self, talent: Actor, ground: Ground, by: Actor = DRAFTER, resolution: str | None = None
    ) -> TerminationCase:
        now, code = self.now, self.people.code(talent).code_ref.hex()
        command = Propose(code=code, ground=ground, reason="理由（虚构）", resolution=resolution)
        row: TerminationCase = self.write(
            lambda session: terminations.propose(session, by, self.people.vault, command, now=now)
        )
        return row

    def notify(self, row: TerminationCase, by: Actor | None = None) -> TerminationCase:
        now = self.now
        told: TerminationCase = self.write(
            lambda session: terminations.notify(session, by or office(), self.people.vault, row.id, now=now)
        )
        return told

    def heard(self, talent: Actor, row: TerminationCase) -> TerminationCase:
        return self._end(terminations.make_statement, talent, row, Say(text="我的陈述（虚构）"))

    def vote(self, row: TerminationCase, by: Actor, *, grant: bool = True) -> TerminationCase:
        return self._end(terminations.decide, by, row, Decide(grant=grant, reason="决定理由（虚构）"))

    def terminated(self, talent: Actor, ground: Ground) -> TerminationCase:
        """Proposed by the office, heard, decided by two others."""
        row = self.heard(talent, self.propose(talent, ground))
        self.vote(row, office(1))
        return self.vote(row, office(2))

    def appeal_end(self, talent: Actor, row: TerminationCase) -> TerminationCase:
        return self._end(terminations.appeal, talent, row, Say(text="请求撤销（虚构）"))

    def hear_end(self, row: TerminationCase, *, uphold: bool, by: Actor | None = None) -> TerminationCase:
        command = Hear(uphold=uphold, reason="复核意见（虚构）")
        return self._end(terminations.hear, by or office(3), row, command)

    def confirm(self, row: TerminationCase, by: Actor | None = None) -> TerminationCase:
        return self._end(
            terminations.confirm, by or leading_group(), row, Confirm(reference="虚构领〔2026〕1号")
        )

    def attach(self, row: TerminationCase, plain: bytes = PDF, by: Actor = DRAFTER) -> None:
        now = self.now
        about = Attach(issuer="虚构法院", reference="虚构〔2026〕刑初1号", issued_on=date(2026, 10, 1))
        self.write(
            lambda session: terminations.attach(
                session, by, self.people.vault, row.id, about, plain=plain, now=now
            )
        )

    def termination(self, row: TerminationCase) -> TerminationCase:
        return self.world.database.read(lambda session: session.get_one(TerminationCase, row.id))

    def _end(self, act: Any, by: Actor, row: TerminationCase, command: Any) -> TerminationCase:
        now = self.now
        met: TerminationCase = self.write(
            lambda session: act(session, by, self.people.vault, row.id, command, now=now)
        )
        return met

    def applies(self, talent: Actor, **use: str) -> bool:
        now, code = self.now, self.code(talent).id
        return self.world.database.read(lambda session: restrictions.applies(session, code, now=now, **use))


@pytest.fixture
def court(world: World) -> Court:
    """On both kinds of database."""
    return make_court(in_force(world))


@pytest.fixture
def sqlite_court(sqlite_world: World) -> Court:
    """On SQLite alone, for what does not depend on the database."""
    return make_court(in_force(sqlite_world))


def make_court(people: People) -> Court:
    """The sides and the office of a crowd under measures in force, and measures for rules."""
    now = people.world.clock.now()
    people.world.database.write(lambda session: policy.enter(session, Actor.console(), ON_RULES, now=now)[1])
    return sides_of(people)


def sides_of(people: People) -> Court:
    """The three sides with their keys, under whatever measures are in force."""
    world, government = people.world, OrganisationKind.GOVERNMENT
    return Court(
        people,
        world.member("虚构人才办", role=Role.TALENT_OFFICE, kind=government),
        world.member("虚构大数据局", role=Role.BIG_DATA_BUREAU, kind=government),
        world.member("虚构银行"),
    )
