"""What people may ask of the service: consent, sight of their data, correction, erasure, and who looked."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any, TypeVar

import pytest
from pydantic import ValidationError
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from sealproof.trust import Finality, FinalityPolicy, Trust
from sealproof.verify import verify
from talentseal.accounts.models import Account, OrganisationKind
from talentseal.accounts.roles import PERMISSIONS, Actor, Role
from talentseal.app import HOLDINGS, correct_record
from talentseal.audit.models import RecordClosure
from talentseal.errors import NotPermitted
from talentseal.evidence import bundles as proofs
from talentseal.evidence import records
from talentseal.resealing import sealed_columns
from talentseal.states import TransitionRefused
from talentseal.talents import codes, consents, correcting, erasing, exporting, grants, people
from talentseal.talents.consents import ConsentMissing
from talentseal.talents.models import CodeState, FieldGroup, TalentAccess, TalentCode
from talentseal.talents.privacy_models import ConsentScope, TalentConsent, TalentCorrection, WishState
from talentseal.talents.privacy_schemas import AskCorrection, DecideWish, GiveConsent, GiveGrant
from talentseal.talents.review_schemas import Verdict
from talentseal.vault import Vault
from tests.talents.conftest import PAPER, People, basic, high, office, work
from tests.talents.reviewing import Reviewing
from tests.world import Member

T = TypeVar("T")
CANARY = "虚构金丝雀"
"""Part of a name that nobody else has."""


def do(crowd: People, work: Callable[[Session], T]) -> T:
    """One act in a transaction of its own."""
    return crowd.world.database.write(work)


def consent(
    crowd: People, holder: Actor, partner: Member, scope: ConsentScope = ConsentScope.SERVICE
) -> TalentConsent:
    said = GiveConsent(organisation=partner.id, scope=scope, notice_version=consents.NOTICE_VERSION)
    return do(crowd, lambda session: consents.give(session, holder, said, now=crowd.world.clock.now()))


def shown(crowd: People, holder: Actor, partner: Member) -> frozenset[FieldGroup]:
    talent = crowd.id_of(holder)
    return crowd.world.database.read(lambda session: consents.groups_shown(session, talent, partner.id))


def correction(
    crowd: People, holder: Actor, *, granted: bool | None = True, agreed: bool = False, **asked: Any
) -> TalentCorrection:
    """A correction that was asked for; and decided unless granted is None."""
    now, command = crowd.world.clock.now(), AskCorrection(explanation="虚构的说明", **asked)
    row = do(
        crowd,
        lambda session: correcting.ask(session, holder, crowd.vault, command, proofs=[PAPER], now=now),
    )
    return row if granted is None else decide(crowd, row, granted=granted, agreed=agreed)


def decide(
    crowd: People, row: TalentCorrection, *, granted: bool = True, agreed: bool = False
) -> TalentCorrection:
    now = crowd.world.clock.now()
    said = DecideWish(granted=granted, reason="已核对（虚构）", organisation_agreed=agreed)
    return do(
        crowd,
        lambda session: correcting.decide(
            session, office(), crowd.vault, row.id, said, correct_record=correct_record, now=now
        ),
    )


def erase(crowd: People, holder: Actor, *, granted: bool = True) -> str:
    """Ask for erasure and decide it; the wish's number."""
    now, said = crowd.world.clock.now(), DecideWish(granted=granted, reason="已核对（虚构）")
    asked = do(crowd, lambda session: erasing.ask(session, holder, holdings=HOLDINGS, now=now).id)
    do(
        crowd,
        lambda session: erasing.decide(
            session, office(), crowd.vault, asked, said, holdings=HOLDINGS, now=now
        ),
    )
    return asked


def export(crowd: People, holder: Actor) -> exporting.Export:
    now = crowd.world.clock.now()
    return crowd.world.database.read(
        lambda session: exporting.own_export(session, holder, crowd.vault, HOLDINGS, now=now)
    )


@pytest.mark.scenario(27)
def test_project_data_is_shown_only_with_the_consent_of_holder_and_organisation(crowd: People) -> None:
    holder, bank = crowd.holder(), crowd.world.member("虚构银行")
    project: dict[str, Any] = {"group": FieldGroup.ORG_PROJECT, "summary": "虚构单位的项目"}
    correction(crowd, holder, **project)

    assert shown(crowd, holder, bank) == frozenset()
    consent(crowd, holder, bank, ConsentScope.ORG_PROJECT)
    assert shown(crowd, holder, bank) == frozenset(), "the organisation has not allowed it"
    correction(crowd, holder, agreed=True, **project)
    assert shown(crowd, holder, bank) == {FieldGroup.ORG_PROJECT}
    assert shown(crowd, holder, crowd.world.member("另一家虚构银行")) == frozenset()
    correction(crowd, holder, **project)
    assert shown(crowd, holder, bank) == frozenset(), "a change without permission ends the earlier one"


@pytest.mark.scenario(86)
def test_a_consent_that_is_withdrawn_stops_what_it_allowed_and_stays_in_the_history(
    crowd: People,
) -> None:
    holder, bank = crowd.holder(), crowd.world.member("虚构银行")
    talent, now = crowd.id_of(holder), crowd.world.clock.now()
    given = consent(crowd, holder, bank)
    assert consent(crowd, holder, bank).id == given.id

    def ask(partner: Member) -> None:
        crowd.world.database.read(
            lambda session: consents.require(session, talent, partner.id, ConsentScope.SERVICE)
        )

    ask(bank)
    do(crowd, lambda session: consents.withdraw(session, holder, given.id, now=now))

    with pytest.raises(ConsentMissing):
        ask(bank)
    with pytest.raises(ConsentMissing):
        ask(crowd.world.member("另一家虚构银行"))
    again = consent(crowd, holder, bank)
    met = crowd.world.database.read(lambda session: consents.own(session, holder))
    assert [each.consents[0].id for each in met.standing] == [again.id]
    assert [each.id for each in met.withdrawn] == [given.id]


def test_consent_needs_todays_text_and_a_partner(sqlite_crowd: People) -> None:
    holder, world = sqlite_crowd.holder(), sqlite_crowd.world
    bank, bureau = world.member("虚构银行"), world.member("审计", kind=OrganisationKind.GOVERNMENT)
    now = world.clock.now()

    def give(partner: str, version: str = consents.NOTICE_VERSION) -> None:
        said = GiveConsent(organisation=partner, scope=ConsentScope.SERVICE, notice_version=version)
        do(sqlite_crowd, lambda session: consents.give(session, holder, said, now=now))

    with pytest.raises(consents.NoticeChanged):
        give(bank.id, "2020-01")
    with pytest.raises(consents.PartnerUnknown):
        give("0x" + "9" * 64)
    with pytest.raises(consents.PartnerUnknown):
        give(bureau.id)


@pytest.mark.scenario(93)
def test_an_export_tells_everything_that_is_held(crowd: People) -> None:
    who, reviewing = basic(full_name=CANARY), Reviewing(crowd)
    holder, bank = crowd.holder(who=who, claim=high()), crowd.world.member("虚构银行")
    crowd.confirm(holder)
    consent(crowd, holder, bank)
    correction(crowd, holder, group=FieldGroup.RESEARCH, summary="虚构的论文")
    reviewing.after(365)
    task = reviewing.one(holder)
    reviewing.answer(holder, task, remark="虚构的备注")
    reviewing.decide(task, Verdict.CONFIRMED)
    auditor = crowd.world.member("审计", role=Role.AUDITOR).actor
    number, now = grant(crowd, holder, auditor), crowd.world.clock.now()
    do(crowd, lambda session: grants.use(session, auditor, crowd.vault, number, now=now).grant.id)

    told = export(crowd, holder)

    held = json.loads(told.model_dump_json())["holdings"]
    groups = {each["group"]: each["values"] for each in held["fields"]}
    assert groups["BASIC"]["full_name"] == CANARY
    assert groups["RESEARCH"]["summary"] == "虚构的论文"
    assert held["applications"][0]["content"]["basic"]["document_number"] == who.document_number
    assert held["recognitions"][0]["claim"]["number"] == "虚构人才认字1号"
    assert held["reviews"][0]["steps"][2]["said"]["remark"] == "虚构的备注"
    assert held["consents"][0]["organisation"] == bank.id
    assert held["corrections"][0]["reason"] == "已核对（虚构）"
    assert [each["after"] for each in held["codes"][0]["tier_changes"]] == ["RESERVE", "HIGH_E"]
    assert [each.purpose.value for each in told.recipients] == ["AUDIT"]
    assert [each["kind"] for each in told.evidence] == [44, 44]
    assert all(each["disclosures"] for each in told.evidence)


def test_every_table_with_sealed_contents_is_told_and_destroyed() -> None:
    known = {
        "access_grant",  # the auditor's reason: kept as the account of who was let in
        "application",
        "application_document",
        "application_step",
        "card_step",
        "case_step",
        "objection",
        *("complaint_step", "rating"),
        # Of organisations: what they said to a breach, and what their webhooks are signed with.
        *("breach_step", "webhook_secret"),
        "recognition_step",
        "review_step",
        "sanction_fact",
        "talent_card",
        "talent_correction",
        "talent_erasure",
        "talent_fields",
        "talent_paper",
        "talent_photo",
        "termination_finding",
        "termination_step",
        "tier_recognition",
    }

    assert {each.table.name for each in sealed_columns()} == known, "a new one needs its Holding"


def test_somebody_else_is_told_nothing(sqlite_crowd: People) -> None:
    sqlite_crowd.holder(who=basic(full_name=CANARY))
    other = sqlite_crowd.holder()

    assert CANARY not in export(sqlite_crowd, other).model_dump_json()
    with pytest.raises(NotPermitted):
        export(sqlite_crowd, office())


def dump(crowd: People) -> bytes:
    """Every stored value of every table, and whatever the vault can open of it."""

    def read(session: Session) -> bytes:
        parts: list[bytes] = []
        for (table,) in session.execute(text("SELECT name FROM sqlite_master WHERE type = 'table'")):
            for row in session.execute(text(f'SELECT * FROM "{table}"')):
                parts.extend(value if isinstance(value, bytes) else str(value).encode() for value in row)
        return b"\n".join(parts)

    return crowd.world.database.read(read)


def test_nothing_personal_lies_open_in_the_database_nor_in_an_entry(sqlite_crowd: People) -> None:
    who = basic(full_name=CANARY, phone="13912345678")
    holder = sqlite_crowd.holder(who=who, works=work(organisation="虚构金丝雀公司"))
    correction(sqlite_crowd, holder, group=FieldGroup.HONOUR, summary=f"{CANARY}的荣誉")

    everything = dump(sqlite_crowd)

    for told in (CANARY, who.document_number, "13912345678"):
        assert told.encode() not in everything


@pytest.mark.scenario(68)
def test_after_erasure_nothing_of_the_person_is_left_and_his_proof_still_verifies(
    sqlite_crowd: People, capsys: pytest.CaptureFixture[str]
) -> None:
    crowd, world = sqlite_crowd, sqlite_crowd.world
    who = basic(full_name=CANARY)
    holder, bank = crowd.holder(who=who, claim=high()), world.member("虚构银行")
    crowd.confirm(holder)
    consent(crowd, holder, bank, ConsentScope.RESEARCH)
    correction(crowd, holder, group=FieldGroup.RESEARCH, summary=CANARY)
    talent = crowd.id_of(holder)
    numbers = world.database.read(lambda session: correcting.records_of(session, talent))
    world.settle()
    copies = [proof(crowd, number) for number in numbers]

    erase(crowd, holder)
    world.settle()

    for copy in copies:
        report = verify(copy, trust=trusted(crowd))
        assert report.exit_code in {0, 3}, report
    assert verify(proof(crowd, numbers[0]), trust=trusted(crowd)).exit_code in {0, 3}
    assert not world.database.read(
        lambda session: [each for number in numbers for each in records.disclosures_of(session, number)]
    )
    assert CANARY not in world.database.read(lambda session: sealed_left(session, crowd.vault))
    assert shown(crowd, holder, bank) == frozenset()
    code = world.database.read(
        lambda session: session.scalars(select(TalentCode).where(TalentCode.talent_id == talent)).one()
    )
    assert code.state is CodeState.CANCELLED
    assert code.identity_digest != crowd.vault.digest("identity", who.identity)
    account = world.database.read(lambda session: session.get_one(Account, holder.account_id))
    assert (account.name, account.sign_in_name, account.disabled_at is None) == ("—", None, False)
    assert CANARY not in capsys.readouterr().out


def sealed_left(session: Session, vault: Vault) -> str:
    """Every content that is sealed, in plain."""
    parts = []
    for each in sealed_columns():
        for *key, sealed in session.execute(select(*each.table.primary_key.columns, each.column)):
            if sealed is not None:
                place = each.place(*(getattr(part, "value", part) for part in key))
                parts.append(vault.open(place, sealed).decode(errors="replace"))
    return "\n".join(parts)


def proof(crowd: People, number: str) -> bytes:
    def compose(session: Session) -> bytes:
        row = records.find(session, number)
        under = proofs.checkpoint_for(session, row)
        shown = records.disclosures_of(session, number)
        return proofs.compose(session, row, under, disclosures=shown).dump()

    return crowd.world.database.read(compose)


def trusted(crowd: People) -> Trust:
    """What somebody trusts who has the log's key and no chain."""
    return Trust(crowd.world.signer.verifier_key, None, Finality(FinalityPolicy.INSTANT, 0), "test")


def test_whoever_was_erased_can_apply_again(sqlite_crowd: People) -> None:
    who = basic()
    erase(sqlite_crowd, sqlite_crowd.holder(who=who))

    again = sqlite_crowd.holder(who=who)

    assert sqlite_crowd.code(again).state is CodeState.ACTIVE


def test_erasure_waits_for_an_open_case_and_is_decided_once(sqlite_crowd: People) -> None:
    holder, now = sqlite_crowd.holder(), sqlite_crowd.world.clock.now()
    code = sqlite_crowd.code(holder).id

    def take(after: CodeState) -> None:
        do(
            sqlite_crowd,
            lambda session: codes.move(session, code, after, by="x", cause=None, now=now),
        )

    take(CodeState.SUSPENDED)
    with pytest.raises(erasing.ErasureBlocked):
        erase(sqlite_crowd, holder)
    take(CodeState.ACTIVE)
    refused = erase(sqlite_crowd, holder, granted=False)
    with pytest.raises(TransitionRefused):
        do(
            sqlite_crowd,
            lambda session: erasing.withdraw(session, holder, refused, now=now),
        )
    asked = do(sqlite_crowd, lambda session: erasing.ask(session, holder, holdings=HOLDINGS, now=now).id)
    with pytest.raises(erasing.ErasureUnderWay):
        do(sqlite_crowd, lambda session: erasing.ask(session, holder, holdings=HOLDINGS, now=now))
    do(sqlite_crowd, lambda session: erasing.withdraw(session, holder, asked, now=now))

    mine = sqlite_crowd.world.database.read(lambda session: erasing.own(session, holder, sqlite_crowd.vault))
    assert {each.state: each.reason for each in mine} == {
        WishState.WITHDRAWN: "",
        WishState.REFUSED: "已核对（虚构）",
    }
    assert sqlite_crowd.code(holder).state is CodeState.ACTIVE


def test_a_correction_keeps_what_stood_there_and_strikes_the_record_that_was_wrong(crowd: People) -> None:
    who = basic(full_name="虚构错名")
    holder, database = crowd.holder(who=who), crowd.world.database
    talent = crowd.id_of(holder)
    (record,) = database.read(lambda session: correcting.records_of(session, talent))
    right = who.model_copy(update={"full_name": "虚构正名", "document_number": "E00000001"})

    row = correction(crowd, holder, group=FieldGroup.BASIC, basic=right, record=record)

    said = correcting.said_in(crowd.vault, row)
    assert said["before"]["full_name"] == "虚构错名"
    fields = database.read(lambda session: people.fields_of(session, crowd.vault, talent, FieldGroup.BASIC))
    assert (fields["full_name"], fields["organisation"]) == ("虚构正名", "虚构科技公司（演示）")
    assert crowd.code(holder).identity_digest == crowd.vault.digest("identity", right.identity)
    closure = database.read(
        lambda session: session.scalars(select(RecordClosure).where(RecordClosure.target_id == record)).one()
    )
    assert closure.record_id == row.corrected_by_record


def test_a_correction_is_refused_or_withdrawn_and_one_of_a_group_is_open(sqlite_crowd: People) -> None:
    crowd = sqlite_crowd
    holder, other, now = crowd.holder(), crowd.holder(), crowd.world.clock.now()
    asked: dict[str, Any] = {"group": FieldGroup.HONOUR, "summary": "虚构的荣誉"}
    row = correction(crowd, holder, granted=None, **asked)
    with pytest.raises(correcting.CorrectionUnderWay):
        correction(crowd, holder, granted=None, **asked)
    with pytest.raises(correcting.CorrectionNotFound):
        do(crowd, lambda session: correcting.withdraw(session, other, row.id, now=now))
    with pytest.raises(correcting.RecordNotYours):
        correction(crowd, other, record="0" * 32, **asked)

    do(crowd, lambda session: correcting.withdraw(session, holder, row.id, now=now))
    with pytest.raises(TransitionRefused):
        decide(crowd, row)
    refused = correction(crowd, holder, granted=False, **asked)

    assert refused.state is WishState.REFUSED
    talent = crowd.id_of(holder)
    assert not crowd.world.database.read(
        lambda session: people.fields_of(session, crowd.vault, talent, FieldGroup.HONOUR)
    )


@pytest.mark.parametrize(
    "asked",
    [
        {"group": FieldGroup.BASIC, "summary": "文字"},
        {"group": FieldGroup.HONOUR, "work": work()},
        {"group": FieldGroup.ACADEMIC},
    ],
)
def test_a_correction_fits_its_group(asked: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        AskCorrection(explanation="虚构", **asked)


def grant(crowd: People, holder: Actor, auditor: Actor, by: Actor | None = None) -> str:
    """Let an auditor see the basic fields of a holder for three days; the grant's number."""
    talent, now = crowd.id_of(holder), crowd.world.clock.now()
    record = crowd.world.database.read(lambda session: correcting.records_of(session, talent))[0]
    said = GiveGrant(
        auditor=auditor.account_id,
        about=record,
        groups=frozenset({FieldGroup.BASIC}),
        days=3,
        reason="虚构的抽查",
    )
    return do(crowd, lambda session: grants.give(session, by or office(), crowd.vault, said, now=now).id)


def test_an_auditor_reads_under_a_grant_alone_within_its_groups_and_time_and_the_person_sees_it(
    crowd: People,
) -> None:
    holder, world = crowd.holder(who=basic(full_name=CANARY)), crowd.world
    auditor = world.member("审计机构", role=Role.AUDITOR).actor
    number = grant(crowd, holder, auditor)

    def use(by: Actor) -> str:
        sight = do(
            crowd,
            lambda session: grants.use(session, by, crowd.vault, number, now=world.clock.now()),
        )
        return str(sight.fields)

    assert CANARY in use(auditor)
    with pytest.raises(grants.GrantNotFound):
        use(world.member("另一审计机构", role=Role.AUDITOR).actor)
    with pytest.raises(NotPermitted):
        use(office())
    with pytest.raises(NotPermitted):
        grant(crowd, holder, auditor, by=auditor)
    world.clock.advance(days=3)
    with pytest.raises(grants.GrantOver):
        use(auditor)

    seen = world.database.read(lambda session: exporting.own_openings(session, holder))
    assert [(each.purpose.value, each.who, each.granted) for each in seen.items] == [
        ("AUDIT", "审计机构", True)
    ]


def test_a_grant_that_is_revoked_opens_nothing(sqlite_crowd: People) -> None:
    crowd, world = sqlite_crowd, sqlite_crowd.world
    holder, auditor = crowd.holder(), world.member("审计机构", role=Role.AUDITOR).actor
    number, now = grant(crowd, holder, auditor), world.clock.now()
    for _ in range(2):
        do(crowd, lambda session: grants.revoke(session, office(), number, now=now))

    with pytest.raises(grants.GrantOver):
        do(crowd, lambda session: grants.use(session, auditor, crowd.vault, number, now=now))
    listed = world.database.read(lambda session: grants.every(session, auditor, crowd.vault, now=now))
    assert [(each.live, each.reads) for each in listed.items] == [(False, 0)]
    assert not world.database.read(lambda session: session.scalars(select(TalentAccess)).all())
    assert timedelta(0) < listed.items[0].until - now


@pytest.mark.parametrize("role", sorted(set(Role) - {Role.TALENT_OFFICE}))
def test_wishes_are_decided_by_the_talent_office_alone(sqlite_crowd: People, role: Role) -> None:
    stranger = Actor("stranger", "0x" + "4" * 64, role, PERMISSIONS[role])
    said = DecideWish(granted=True, reason="虚构")
    now, vault = sqlite_crowd.world.clock.now(), sqlite_crowd.vault

    def decide_both(session: Session) -> None:
        with pytest.raises(NotPermitted):
            erasing.decide(session, stranger, vault, "0" * 32, said, holdings=(), now=now)
        with pytest.raises(NotPermitted):
            correcting.decide(
                session, stranger, vault, "0" * 32, said, correct_record=correct_record, now=now
            )

    do(sqlite_crowd, decide_both)


def test_a_holder_who_never_answered_his_review_can_leave(sqlite_crowd: People) -> None:
    holder, reviewing = sqlite_crowd.holder(), Reviewing(sqlite_crowd)
    code = sqlite_crowd.code(holder).id
    for days in (365, 31):
        reviewing.after(days)
    assert reviewing.state(holder) is CodeState.REVIEW_OVERDUE

    erase(sqlite_crowd, holder)

    left = sqlite_crowd.world.database.read(lambda session: session.get_one(TalentCode, code))
    assert left.state is CodeState.CANCELLED
    assert reviewing.night() == 0
