"""What pages of complaints and breaches are to show, entered once for a whole run."""

import secrets
from collections.abc import Callable
from datetime import date, datetime
from typing import Any

from sqlalchemy.orm import Session

from talentseal.accounts.roles import Actor
from talentseal.agreements import duties
from talentseal.agreements.duty_schemas import Allege
from talentseal.benefits.models import Benefit, BenefitState, BenefitVersion, Category, QuotaPeriod
from talentseal.complaints import service
from talentseal.complaints.schemas import FileComplaint, Say
from talentseal.complaints.states import ComplaintKind
from talentseal.redemptions.models import Redemption, RedemptionState
from talentseal.talents.models import TalentCode
from tests.talents.conftest import People, office


def complained(
    crowd: People, bank: Actor, merchant: Actor, holder: Actor, *, agreement: str, version: int
) -> dict[str, str]:
    """Names that addresses are filled with.

    complaint: one that the bank is to answer; answered: one that the holder may contest; disputed: one that
    the office is to decide; breach: of the bank's duty, the second of the agreement, not decided yet;
    redemption: a use of a benefit that the holder may rate.
    """
    now, vault, code = crowd.world.clock.now(), crowd.vault, crowd.code(holder)

    def filed(session: Session, steps: int) -> str:
        said = {
            "organisation": bank.organisation_id,
            "kind": ComplaintKind.SLOW,
            "text": "等了两小时（虚构）",
        }
        command, told = FileComplaint.model_validate(said), Say(text="已加派人手（虚构）")
        row = service.file(session, holder, vault, command, now=now)
        acts: tuple[Callable[[], object], ...] = (
            lambda: service.accept(session, bank, row.id, now=now),
            lambda: service.process(session, bank, row.id, now=now),
            lambda: service.answer(session, bank, vault, row.id, told, now=now),
            lambda: service.reopen(session, holder, vault, row.id, told, now=now),
            lambda: service.escalate(session, office(), row.id, now=now),
        )
        for act in acts[:steps]:
            act()
        return row.id

    def work(session: Session) -> dict[str, str]:
        alleged = Allege(
            agreement=agreement, version=version, position=1, reference="虚构-1", text="未按时答复（虚构）"
        )
        return {
            "complaint": filed(session, 2),
            "answered_complaint": filed(session, 3),
            "disputed": filed(session, 5),
            "breach": duties.allege(session, merchant, vault, alleged, now=now).id,
            "redemption": used(session, code, bank.organisation_id, now=now).id,
            "bank": bank.organisation_id,
        }

    return crowd.world.database.write(work)


def used(
    session: Session,
    code: TalentCode,
    organisation_id: str,
    state: RedemptionState = RedemptionState.COMPLETED,
    *,
    now: datetime,
    benefit: dict[str, Any] | None = None,
    **more: Any,
) -> Redemption:
    """One use of a fresh benefit by the code's holder. benefit, more: of the version and the redemption."""
    offered = Benefit(
        id=secrets.token_hex(16),
        organisation_id=organisation_id,
        number=secrets.token_hex(4),
        category=Category.FINANCIAL,
        created_at=now,
    )
    version = _version(offered, now, benefit or {})
    row = Redemption(
        id=secrets.token_hex(16),
        version_id=version.id,
        talent_id=code.talent_id,
        talent_ref=secrets.token_hex(16),
        code_id=code.id,
        organisation_id=organisation_id,
        tier=code.tier,
        quantity=1,
        value_fen=1000,
        subsidy_fen=0,
        period="2026",
        state=state,
        made_at=now,
        completed_at=None if state is RedemptionState.RESERVED else now,
        **more,
    )
    for each in (offered, version, row):
        session.add(each)
        session.flush()
    return row


def _version(benefit: Benefit, now: datetime, changes: dict[str, Any]) -> BenefitVersion:
    return BenefitVersion(
        id=secrets.token_hex(16),
        benefit_id=benefit.id,
        number=1,
        state=BenefitState.PUBLISHED,
        title="人才专属贷款（虚构）",
        text="虚构",
        starts_on=date(2026, 11, 1),
        ends_on=date(2027, 10, 31),
        showings="CODE",
        quota_period=QuotaPeriod.YEAR,
        subsidy_bp=0,
        low_risk=False,
        regulated=False,
        reversal_minutes=60,
        proposed_by="maker",
        proposed_at=now,
        **changes,
    )
