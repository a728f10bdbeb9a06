"""What the service holds of a person, part by part: how each is told to him, and how it is destroyed.

A feature that keeps something of people adds a Holding; the composition root puts them together. So whoever
asks for his data is told everything, and whoever leaves is forgotten everywhere.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Select, delete, func, select, update
from sqlalchemy.orm import Session

from talentseal.accounts.models import Organisation
from talentseal.talents import applications, correcting, objecting, papers, recognitions, reviews
from talentseal.talents.models import (
    ERASED,
    Application,
    ApplicationDocument,
    ApplicationStep,
    CodeState,
    CodeStep,
    RecognitionStep,
    TalentCode,
    TalentFields,
    TierChange,
    TierRecognition,
    place_of,
)
from talentseal.talents.objection_models import ObjectionState
from talentseal.talents.people import fields_of
from talentseal.talents.privacy_models import (
    TalentConsent,
    TalentCorrection,
    TalentErasure,
    TalentPaper,
    TalentPhoto,
)
from talentseal.talents.review_models import ReviewReminder, ReviewStep, ReviewTask
from talentseal.vault import Vault

Told = list[dict[str, Any]]


def _no_records(_session: Session, _talent_id: str) -> Sequence[str]:
    return ()


def _never(_session: Session, _talent_id: str, _now: datetime) -> bool:
    return False


def _nothing_sealed(_session: Session, _vault: Vault, _talent_id: str, _now: datetime) -> int:
    return 0


@dataclass(frozen=True, slots=True)
class Holding:
    """One kind of thing that is held of a person.

    tell: everything of it in plain, as JSON values. records: numbers of the log's records about him.
    destroy: destroys what is sealed and answers how many contents those were; may be repeated.
    is_open: whether something is undecided, so that he cannot be forgotten yet.
    """

    name: str
    tell: Callable[[Session, Vault, str], Told]
    records: Callable[[Session, str], Sequence[str]] = _no_records
    destroy: Callable[[Session, Vault, str, datetime], int] = _nothing_sealed
    is_open: Callable[[Session, str, datetime], bool] = _never


def _fields(session: Session, vault: Vault, talent_id: str) -> Told:
    rows = session.scalars(select(TalentFields).where(TalentFields.talent_id == talent_id)).all()
    return [
        {
            "group": row.group.value,
            "values": fields_of(session, vault, talent_id, row.group),
            "source": row.source.value,
            "entered_at": instant(row.entered_at),
            "verified_at": instant(row.verified_at),
            "organisation_agreed_at": instant(row.organisation_agreed_at),
        }
        for row in rows
    ]


def _destroy_fields(session: Session, _vault: Vault, talent_id: str, _now: datetime) -> int:
    return _deleted(session, TalentFields, TalentFields.talent_id == talent_id)


def _codes(session: Session, _vault: Vault, talent_id: str) -> Told:
    rows = session.scalars(select(TalentCode).where(TalentCode.talent_id == talent_id)).all()
    return [
        {
            "id": row.id,
            "state": row.state.value,
            "tier": row.tier.value,
            "issued_at": instant(row.issued_at),
            "ended_at": instant(row.ended_at),
            "steps": [
                {"state": step.state.value, "at": instant(step.at)}
                for step in session.scalars(
                    select(CodeStep).where(CodeStep.code_id == row.id).order_by(CodeStep.number)
                )
            ],
            "tier_changes": [
                {
                    "before": change.before.value if change.before else None,
                    "after": change.after.value,
                    "at": instant(change.at),
                    "record": change.record_id,
                }
                for change in session.scalars(
                    select(TierChange).where(TierChange.code_id == row.id).order_by(TierChange.at)
                )
            ],
        }
        for row in rows
    ]


def _applications(session: Session, vault: Vault, talent_id: str) -> Told:
    rows = session.scalars(select(Application).where(Application.talent_id == talent_id)).all()
    return [
        {
            "id": row.id,
            "purpose": row.purpose.value,
            "state": row.state.value,
            "begun_at": instant(row.begun_at),
            "submitted_at": instant(row.submitted_at),
            "content": applications.content(vault, row).model_dump(mode="json"),
            "documents": [
                {
                    "id": each.id,
                    "kind": each.kind.value,
                    "media_type": each.media_type,
                    "size": each.size,
                    "added_at": instant(each.added_at),
                    "address": f"/me/export/applications/{row.id}/documents/{each.id}",
                }
                for each in applications.documents_of(session, row.id)
            ],
            "steps": [
                {"state": step.state.value, "at": instant(step.at), "said": _without_shape(vault, step)}
                for step in applications.steps_of(session, row.id)
            ],
        }
        for row in rows
    ]


def _without_shape(vault: Vault, step: ApplicationStep) -> dict[str, Any]:
    return {name: value for name, value in applications.said_in(vault, step).items() if name != "shape"}


def _is_suspended(session: Session, talent_id: str, _now: datetime) -> bool:
    suspended = (TalentCode.talent_id == talent_id) & (TalentCode.state == CodeState.SUSPENDED)
    return session.scalar(select(TalentCode.id).where(suspended).limit(1)) is not None


def _destroy_applications(session: Session, vault: Vault, talent_id: str, _now: datetime) -> int:
    mine = select(Application.id).where(Application.talent_id == talent_id)
    done = _deleted(session, ApplicationDocument, ApplicationDocument.application_id.in_(mine))
    done += unsealed(session, ApplicationStep, ApplicationStep.application_id.in_(mine))
    for row in session.scalars(select(Application).where(Application.talent_id == talent_id)):
        row.sealed, row.identity_digest = vault.seal(place_of("application", row.id), ERASED), None
        done += 1
    return done


def _recognitions(session: Session, vault: Vault, talent_id: str) -> Told:
    return [
        {
            "id": row.id,
            "tier": row.tier.value,
            "state": row.state.value,
            "starts_on": row.starts_on.isoformat(),
            "valid_through": row.valid_through.isoformat() if row.valid_through else None,
            "claim": recognitions.claim_of(vault, row).model_dump(mode="json"),
            "steps": [
                {
                    "state": step.state.value,
                    "at": instant(step.at),
                    "said": recognitions.said_in(vault, step),
                }
                for step in recognitions.steps_of(session, row.id)
            ],
        }
        for row in recognitions.of_talent(session, talent_id)
    ]


def _destroy_recognitions(session: Session, vault: Vault, talent_id: str, _now: datetime) -> int:
    mine = select(TierRecognition.id).where(TierRecognition.talent_id == talent_id)
    done = unsealed(session, RecognitionStep, RecognitionStep.recognition_id.in_(mine))
    for row in recognitions.of_talent(session, talent_id):
        row.sealed = vault.seal(place_of("tier_recognition", row.id), ERASED)
        done += 1
    return done


def _reviews(session: Session, vault: Vault, talent_id: str) -> Told:
    rows = session.scalars(select(ReviewTask).where(ReviewTask.talent_id == talent_id)).all()
    reminders = select(ReviewReminder.on).order_by(ReviewReminder.on)
    return [
        {
            "id": row.id,
            "cause": row.cause.value,
            "state": row.state.value,
            "opened_on": row.opened_on.isoformat(),
            "due_on": row.due_on.isoformat(),
            "answer_by": row.answer_by.isoformat(),
            "reminded_on": [
                day.isoformat()
                for day in session.scalars(reminders.where(ReviewReminder.review_id == row.id))
            ],
            "documents": [each.model_dump(mode="json") for each in papers.of(session, review_id=row.id)],
            "steps": [
                {"state": step.state.value, "at": instant(step.at), "said": reviews.said_in(vault, step)}
                for step in reviews.steps_of(session, row.id)
            ],
        }
        for row in rows
    ]


def _destroy_reviews(session: Session, _vault: Vault, talent_id: str, _now: datetime) -> int:
    mine = select(ReviewTask.id).where(ReviewTask.talent_id == talent_id)
    return unsealed(session, ReviewStep, ReviewStep.review_id.in_(mine))


def _consents(session: Session, _vault: Vault, talent_id: str) -> Told:
    query = (
        select(TalentConsent, Organisation.name)
        .join(Organisation, Organisation.id == TalentConsent.organisation_id)
        .where(TalentConsent.talent_id == talent_id)
    )
    return [
        {
            "organisation": row.organisation_id,
            "organisation_name": name,
            "scope": row.scope.value,
            "notice_version": row.notice_version,
            "given_at": instant(row.given_at),
            "withdrawn_at": instant(row.withdrawn_at),
        }
        for row, name in session.execute(query.order_by(TalentConsent.given_at))
    ]


def _corrections(session: Session, vault: Vault, talent_id: str) -> Told:
    query = select(TalentCorrection).where(TalentCorrection.talent_id == talent_id)
    rows = session.scalars(query.order_by(TalentCorrection.asked_at)).all()
    return [correcting.view_of(session, vault, row).model_dump(mode="json") for row in rows]


def _photo(session: Session, _vault: Vault, talent_id: str) -> Told:
    row = session.get(TalentPhoto, talent_id)
    if row is None:
        return []
    return [
        {
            "media_type": row.media_type,
            "size": row.size,
            "added_at": instant(row.put_at),
            "address": "/me/photo/picture",
        }
    ]


def _destroy_photo(session: Session, _vault: Vault, talent_id: str, _now: datetime) -> int:
    return _deleted(session, TalentPhoto, TalentPhoto.talent_id == talent_id)


def _destroy_corrections(session: Session, vault: Vault, talent_id: str, _now: datetime) -> int:
    done = _deleted(session, TalentPaper, TalentPaper.talent_id == talent_id)
    for row in session.scalars(select(TalentCorrection).where(TalentCorrection.talent_id == talent_id)):
        row.sealed = vault.seal(place_of("talent_correction", row.id), ERASED)
        done += 1
    return done


def _erasures(session: Session, _vault: Vault, talent_id: str) -> Told:
    query = select(TalentErasure).where(TalentErasure.talent_id == talent_id)
    return [
        {"state": row.state.value, "asked_at": instant(row.asked_at), "decided_at": instant(row.decided_at)}
        for row in session.scalars(query.order_by(TalentErasure.asked_at))
    ]


def _destroy_erasures(session: Session, _vault: Vault, talent_id: str, _now: datetime) -> int:
    said = (TalentErasure.talent_id == talent_id) & TalentErasure.sealed.is_not(None)
    return unsealed(session, TalentErasure, said)


def _objections(session: Session, vault: Vault, talent_id: str) -> Told:
    return [
        {
            "id": row.id,
            "state": row.state.value,
            "asked_at": instant(row.filed_at),
            "due_on": row.due_on.isoformat(),
            "decided_at": instant(row.answered_at),
            **objecting.said_in(vault, row),
        }
        for row in objecting.of_talent(session, talent_id)
    ]


def _destroy_objections(session: Session, vault: Vault, talent_id: str, now: datetime) -> int:
    rows = objecting.of_talent(session, talent_id)
    for row in rows:
        row.sealed = vault.seal(place_of("objection", row.id), ERASED)
        if row.state is ObjectionState.FILED:
            row.state, row.answered_at = ObjectionState.WITHDRAWN, now
    session.flush()
    return len(rows)


OWN: Final = (
    Holding("fields", _fields, destroy=_destroy_fields),
    Holding("codes", _codes, records=correcting.records_of, is_open=_is_suspended),
    Holding("applications", _applications, destroy=_destroy_applications),
    Holding("recognitions", _recognitions, destroy=_destroy_recognitions),
    Holding("reviews", _reviews, destroy=_destroy_reviews),
    Holding("consents", _consents),
    Holding("photo", _photo, destroy=_destroy_photo),
    Holding("corrections", _corrections, destroy=_destroy_corrections),
    Holding("objections", _objections, destroy=_destroy_objections),
    Holding("erasures", _erasures, destroy=_destroy_erasures),
)
"""What talents/ itself holds."""


def codes_of(talent_id: str) -> Select[str]:
    """The ids of every code somebody has or had."""
    return select(TalentCode.id).where(TalentCode.talent_id == talent_id)


def _deleted(session: Session, table: Any, mine: Any) -> int:
    count = session.scalar(select(func.count()).select_from(table).where(mine)) or 0
    session.execute(delete(table).where(mine))
    return count


def unsealed(session: Session, table: Any, mine: Any) -> int:
    """Set what is sealed in rows that are kept to nothing; how many those were."""
    sealed = mine & table.sealed.is_not(None)
    count = session.scalar(select(func.count()).select_from(table).where(sealed)) or 0
    session.execute(update(table).where(sealed).values(sealed=None))
    return count


def instant(value: datetime | None) -> str | None:
    """A time as it is told: RFC 3339 in UTC."""
    return value.isoformat().replace("+00:00", "Z") if value else None
