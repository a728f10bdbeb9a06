"""Rules of suspension: in force only when every side has signed one and the same text."""

from concurrent.futures import ThreadPoolExecutor
from datetime import date
from functools import partial
from typing import Any

import pytest
from hypothesis import settings
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from pydantic import ValidationError
from sqlalchemy import update
from sqlalchemy.exc import DBAPIError

from talentseal.accounts.models import OrganisationKind
from talentseal.accounts.roles import Role
from talentseal.audit import trail, visibility
from talentseal.errors import NotPermitted
from talentseal.evidence.models import EvidenceRecord
from talentseal.evidence.records import RecordNotFound
from talentseal.partners import service as partners
from talentseal.partners.service import personal_digest
from talentseal.policy.reading import InstrumentExpired
from talentseal.policy.service import OwnProposal
from talentseal.sanctions import rules
from talentseal.sanctions.models import RuleSignature, SuspensionRule
from talentseal.sanctions.rules import (
    PartnerUnknown,
    RuleOutdated,
    RuleSideForeign,
    RuleSideSigned,
    RuleSignatureFalse,
)
from talentseal.sanctions.schemas import Procedure, RuleText, Scope
from talentseal.sanctions.states import RULE, RuleState
from talentseal.sanctions.triggers import Reach, Trigger
from talentseal.states import TransitionRefused
from tests.sanctions.conftest import Court, make_court
from tests.sanctions.machines import fresh_world
from tests.talents.conftest import in_force
from tests.world import Member


def signature_over(member: Member, text: str) -> str:
    return member.sign("0x" + personal_digest(text).hex())


def test_a_rule_is_in_force_when_its_three_sides_have_signed(court: Court) -> None:
    row = court.draft()
    states = [court.state(row)]

    for member in court.sides:
        row = court.sign(member, row)
        states.append(court.state(row))

    assert states == [
        RuleState.DRAFT,
        RuleState.PARTLY_APPROVED,
        RuleState.PARTLY_APPROVED,
        RuleState.IN_FORCE,
    ]
    assert row.record_id
    assert (row.in_force_from, row.article) == (court.now, 13)
    record = court.world.database.read(lambda session: session.get_one(EvidenceRecord, row.record_id))
    assert record.kind == 40


@pytest.mark.scenario(42)
def test_a_rule_that_two_of_three_signed_suspends_nobody(court: Court) -> None:
    row = court.draft()
    for member in court.sides[:2]:
        court.sign(member, row)
    talent = court.people.holder()

    court.report(talent)
    court.tick()
    court.night()

    assert court.cases(talent) == []
    assert not court.applies(talent)


@pytest.mark.scenario(43)
def test_one_word_changed_asks_all_three_to_sign_again(court: Court) -> None:
    first = court.rule()
    changed = court.text(wording="出示人与持有人不符的，应当暂停使用。")

    second = court.draft(changed, rule=first.rule)

    assert second.sha256 != first.sha256
    assert court.state(second) is RuleState.DRAFT
    for member in court.sides:
        with pytest.raises(RuleSignatureFalse):
            court.sign(member, second, signature_over(member, rules.statement(first, member.id)))
    assert court.state(first) is RuleState.IN_FORCE
    for member in court.sides:
        court.sign(member, second)
    assert (court.state(first), court.state(second)) == (RuleState.SUPERSEDED, RuleState.IN_FORCE)


@pytest.mark.scenario(44)
def test_a_rule_for_one_partner_does_not_count_another_partners_signature(court: Court) -> None:
    other = court.world.member("虚构商户", kind=OrganisationKind.MERCHANT)
    row = court.draft(court.text(scope=Scope(reach=Reach.PARTNER, value=court.bank.id)))
    court.sign(court.office, row)
    court.sign(court.bureau, row)

    with pytest.raises(RuleSideForeign):
        court.sign(other, row)

    assert court.state(row) is RuleState.PARTLY_APPROVED


def test_a_rule_for_several_partners_waits_for_every_one_of_them(sqlite_court: Court) -> None:
    court = sqlite_court
    other = court.world.member("虚构商户", kind=OrganisationKind.MERCHANT)
    row = court.draft(court.text(partner_set=(court.bank.id, other.id)))

    for member in court.sides:
        court.sign(member, row)
    court.world.clock.advance(days=400)

    assert court.state(row) is RuleState.PARTLY_APPROVED, "nobody's silence counts"


def test_a_side_signs_once_and_the_same_once_more_changes_nothing(sqlite_court: Court) -> None:
    court, row = sqlite_court, sqlite_court.draft()
    given = signature_over(court.office, rules.statement(row, court.office.id))
    court.sign(court.office, row, given)

    court.sign(court.office, row, given)
    second_office = court.world.member(
        "虚构人才办二处", role=Role.TALENT_OFFICE, kind=OrganisationKind.GOVERNMENT
    )
    with pytest.raises(RuleSideSigned):
        court.sign(second_office, row)

    signed = court.world.database.read(lambda session: rules.signatures_of(session, row))
    assert list(signed) == ["TALENT_OFFICE"]


def test_a_signature_counts_only_by_a_key_that_is_valid_now(sqlite_court: Court) -> None:
    court, row = sqlite_court, sqlite_court.draft()
    now = court.now
    court.write(
        lambda session: partners.revoke_key(
            session, court.bank.actor, court.bank.id, court.bank.address, now=now
        )
    )

    with pytest.raises(RuleSignatureFalse):
        court.sign(court.bank, row)
    with pytest.raises(RuleSignatureFalse):
        court.sign(court.office, row, signature_over(court.bureau, rules.statement(row, court.office.id)))


def test_a_refusal_ends_a_version_and_the_next_one_begins_anew(sqlite_court: Court) -> None:
    court, row = sqlite_court, sqlite_court.draft()
    court.sign(court.office, row)

    court.refuse(court.bank, row)

    assert court.state(row) is RuleState.REFUSED
    with pytest.raises(TransitionRefused):
        court.sign(court.bureau, row)
    assert court.draft(rule=row.rule).number == 2


def test_an_older_version_is_signed_no_more(sqlite_court: Court) -> None:
    court, first = sqlite_court, sqlite_court.draft()
    court.draft(court.text(threshold=2), rule=first.rule)

    with pytest.raises(RuleOutdated, match="version, 2"):
        court.sign(court.office, first)


def test_whoever_drafted_does_not_sign_and_who_may_not_draft_does_not(sqlite_court: Court) -> None:
    court, now = sqlite_court, sqlite_court.now
    row = court.write(lambda session: rules.draft(session, court.office.actor, court.text(), now=now))

    with pytest.raises(OwnProposal):
        court.sign(court.office, row)
    with pytest.raises(NotPermitted):
        court.write(lambda session: rules.draft(session, court.bank.actor, court.text(), now=now))


def test_a_new_rule_needs_an_instrument_in_force_and_an_old_one_goes_on(sqlite_court: Court) -> None:
    court, row = sqlite_court, sqlite_court.rule()
    pending = court.draft()
    for member in court.sides[:2]:
        court.sign(member, pending)
    court.world.clock.advance(days=60)

    with pytest.raises(InstrumentExpired):
        court.draft()
    with pytest.raises(InstrumentExpired):
        court.sign(court.bank, pending)

    assert court.state(row) is RuleState.IN_FORCE
    assert court.state(pending) is RuleState.PARTLY_APPROVED


def test_the_clock_brings_a_rule_into_force_at_midnight(sqlite_court: Court) -> None:
    court = sqlite_court
    row = court.rule(effective_from=date(2026, 11, 25))
    assert court.state(row) is RuleState.APPROVED

    court.world.clock.advance(hours=31, minutes=59)  # 16:00 on the 23rd in Shanghai, and a few seconds
    assert court.state(row) is RuleState.APPROVED
    court.world.clock.advance(minutes=1)

    assert court.state(row) is RuleState.IN_FORCE


def test_a_rule_names_partners_that_exist(sqlite_court: Court) -> None:
    with pytest.raises(PartnerUnknown):
        sqlite_court.draft(sqlite_court.text(partner_set=("0x" + "7" * 64,)))
    with pytest.raises(PartnerUnknown):
        sqlite_court.draft(sqlite_court.text(partner_set=(sqlite_court.office.id,)))


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"partner_set": ()}, "too_short"),
        ({"partner_set": ("0x" + "1" * 64,) * 2}, "partner_twice"),
        ({"scope": {"reach": "PARTNER", "value": "0x" + "2" * 64}}, "partner_rule"),
        ({"scope": {"reach": "ALL", "value": "FINANCIAL"}}, "scope_value"),
        ({"scope": {"reach": "CATEGORY"}}, "scope_value"),
        ({"duration_days": None}, "duration_missing"),
        ({"duration_days": 181}, "less_than_equal"),
        ({"procedure": {"decider_role": "big_data_bureau"}}, "decider_role"),
    ],
)
def test_a_text_that_makes_no_sense_is_no_rule(changes: dict[str, Any], code: str) -> None:
    fields = {
        "title": "虚构",
        "wording": "虚构",
        "trigger": Trigger.NO_SHOW_GE_N,
        "threshold": 3,
        "window_minutes": 600,
        "duration_days": 7,
        "partner_set": ("0x" + "1" * 64,),
        "effective_from": date(2026, 11, 1),
    }

    with pytest.raises(ValidationError) as refused:
        RuleText.model_validate({**fields, **changes})

    assert code in {each["type"] for each in refused.value.errors()}


def test_the_hash_is_over_every_word(sqlite_court: Court) -> None:
    base = sqlite_court.text()
    other = {
        "title": "另一标题",
        "wording": "另一文字",
        "trigger": Trigger.CREDENTIAL_SHARED,
        "threshold": 2,
        "window_minutes": 61,
        "scope": Scope(reach=Reach.CATEGORY, value="FINANCIAL"),
        "duration_days": 31,
        "procedure": Procedure(notice_days=4),
        "partner_set": ("0x" + "1" * 64,),
        "effective_from": date(2026, 11, 2),
    }
    assert set(other) == set(RuleText.model_fields)

    hashes = {base.sha256()} | {sqlite_court.text(**{name: value}).sha256() for name, value in other.items()}

    assert len(hashes) == len(other) + 1


def test_the_database_itself_lets_no_signature_be_altered(court: Court) -> None:
    row = court.draft()
    court.sign(court.office, row)

    with pytest.raises(DBAPIError, match="append-only"):
        court.write(lambda session: session.execute(update(RuleSignature).values(signer="0x")))


def test_of_two_last_signatures_one_sees_the_other(court: Court) -> None:
    """Both hold the version, so that the third signature is never missed."""
    row = court.draft()
    court.sign(court.office, row)

    with ThreadPoolExecutor(2) as both:
        list(both.map(lambda member: court.sign(member, row), (court.bureau, court.bank)))

    assert court.state(row) is RuleState.IN_FORCE


class RuleMachine(RuleBasedStateMachine):
    """Any order of drafting, signing, refusing and waiting against a table of what may follow what."""

    def __init__(self) -> None:
        super().__init__()
        self.worlds = fresh_world()
        self.court = make_court(in_force(next(self.worlds)))
        self.row: SuspensionRule | None = None
        self.signed: set[str] = set()
        self.refused = False

    @rule()
    def draft(self) -> None:
        self.row = self.court.draft(
            self.court.text(effective_from=date(2026, 11, 24)), rule=self.row.rule if self.row else None
        )
        self.signed, self.refused = set(), False

    @precondition(lambda self: self.row)
    @rule()
    def sign_next(self) -> None:
        assert self.row
        before = self.court.state(self.row)
        member = next((each for each in self.court.sides if each.id not in self.signed), self.court.bank)
        again = member.id in self.signed
        try:
            self.court.sign(member, self.row)
        except TransitionRefused:
            assert not RULE.allows(before, RuleState.PARTLY_APPROVED)
            return
        assert again or RULE.allows(before, RuleState.PARTLY_APPROVED)
        self.signed.add(member.id)

    @precondition(lambda self: self.row)
    @rule()
    def refuse(self) -> None:
        assert self.row
        before = self.court.state(self.row)
        try:
            self.court.refuse(self.court.bank, self.row)
        except TransitionRefused:
            assert not RULE.allows(before, RuleState.REFUSED)
            return
        assert RULE.allows(before, RuleState.REFUSED)
        self.refused = True

    @rule()
    def wait(self) -> None:
        self.court.world.clock.advance(hours=9)

    @invariant()
    def it_is_in_force_only_by_three_signatures(self) -> None:
        if self.row is None:
            return
        state = self.court.state(self.row)
        assert (state is RuleState.REFUSED) == self.refused
        assert (state in {RuleState.APPROVED, RuleState.IN_FORCE}) == (
            len(self.signed) == 3 and not self.refused
        )

    def teardown(self) -> None:
        self.worlds.close()


TestRuleMachine = RuleMachine.TestCase
TestRuleMachine.settings = settings(max_examples=10, stateful_step_count=12, deadline=None)


def test_a_rule_in_force_is_on_the_trail_of_whoever_signed_it_alone(sqlite_court: Court) -> None:
    court = sqlite_court
    row = court.rule()
    other = court.world.member("另一虚构银行")

    def lines(of: Member) -> list[trail.Line]:
        wanted = trail.Period(kind=40)
        found = court.world.database.read(
            lambda session: trail.trail_of(session, of.actor, after=None, limit=9, period=wanted)
        )
        return list(found.lines)

    for side in court.sides:
        (line,) = lines(side)
        assert line.subject == trail.Subject(
            trail.Topic.RULE, rule=row.rule, version=1, title="冒用人才码（虚构）"
        )
        seen = court.world.database.read(partial(visibility.see, actor=side.actor, record_id=line.record))
        assert seen.content
    assert lines(other) == []
    with pytest.raises(RecordNotFound):
        court.world.database.read(lambda session: visibility.see(session, other.actor, row.record_id or ""))
