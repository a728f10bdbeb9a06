"""Reading applications and recognitions: the talent his own, the office those of others and never unseen."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import Any, Final

from sqlalchemy import Row, bindparam, func, select
from sqlalchemy.orm import Session

from talentseal.accounts.models import Account
from talentseal.accounts.roles import Actor, Permission
from talentseal.clock import legal_date
from talentseal.db import only_row, rows
from talentseal.policy.models import InstrumentVersion
from talentseal.talents import applications, codes, deciding, people, recognitions, register
from talentseal.talents.applications import ANSWER_AWAITED, ApplicationNotFound
from talentseal.talents.codes import CodeNotFound
from talentseal.talents.models import (
    AccessPurpose,
    Application,
    ApplicationDocument,
    ApplicationState,
    ApplicationStep,
    FieldGroup,
    RecognitionStep,
    Talent,
    TalentCode,
    TierRecognition,
)
from talentseal.talents.schemas import (
    ApplicationRow,
    ApplicationView,
    BasisView,
    CodeView,
    ConfirmationView,
    Content,
    Defect,
    DocumentView,
    Part,
    RecognitionRow,
    RecognitionView,
    ReviewView,
    StepView,
    TierView,
    WorkList,
)
from talentseal.talents.tiers import RecognitionState
from talentseal.vault import Vault

PAGE: Final = 50


def own_application(session: Session, actor: Actor, vault: Vault, application_id: str) -> ApplicationView:
    """One's own application. Raises NotPermitted, ApplicationNotFound."""
    return ApplicationView(**_view(session, vault, _own(session, actor, application_id)))


def newest_application(session: Session, actor: Actor, vault: Vault) -> ApplicationView | None:
    """One's own newest application; None before the first. Raises NotPermitted."""
    return _newest(session, vault, people.of_account(session, actor), _Bases(session))


def own_standing(
    session: Session, actor: Actor, vault: Vault, *, now: datetime
) -> tuple[ApplicationView | None, TierView]:
    """One's own newest application, None before the first, and one's tier. Raises NotPermitted."""
    talent, bases = people.of_account(session, actor), _Bases(session)
    newest = _newest(session, vault, talent, bases)
    return newest, _tier(session, vault, talent.id, bases, now)


def _newest(session: Session, vault: Vault, talent: Talent, bases: "_Bases") -> ApplicationView | None:
    row = applications.latest_of(session, talent)
    return ApplicationView(**_view(session, vault, row, bases)) if row else None


def own_document(
    session: Session, actor: Actor, vault: Vault, application_id: str, document_id: str
) -> tuple[ApplicationDocument, bytes]:
    """A document of one's own application. Raises NotPermitted, ApplicationNotFound."""
    row = _own(session, actor, application_id)
    found = applications.document(session, row.id, document_id)
    return found, applications.plain_of(vault, found)


def _own(session: Session, actor: Actor, application_id: str) -> Application:
    """To be read; `applications.own` holds it besides."""
    talent, row = people.of_account(session, actor), session.get(Application, application_id)
    if row is None or row.talent_id != talent.id:
        raise ApplicationNotFound
    return row


def for_review(
    session: Session, actor: Actor, vault: Vault, application_id: str, *, now: datetime
) -> ReviewView:
    """An application as the office opens it, with the trace of that for the talent.

    Raises NotPermitted, ApplicationNotFound.
    """
    actor.require(Permission.APPLICATION_REVIEW)
    row = session.get(Application, application_id)
    if row is None or row.submitted_at is None:
        raise ApplicationNotFound
    view = _view(session, vault, row)
    entered: Content = view["content"]
    people.note_access(
        session,
        actor,
        row.talent_id,
        AccessPurpose.APPLICATION_REVIEW,
        people.groups_in(entered),
        application_id=row.id,
        now=now,
    )
    closed = deciding.closed_to_objection(session, vault, row) if len(view["steps"]) > 2 else frozenset[str]()
    shared = register.certificate(session, vault, entered)
    lacking = shared is False and Part.EDUCATION.value not in closed
    made = select(TierRecognition.id).where(TierRecognition.application_id == row.id)
    return ReviewView(
        **view,
        taken_up_by=_reviewer(session, row),
        recognition=session.scalar(made) if row.state is ApplicationState.APPROVED else None,
        ready=[Defect(part=Part.EDUCATION, text=register.NOT_HELD)] if lacking else [],
        closed=sorted(closed),
        certificate_shared=shared,
    )


_STATE: Final = select(Application.state).where(
    Application.id == bindparam("application"), Application.submitted_at.is_not(None)
)


def awaited(session: Session, actor: Actor, application_id: str, *, now: datetime) -> ApplicationRow | None:
    """An application that nobody has taken up, as the work list has it; None for any other.

    Raises NotPermitted, ApplicationNotFound.
    """
    actor.require(Permission.APPLICATION_REVIEW)
    found = only_row(session, _STATE, application=application_id)
    if found is not None and found.state is not ApplicationState.SUBMITTED:
        return None
    return listed(session, actor, application_id, now=now)


def listed(session: Session, actor: Actor, application_id: str, *, now: datetime) -> ApplicationRow:
    """An application as the work list has it. Raises NotPermitted, ApplicationNotFound."""
    actor.require(Permission.APPLICATION_REVIEW)
    row = session.get(Application, application_id)
    if row is None or row.submitted_at is None:
        raise ApplicationNotFound
    return _row(row, _reviewer(session, row), legal_date(now))


_NAME: Final = select(Account.name).where(Account.id == bindparam("account"))


def _reviewer(session: Session, row: Application) -> str | None:
    """The name of whoever has taken it up; None while nobody has."""
    if row.reviewer_id is None:
        return None
    return next((name for (name,) in rows(session, _NAME, account=row.reviewer_id)), None)


def work_list(
    session: Session,
    actor: Actor,
    *,
    state: ApplicationState | None = None,
    after: str = "",
    now: datetime,
) -> WorkList:
    """The office's applications: those that await its answer by their last day, then the others, newest
    first. state: those alone; None for what awaits an answer. after: `next` of the page before.

    Raises NotPermitted.
    """
    actor.require(Permission.APPLICATION_REVIEW)
    day, wanted = legal_date(now), {state} if state else ANSWER_AWAITED
    # What awaits an answer stands by its last day; what does not has none, and the newest comes first.
    order = (
        (Application.due_on, Application.submitted_at, Application.id)
        if wanted <= ANSWER_AWAITED
        else (Application.submitted_at.desc(), Application.id)
    )
    place = int(after) if after.isdecimal() else 0
    query = (
        select(Application, Account.name)
        .outerjoin(Account, Account.id == Application.reviewer_id)
        .where(Application.state.in_(wanted), Application.submitted_at.is_not(None))
        .order_by(*order)
        .offset(place)
        .limit(PAGE + 1)
    )
    found = session.execute(query).all()
    counting = (
        select(Application.state, func.count())
        .where(Application.submitted_at.is_not(None))
        .group_by(Application.state)
    )
    late = select(func.count()).select_from(Application).where(Application.due_on < day)
    return WorkList(
        items=[_row(row, name, day) for row, name in found[:PAGE]],
        counts=dict(session.execute(counting).all()),
        overdue=session.scalar(late) or 0,
        next=str(place + PAGE) if len(found) > PAGE else None,
    )


def waiting_recognitions(session: Session, actor: Actor) -> list[RecognitionRow]:
    """What waits for its second person, the longest first. Raises NotPermitted."""
    actor.require(Permission.RECOGNITION_CONFIRM)
    query = (
        select(TierRecognition, Account.name)
        .outerjoin(Account, Account.id == TierRecognition.verified_by)
        .where(TierRecognition.state == RecognitionState.VERIFIED)
        .order_by(TierRecognition.verified_at, TierRecognition.id)
    )
    return [
        RecognitionRow(
            id=row.id,
            tier=row.tier,
            verified_at=row.verified_at or row.claimed_at,
            verified_by=name or "",
            own=row.verified_by == actor.account_id,
        )
        for row, name in session.execute(query)
    ]


def for_confirmation(
    session: Session, actor: Actor, vault: Vault, recognition_id: str, *, now: datetime
) -> ConfirmationView:
    """A recognition as the second person opens it, with the trace of that for the talent.

    Raises NotPermitted, RecognitionNotFound.
    """
    actor.require(Permission.RECOGNITION_CONFIRM)
    row = recognitions.find(session, recognition_id)
    people.note_access(
        session,
        actor,
        row.talent_id,
        AccessPurpose.RECOGNITION_CONFIRMATION,
        {FieldGroup.HONOUR},
        application_id=row.application_id,
        now=now,
    )
    steps = recognitions.steps_of(session, row.id)
    view = _recognition(vault, row, steps, _Bases(session), legal_date(now))
    wanted = view.claim.wanted
    papers = applications.documents_of(session, row.application_id) if row.application_id else []
    return ConfirmationView(
        **view.model_dump(),
        application=row.application_id,
        documents=[_document(each) for each in papers if each.kind in wanted],
        own=recognitions.is_of(session, row, actor),
    )


def own_tier(session: Session, actor: Actor, vault: Vault, *, now: datetime) -> TierView:
    """One's own tier, and why. Raises NotPermitted."""
    return _tier(session, vault, people.of_account(session, actor).id, _Bases(session), now)


def _tier(session: Session, vault: Vault, talent: str, bases: "_Bases", now: datetime) -> TierView:
    day, code = legal_date(now), _code_of(session, talent)
    found = recognitions.of_talent(session, talent)
    steps = recognitions.steps_of_all(session, [row.id for row in found])
    return TierView(
        code=CodeView(state=code.state, tier=code.tier, issued_at=code.issued_at) if code else None,
        day=day,
        recognitions=[_recognition(vault, row, steps[row.id], bases, day) for row in found],
    )


def _code_of(session: Session, talent_id: str) -> TalentCode | None:
    try:
        return codes.live_of(session, talent_id)
    except CodeNotFound:
        return None


def _row(row: Application, name: str | None, day: date) -> ApplicationRow:
    return ApplicationRow(
        id=row.id,
        purpose=row.purpose,
        state=row.state,
        submitted_at=row.submitted_at or row.begun_at,
        due_on=row.due_on,
        overdue=row.due_on is not None and row.due_on < day,
        taken_up_by=name,
    )


def _view(session: Session, vault: Vault, row: Application, bases: "_Bases | None" = None) -> dict[str, Any]:
    """The fields of an ApplicationView."""
    entered, papers = applications.content(vault, row), applications.documents_of(session, row.id)
    steps = applications.steps_of(session, row.id)
    said = [applications.said_in(vault, step) for step in steps]
    return {
        "id": row.id,
        "purpose": row.purpose,
        "state": row.state,
        "begun_at": row.begun_at,
        "submitted_at": row.submitted_at,
        "due_on": row.due_on,
        "content": entered,
        "documents": [_document(each) for each in papers],
        "missing": entered.missing(row.purpose, frozenset(each.kind for each in papers)),
        "steps": _steps(steps, said, bases or _Bases(session)),
    }


def _document(row: ApplicationDocument) -> DocumentView:
    return DocumentView(
        id=row.id, kind=row.kind, media_type=row.media_type, size=row.size, added_at=row.added_at
    )


def _recognition(
    vault: Vault, row: TierRecognition, steps: Sequence[RecognitionStep], bases: "_Bases", day: date
) -> RecognitionView:
    said = [recognitions.said_in(vault, step) for step in steps]
    return RecognitionView(
        id=row.id,
        tier=row.tier,
        state=row.state,
        refused=row.state is RecognitionState.REVOKED and row.confirmed_at is None,
        starts_on=row.starts_on,
        last_day=row.fact.last_day,
        live=row.fact.is_live(day),
        claim=recognitions.claim_of(vault, row),
        steps=_steps(steps, said, bases),
    )


Step = ApplicationStep | RecognitionStep


_BASES: Final = select(
    InstrumentVersion.id, InstrumentVersion.instrument, InstrumentVersion.number, InstrumentVersion.title
).where(InstrumentVersion.id.in_(bindparam("versions", expanding=True)))


class _Bases:
    """What steps stand on; each version of an instrument is read once."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._versions: dict[str, Row[str, str, int, str]] = {}

    def of(self, step: Step) -> BasisView | None:
        if step.version_id is None or step.article is None:
            return None
        version = self._versions[step.version_id]
        return BasisView(
            instrument=version.instrument, number=version.number, title=version.title, article=step.article
        )

    def read(self, steps: Sequence[Step]) -> None:
        """Read the versions of these that were not read yet."""
        wanted = {step.version_id for step in steps if step.version_id} - self._versions.keys()
        if wanted:
            self._versions |= {row.id: row for row in rows(self._session, _BASES, versions=list(wanted))}


def _steps(steps: Sequence[Step], said: Iterable[dict[str, Any]], bases: _Bases) -> list[StepView]:
    bases.read(steps)
    shown = {"reason", "ground", "defects", "proved", "refused"}
    return [
        StepView(
            state=step.state.value,
            at=step.at,
            by_office=bool(step.organisation_id if isinstance(step, ApplicationStep) else step.account_id),
            basis=bases.of(step),
            **{name: value for name, value in spoken.items() if name in shown and value is not None},
        )
        for step, spoken in zip(steps, said, strict=True)
    ]
