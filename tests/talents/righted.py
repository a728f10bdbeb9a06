"""What pages of reviews and of people's rights show: one of each, in the world of some tests."""

import secrets

from sqlalchemy.orm import Session

from talentseal.accounts import demonstration
from talentseal.accounts.roles import Actor
from talentseal.clock import legal_date
from talentseal.talents import correcting, erasing, grants, people, reviews
from talentseal.talents.holdings import OWN
from talentseal.talents.models import AccessPurpose, FieldGroup, TalentCode
from talentseal.talents.privacy_schemas import AskCorrection, GiveGrant
from talentseal.talents.review_models import ReviewCause
from talentseal.talents.review_schemas import AnswerReview
from tests.talents.conftest import PAPER, People, office


def righted(crowd: People, holder: Actor, auditor: str) -> dict[str, str]:
    """Names for `addresses.py`: the holder's own review, and what another has asked and answered.

    auditor: account that is given a grant.
    """
    other, now, vault = crowd.holder(), crowd.world.clock.now(), crowd.vault
    own, theirs = crowd.code(holder), crowd.code(other)
    wish = AskCorrection(group=FieldGroup.HONOUR, summary="虚构荣誉（演示）", explanation="先前漏填")

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
        return {
            "review": _opened(session, own, crowd),
            "answered": answered,
            "correction": asked.id,
            "erasure": erasing.ask(session, other, holdings=OWN, now=now).id,
            "grant": grants.give(session, office(), vault, given, now=now).id,
        }

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
