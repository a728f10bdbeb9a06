"""Acts on instruments: each by its body and no other, each with its evidence; a refusal changes nothing."""

from collections.abc import Callable
from datetime import date
from functools import partial
from typing import Any

import pytest
from pydantic import ValidationError
from sqlalchemy import func, select, text, update
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.orm import Session

from sealproof import disclosure
from talentseal.accounts.roles import PERMISSIONS, Actor, Permission, Role
from talentseal.errors import NotPermitted, TalentSealError
from talentseal.evidence import records
from talentseal.evidence.models import EvidenceRecord
from talentseal.policy import service
from talentseal.policy.models import InstrumentAct, InstrumentArticle, InstrumentVersion, Interpretation
from talentseal.policy.schemas import Decide, DraftVersion, EnterVersion
from talentseal.policy.states import InstrumentState, Step
from tests.policy.conftest import BODIES, NAME, Office, actor_of, entered, question
from tests.policy.conftest import text as version_text
from tests.world import World

TABLES = (InstrumentVersion, InstrumentArticle, InstrumentAct, Interpretation, EvidenceRecord)
ON_THE_WAY = (Step.PASSED, Step.APPROVED, Step.ISSUED)


def counted(world: World) -> dict[str, int]:
    """How much there is of everything that an act writes."""
    return world.database.read(
        lambda session: {
            table.__tablename__: session.scalars(select(func.count()).select_from(table)).one()
            for table in TABLES
        }
    )


def evidence_of(world: World, record: str) -> dict[str, Any]:
    """Kind and fields of a record."""

    def read(session: Session) -> dict[str, Any]:
        shown = [disclosure.read(item) for item in records.disclosures_of(session, record)]
        return {"kind": records.find(session, record).kind, **{item.name: item.value for item in shown}}

    return world.database.read(read)


def enter(office: Office, command: EnterVersion) -> tuple[InstrumentVersion, bool]:
    now = office.world.clock.now()
    met: tuple[InstrumentVersion, bool] = office.write(
        lambda session: service.enter(session, Actor.console(), command, now=now)
    )
    return met


def test_each_body_takes_its_step_and_each_step_leaves_evidence(office: Office) -> None:
    row = office.draft()
    states = [office.view(row).state]
    for step in ON_THE_WAY:
        office.decide(row, step)
        states.append(office.view(row).state)

    told = [evidence_of(office.world, act.record) for act in office.view(row).acts]

    assert states == ["DRAFT", "JOINT_MEETING_PASSED", "APPROVED", "ISSUED"]
    assert [(each["kind"], each["step"], each["role"]) for each in told] == [
        (50, step.value, BODIES[step].value) for step in ON_THE_WAY
    ]
    assert {each["text_sha256"] for each in told} == {row.text_sha256}
    assert office.view(row).document_number == "虚构〔2026〕ISSUED-1"
    assert office.view(row).issued_on == date(2026, 11, 23)


ACTS: dict[str, tuple[Permission, Callable[[Actor, InstrumentVersion, Office, Session], object]]] = {
    "draft": (
        Permission.INSTRUMENT_DRAFT,
        lambda actor, _row, office, session: service.draft(
            session, actor, DraftVersion(**version_text(title="另一版")), now=office.world.clock.now()
        ),
    ),
    "enter": (
        Permission.INSTRUMENT_ENTER,
        lambda actor, _row, office, session: service.enter(
            session, actor, entered(instrument="another"), now=office.world.clock.now()
        ),
    ),
    "propose": (
        Permission.INTERPRETATION_PROPOSE,
        lambda actor, row, office, session: service.propose_interpretation(
            session, actor, row.instrument, row.number, question(), now=office.world.clock.now()
        ),
    ),
}


@pytest.mark.parametrize("act", ACTS)
def test_an_act_is_done_by_the_roles_that_may_and_by_no_other(office: Office, act: str) -> None:
    row = office.draft()
    permission, work = ACTS[act]
    before = counted(office.world)

    for role in sorted(Role, key=lambda role: permission in PERMISSIONS[role]):
        actor = Actor("somebody", "0x" + "1" * 64, role, frozenset(Permission))
        if permission in PERMISSIONS[role]:
            office.write(partial(work, actor, row, office))
            assert counted(office.world) != before, role
        else:
            with pytest.raises(NotPermitted):
                office.write(partial(work, actor, row, office))
            assert counted(office.world) == before, role


@pytest.mark.parametrize("step", BODIES)
def test_a_step_is_taken_by_its_body_and_by_no_other(office: Office, step: Step) -> None:
    row = office.taken_to(step)
    before = counted(office.world)

    for role in set(Role) - {BODIES[step]}:
        with pytest.raises(NotPermitted):
            office.decide(row, step, actor_of(role))
        assert counted(office.world) == before, role
    office.decide(row, step, actor_of(BODIES[step]))

    after = counted(office.world)
    assert {name for name in before if after[name] != before[name]} == {"instrument_act", "evidence_record"}


@pytest.mark.parametrize("next_step", BODIES)
def test_a_step_that_does_not_follow_is_refused(office: Office, next_step: Step) -> None:
    row = office.taken_to(next_step)
    before = counted(office.world)

    for step in set(BODIES) - {next_step}:
        with pytest.raises(service.StepRefused):
            office.decide(row, step)
    assert counted(office.world) == before


@pytest.mark.parametrize("step", ON_THE_WAY)
def test_who_proposed_it_does_not_decide(office: Office, step: Step) -> None:
    """Even if his account were given the other body's role afterwards."""
    row = office.taken_to(step)
    actor = Actor(row.drafted_by, "0x" + "1" * 64, BODIES[step], frozenset(Permission))
    command = Decide.model_validate({"step": step, "reference": "虚构〔2026〕9号", "reason": "虚构的理由"})
    before, now = counted(office.world), office.world.clock.now()

    with pytest.raises(service.OwnProposal):
        office.write(lambda session: service.decide(session, actor, NAME, row.number, command, now=now))
    assert counted(office.world) == before


def test_the_same_text_is_drafted_once(office: Office) -> None:
    office.draft()
    before = counted(office.world)

    with pytest.raises(service.VersionExists):
        office.draft()
    assert counted(office.world) == before


def test_a_version_is_issued_before_it_takes_effect_and_after_the_one_before(office: Office) -> None:
    office.issued()
    past = office.draft(effective_from=date(2026, 11, 1))
    earlier = office.draft(effective_from=date(2026, 11, 30))
    for row, refusal in ((past, service.TooLate), (earlier, service.NotLater)):
        office.decide(row, Step.PASSED)
        office.decide(row, Step.APPROVED)
        before = counted(office.world)
        with pytest.raises(refusal):
            office.decide(row, Step.ISSUED)
        assert counted(office.world) == before


def test_a_document_number_stands_on_one_text(office: Office) -> None:
    office.issued()
    row = office.draft(effective_from=date(2027, 12, 1))
    office.decide(row, Step.PASSED)
    office.decide(row, Step.APPROVED)
    before = counted(office.world)

    with pytest.raises(service.DocumentNumberTaken):
        office.decide(row, Step.ISSUED, reference="虚构〔2026〕ISSUED-1")
    assert counted(office.world) == before


@pytest.mark.parametrize(
    ("last_day", "accepted"),
    [("2026-11-22", False), ("2026-11-23", True), ("2028-11-29", True), ("2028-11-30", False)],
)
def test_a_repeal_shortens_what_is_left(office: Office, last_day: str, accepted: bool) -> None:
    row = office.issued(effective_from=date(2026, 11, 23))
    day = date.fromisoformat(last_day)

    if not accepted:
        with pytest.raises(service.RepealRefused):
            office.decide(row, Step.REPEALED, last_day=day)
        return
    office.decide(row, Step.REPEALED, last_day=day)

    assert office.view(row).state is InstrumentState.IN_FORCE
    assert (office.view(row).ends_on - day).days == 1
    with pytest.raises(service.StepRefused):
        office.decide(row, Step.REPEALED, last_day=date(2027, 1, 1))


def test_a_repealed_version_is_out_of_force_after_its_last_day(office: Office) -> None:
    row = office.issued(effective_from=date(2026, 11, 23))
    office.decide(row, Step.REPEALED, last_day=date(2026, 11, 23))

    office.world.clock.advance(hours=8)

    assert office.view(row).state is InstrumentState.REPEALED


def test_entering_twice_changes_nothing_the_second_time(office: Office) -> None:
    command = entered(interpretations=(question(),))
    first, new = enter(office, command)
    before = counted(office.world)

    second, again = enter(office, command)

    assert (new, again, second.id) == (True, False, first.id)
    assert counted(office.world) == before


def test_a_later_file_adds_the_interpretations_that_are_new(office: Office) -> None:
    row, _ = enter(office, entered(interpretations=(question(),)))

    enter(office, entered(interpretations=(question(), question(article=2))))

    assert [each.article for each in office.view(row).interpretations] == [1, 2]


@pytest.mark.parametrize(
    ("changes", "refusal"),
    [
        ({"document_number": "虚构〔2026〕2号"}, service.DocumentNumberTaken),
        ({"issued_on": date(2026, 11, 19)}, service.DocumentNumberTaken),
        ({"title": "改了一字的办法"}, service.NotLater),
        ({"title": "同号", "effective_from": date(2027, 1, 1)}, service.DocumentNumberTaken),
        ({"instrument": "another", "issued_on": date(2026, 11, 24)}, service.IssuedAhead),
        ({"interpretations": (question(article=3),)}, service.ArticleNotFound),
    ],
)
def test_what_contradicts_the_published_text_is_not_entered(
    office: Office, changes: dict[str, Any], refusal: type[TalentSealError]
) -> None:
    enter(office, entered())
    before = counted(office.world)

    with pytest.raises(refusal):
        enter(office, entered(**changes))
    assert counted(office.world) == before


def test_what_was_drafted_here_is_not_entered_as_published_elsewhere(office: Office) -> None:
    office.draft()

    with pytest.raises(service.VersionExists):
        enter(office, entered())


def propose(office: Office, row: InstrumentVersion, **changes: Any) -> Interpretation:
    by, now = actor_of(Role.TALENT_OFFICE), office.world.clock.now()
    proposed: Interpretation = office.write(
        lambda session: service.propose_interpretation(
            session, by, row.instrument, row.number, question(**changes), now=now
        )
    )
    return proposed


def issue(office: Office, row: InstrumentVersion, interpretation: str, actor: Actor | None = None) -> Any:
    by, now = actor or actor_of(Role.MANAGEMENT_COMMITTEE), office.world.clock.now()
    return office.write(
        lambda session: service.issue_interpretation(
            session, by, row.instrument, row.number, interpretation, now=now
        )
    )


def test_an_interpretation_binds_once_it_is_issued(office: Office) -> None:
    row = office.issued()
    proposed = propose(office, row)
    assert office.view(row).interpretations[0].issued_at is None

    issue(office, row, proposed.id)

    shown = office.view(row).interpretations[0]
    assert shown.issued_at == office.world.clock.now()
    assert shown.record is not None
    told = evidence_of(office.world, shown.record)
    assert (told["kind"], told["article"], told["answer"]) == (52, 1, "以认定为准。")
    with pytest.raises(service.InterpretationRefused):
        issue(office, row, proposed.id)


def test_an_interpretation_is_issued_by_another_and_of_an_issued_version_alone(office: Office) -> None:
    draft = office.draft()
    unissued = propose(office, draft)
    row = office.issued(effective_from=date(2026, 12, 2))
    proposed = propose(office, row)
    own = Actor(proposed.proposed_by, "0x" + "1" * 64, Role.MANAGEMENT_COMMITTEE, frozenset(Permission))
    before = counted(office.world)

    for refusal, of, number, actor in (
        (service.InterpretationRefused, draft, unissued.id, None),
        (service.OwnProposal, row, proposed.id, own),
        (service.InterpretationNotFound, row, unissued.id, None),
        (NotPermitted, row, proposed.id, actor_of(Role.TALENT_OFFICE)),
    ):
        with pytest.raises(refusal):
            issue(office, of, number, actor)
    with pytest.raises(service.InterpretationExists):
        propose(office, row)
    assert counted(office.world) == before


def run(statement: str, session: Session) -> None:
    session.execute(text(statement))


@pytest.mark.parametrize(
    "table", ["instrument_version", "instrument_article", "instrument_basis", "instrument_act"]
)
def test_the_database_itself_refuses_another_text(office: Office, table: str) -> None:
    office.issued()
    column = "id" if table == "instrument_version" else "version_id"

    for statement in (f"DELETE FROM {table}", f"UPDATE {table} SET {column} = {column}"):
        with pytest.raises((DBAPIError, IntegrityError), match="append-only"):
            office.write(partial(run, statement))


def test_an_interpretation_cannot_be_issued_of_a_text_that_is_gone(office: Office) -> None:
    row = office.issued()
    proposed = propose(office, row)

    with pytest.raises(IntegrityError):
        office.write(
            lambda session: session.execute(
                update(Interpretation).where(Interpretation.id == proposed.id).values(article=9)
            )
        )


@pytest.mark.scenario(11)
def test_a_version_that_ends_before_it_begins_is_refused_at_its_field(office: Office) -> None:
    before = counted(office.world)

    with pytest.raises(ValidationError) as refused:
        DraftVersion(**version_text(valid_through=date(2026, 11, 30)))

    assert [error["loc"] for error in refused.value.errors()] == [("valid_through",)]
    assert counted(office.world) == before


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"articles": ()}, "articles"),
        ({"articles": ({"number": 2, "text": "二"},)}, "articles"),
        ({"articles": ({"number": 1, "text": "一", "deeds": ("NEW_CODE", "NEW_CODE")},)}, "articles"),
        ({"effective_from": date(1949, 10, 1)}, "effective_from"),
        ({"instrument": "Measures 2023"}, "instrument"),
        ({"title": " "}, "title"),
    ],
)
def test_a_malformed_version_is_refused_at_its_field(changes: dict[str, Any], field: str) -> None:
    with pytest.raises(ValidationError) as refused:
        DraftVersion(**version_text(**changes))

    assert refused.value.errors()[0]["loc"] == (field,)
