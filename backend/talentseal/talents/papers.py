"""Documents that holders add to reviews and corrections: sealed, read by themselves and the office alone."""

import secrets
from collections.abc import Sequence
from datetime import datetime
from typing import Final

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from talentseal.db import rows
from talentseal.errors import NotFound
from talentseal.talents.applications import DOCUMENT_LIMIT, DOCUMENTS_LIMIT, DocumentRefused, media_type_of
from talentseal.talents.models import place_of
from talentseal.talents.privacy_models import TalentPaper
from talentseal.talents.privacy_schemas import PaperView
from talentseal.vault import Vault


class PaperNotFound(NotFound):
    code = "paper-not-found"
    zh = "没有找到该材料，或您无权查看。请核对编号。"
    en = "There is no such document, or it is not yours to see; check the number."


def add(
    session: Session,
    vault: Vault,
    talent_id: str,
    contents: Sequence[bytes],
    *,
    review_id: str | None = None,
    correction_id: str | None = None,
    now: datetime,
) -> None:
    """Seal documents, at most DOCUMENTS_LIMIT of DOCUMENT_LIMIT bytes. Raises DocumentRefused."""
    media = [media_type_of(each) for each in contents]
    too_long = any(len(each) > DOCUMENT_LIMIT for each in contents)
    if None in media or too_long or len(contents) > DOCUMENTS_LIMIT:
        raise DocumentRefused(megabytes=DOCUMENT_LIMIT >> 20, count=DOCUMENTS_LIMIT)
    for content, kind in zip(contents, media, strict=True):
        identifier = secrets.token_hex(16)
        row = TalentPaper(
            id=identifier,
            talent_id=talent_id,
            review_id=review_id,
            correction_id=correction_id,
            media_type=kind or "",
            size=len(content),
            sealed=vault.seal(place_of("talent_paper", identifier), content),
            added_at=now,
        )
        session.add(row)
    session.flush()


_PAPERS: Final = select(
    TalentPaper.id, TalentPaper.media_type, TalentPaper.size, TalentPaper.added_at
).order_by(TalentPaper.added_at, TalentPaper.id)
_OF_REVIEW: Final = _PAPERS.where(TalentPaper.review_id == bindparam("review"))
_OF_CORRECTION: Final = _PAPERS.where(TalentPaper.correction_id == bindparam("correction"))


def of(
    session: Session, *, review_id: str | None = None, correction_id: str | None = None
) -> list[PaperView]:
    """The documents of a review or a correction, in the order in which they came, without their bytes."""
    found = (
        rows(session, _OF_REVIEW, review=review_id)
        if review_id
        else rows(session, _OF_CORRECTION, correction=correction_id)
    )
    return [
        PaperView(id=paper, media_type=media_type, size=size, added_at=added_at)
        for paper, media_type, size, added_at in found
    ]


def one(
    session: Session, paper_id: str, *, review_id: str | None = None, correction_id: str | None = None
) -> TalentPaper:
    """A document of a review or a correction that the caller may open. Raises PaperNotFound."""
    row = session.get(TalentPaper, paper_id)
    if row is None or (row.review_id, row.correction_id) != (review_id, correction_id):
        raise PaperNotFound
    return row


def plain_of(vault: Vault, row: TalentPaper) -> bytes:
    """The document's bytes."""
    return vault.open(place_of("talent_paper", row.id), row.sealed)
