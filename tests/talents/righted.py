"""What pages of reviews and of people's rights show: one of each, in the world of some tests."""

import secrets

from sqlalchemy.orm import Session

from talentseal.accounts import demonstration
from talentseal.accounts.roles import Actor
from talentseal.clock import legal_date
from talentseal.policy.tiers import Tier
from talentseal.talents import (
    correcting,
    deciding,
    erasing,
    grants,
    objecting,
    people,
    recognitions,
    reviews,
)
from talentseal.talents.holdings import OWN
from talentseal.talents.models import AccessPurpose, FieldGroup, TalentCode
from talentseal.talents.objection_schemas import Against, FileObjection
from talentseal.talents.privacy_schemas import AskCorrection, GiveGrant
from talentseal.talents.review_models import ReviewCause
from talentseal.talents.review_schemas import AnswerReview, DecideReview, Verdict
from talentseal.talents.schemas import Refuse, Reject, RejectionGround
from talentseal.talents.tiers import RecognitionState
from tests.talents.conftest import PAPER, People, high, office


def righted(crowd: People, holder: Actor, auditor: str) -> dict[str, str]:
    """Names for `addresses.py`: the holder's own review, and what another has asked and answered.

    auditor: account that is given a grant.
    """
    other, now, vault = crowd.holder(), crowd.world.clock.now(), crowd.vault
    own, theirs = crowd.code(holder), crowd.code(other)
    wish = AskCorrection(group=FieldGroup.HONOUR, summary="虚构荣誉（演示）", explanation="先前漏填")

    objected, leaver = _objected(crowd, holder), crowd.holder()
    left = crowd.code(leaver)

    def write(session: Session) -> dict[str, str]:
        answered = _opened(session, theirs, crowd)
        said = AnswerReview(phone="13900000001", remark="已更换手机号（虚构）")
        reviews.answer(session, other, vault, answered, said, proofs=[PAPER], now=now)
        asked = correcting.ask(session, other, vault, wish, proofs=[PAPER], now=now)
        record = correcting.records_of(session, theirs.talent_id)[0]
        given = GiveGrant(
            auditor=auditor,
            about=record,
            groups=frozenset({FieldGroup.BASIC}),
            days=7,
            reason="年度抽查（虚构）",
        )
        groups = {FieldGroup.BASIC}
        people.note_access(session, office(), own.talent_id, AccessPurpose.REVIEW, groups, now=now)
        failed = _opened(session, left, crowd)
        reviews.answer(session, leaver, vault, failed, AnswerReview(remark="已离职（虚构）"), now=now)
        verdict = DecideReview(verdict=Verdict.FAILED, reason="已不在本区工作（虚构）")
        reviews.decide(session, office(), vault, failed, verdict, now=now)
        return {
            "failed": failed,
            "review": _opened(session, own, crowd),
            "answered": answered,
            "correction": asked.id,
            "objection": objected,
            "erasure": erasing.ask(session, other, holdings=OWN, now=now).id,
            "grant": grants.give(session, office(), vault, given, now=now).id,
        }

    return crowd.world.database.write(write)


def _objected(crowd: People, holder: Actor) -> str:
    """An objection to a rejection that waits; the holder himself has a refused recognition to object to."""
    now, vault = crowd.world.clock.now(), crowd.vault
    claim = high(Tier.HIGH_C)
    crowd.approve(crowd.taken_up(holder, claim=claim, papers=tuple(claim.wanted)), proved=claim.wanted)
    applicant = crowd.talent()
    row = crowd.taken_up(applicant)
    reject = Reject(ground=RejectionGround.NOT_PROVED, reason="劳动合同已过期（虚构）")

    def write(session: Session) -> str:
        newest = recognitions.of_talent(session, people.of_account(session, holder).id)
        waiting = next(each.id for each in newest if each.state is RecognitionState.VERIFIED)
        refuse = Refuse(reason="文号与名册不符（虚构）")
        recognitions.refuse(session, office(2), vault, waiting, refuse, now=now)
        deciding.reject(session, office(), vault, row.id, reject, now=now)
        said = FileObjection(against=Against.APPLICATION, id=row.id, text="合同已续签，附件第三页。（虚构）")
        return objecting.file(session, applicant, vault, said, now=now).id

    return crowd.world.database.write(write)


def reviewed(crowd: People) -> dict[str, str]:
    """Another holder's account, which can be played, and a review of his that is due."""
    talent = crowd.holder()
    code = crowd.code(talent)

    def write(session: Session) -> str:
        demonstration.cast_as(session, talent.account_id, 100 + secrets.randbelow(10**6), "虚构持有人")
        return _opened(session, code, crowd)

    return {"holder": talent.account_id, "review": crowd.world.database.write(write)}


def _opened(session: Session, code: TalentCode, crowd: People) -> str:
    """A review of that code which is due today."""
    now = crowd.world.clock.now()
    day = legal_date(now)
    row = reviews.make(code, ReviewCause.JOB_CHANGE, "sample", due_on=day, day=day, grace_days=30)
    session.add(row)
    session.flush()
    reviews.step(session, row, None, now=now)
    session.flush()
    return row.id
