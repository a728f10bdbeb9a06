"""What cases hold of a person, told to him and destroyed when he leaves (`talents.holdings`).

While something is undecided or can be appealed against, he cannot be forgotten: it is his case too.
"""

from datetime import datetime
from typing import Final

from sqlalchemy import delete, func, or_, select
from sqlalchemy.orm import Session

from talentseal.clock import legal_date
from talentseal.sanctions import cases, facts, terminations
from talentseal.sanctions.models import (
    CaseStep,
    Fact,
    Finding,
    SuspensionCase,
    TerminationCase,
    TerminationStep,
)
from talentseal.sanctions.states import TerminationState
from talentseal.talents.holdings import Holding, Told, codes_of, instant, unsealed
from talentseal.vault import Vault


def _facts(session: Session, vault: Vault, talent_id: str) -> Told:
    query = select(Fact).where(Fact.code_id.in_(codes_of(talent_id)))
    return [
        {
            "trigger": row.trigger.value,
            "occurred_at": instant(row.occurred_at),
            "source": row.source.value,
            "note": facts.note_of(vault, row),
            "cured_at": instant(row.cured_at),
        }
        for row in session.scalars(query.order_by(Fact.occurred_at))
    ]


def _destroy_facts(session: Session, _vault: Vault, talent_id: str, _now: datetime) -> int:
    return unsealed(session, Fact, Fact.code_id.in_(codes_of(talent_id)))


def _suspensions(session: Session, vault: Vault, talent_id: str) -> Told:
    query = select(SuspensionCase).where(SuspensionCase.code_id.in_(codes_of(talent_id)))
    return [
        {
            "id": row.id,
            "state": row.state.value,
            "opened_at": instant(row.opened_at),
            "suspended_through": row.suspended_through.isoformat() if row.suspended_through else None,
            "steps": [
                {"act": step.act.value, "at": instant(step.at), "said": cases.said_in(vault, step)}
                for step in cases.steps_of(session, row.id)
            ],
        }
        for row in session.scalars(query.order_by(SuspensionCase.opened_at)).all()
    ]


def _suspension_records(session: Session, talent_id: str) -> list[str]:
    query = select(SuspensionCase.record_id, SuspensionCase.lifting_record_id)
    rows = session.execute(query.where(SuspensionCase.code_id.in_(codes_of(talent_id))))
    return [number for row in rows for number in row if number is not None]


def _destroy_suspensions(session: Session, _vault: Vault, talent_id: str, _now: datetime) -> int:
    mine = select(SuspensionCase.id).where(SuspensionCase.code_id.in_(codes_of(talent_id)))
    return unsealed(session, CaseStep, CaseStep.case_id.in_(mine))


def _is_suspension_open(session: Session, talent_id: str, _now: datetime) -> bool:
    mine = SuspensionCase.code_id.in_(codes_of(talent_id))
    query = select(SuspensionCase.id).where(mine, SuspensionCase.closed_at.is_(None)).limit(1)
    return session.scalar(query) is not None


def _terminations(session: Session, vault: Vault, talent_id: str) -> Told:
    query = select(TerminationCase).where(TerminationCase.code_id.in_(codes_of(talent_id)))
    return [
        {
            "id": row.id,
            "ground": row.ground.value,
            "state": row.state.value,
            "proposed_at": instant(row.proposed_at),
            "effective_on": row.effective_on.isoformat() if row.effective_on else None,
            "findings": [
                {**each.model_dump(mode="json"), "address": f"/me/terminations/{row.id}/findings/{each.id}"}
                for each in terminations.findings_of(session, vault, row.id)
                if row.statement_from is not None
            ],
            "steps": [
                {"act": step.act.value, "at": instant(step.at), "said": terminations.said_in(vault, step)}
                for step in terminations.steps_of(session, row.id)
            ],
        }
        for row in session.scalars(query.order_by(TerminationCase.proposed_at)).all()
    ]


def _termination_records(session: Session, talent_id: str) -> list[str]:
    query = select(TerminationCase.record_id, TerminationCase.annulment_record_id)
    rows = session.execute(query.where(TerminationCase.code_id.in_(codes_of(talent_id))))
    return [number for row in rows for number in row if number is not None]


def _destroy_terminations(session: Session, _vault: Vault, talent_id: str, _now: datetime) -> int:
    mine = select(TerminationCase.id).where(TerminationCase.code_id.in_(codes_of(talent_id)))
    found = Finding.termination_id.in_(mine)
    count = session.scalar(select(func.count()).select_from(Finding).where(found)) or 0
    session.execute(delete(Finding).where(found))
    return 2 * count + unsealed(session, TerminationStep, TerminationStep.termination_id.in_(mine))


def _is_termination_open(session: Session, talent_id: str, now: datetime) -> bool:
    mine = TerminationCase.code_id.in_(codes_of(talent_id))
    settled = TerminationCase.appeal_through < legal_date(now)
    decided = TerminationCase.state == TerminationState.DECIDED
    is_over = or_(TerminationCase.closed_at.is_not(None), decided & settled)
    return session.scalar(select(TerminationCase.id).where(mine, ~is_over).limit(1)) is not None


HOLDINGS: Final = (
    Holding("facts", _facts, destroy=_destroy_facts),
    Holding(
        "suspensions",
        _suspensions,
        records=_suspension_records,
        destroy=_destroy_suspensions,
        is_open=_is_suspension_open,
    ),
    Holding(
        "terminations",
        _terminations,
        records=_termination_records,
        destroy=_destroy_terminations,
        is_open=_is_termination_open,
    ),
)
