"""A holder's photo: put there by himself, sealed, shown at the counters of those whom he lets see it.

One at a time. Before it is sealed everything but the picture is taken off it (`pictures`), so that nobody is
handed where or with what it was taken.
"""

from datetime import datetime
from typing import Any, Final

from pydantic import BaseModel
from sqlalchemy import BindParameter, ColumnElement, bindparam, exists
from sqlalchemy.orm import Session

from talentseal.accounts.roles import Actor
from talentseal.errors import Invalid, NotFound
from talentseal.talents import consents, people, pictures
from talentseal.talents.models import Talent, TalentCode, place_of
from talentseal.talents.pictures import Picture
from talentseal.talents.privacy_models import ConsentScope, TalentPhoto
from talentseal.vault import Vault

PHOTO_LIMIT: Final = 512 * 1024
"""Bytes of a photo as it is sent."""


class PhotoRefused(Invalid):
    code = "photo-refused"
    zh = "只接受 JPEG 或 PNG 照片，不超过 {kilobytes} kB，每边 {shortest} 至 {longest} 像素。请另选一张。"
    en = "Only a JPEG or PNG of up to {kilobytes} kB is taken, {shortest} to {longest} pixels a side."


class PhotoNotFound(NotFound):
    """One for every cause, so that nobody learns whether there is one."""

    code = "photo-not-found"
    zh = "没有可以显示的照片。"
    en = "There is no photo that can be shown."


class PhotoView(BaseModel):
    """The photo as its holder is told of it. width, height: pixels; size: bytes."""

    media_type: str
    width: int
    height: int
    size: int
    put_at: datetime

    @classmethod
    def of(cls, row: TalentPhoto) -> "PhotoView":
        return cls(
            media_type=row.media_type, width=row.width, height=row.height, size=row.size, put_at=row.put_at
        )


def put(session: Session, actor: Actor, vault: Vault, plain: bytes, *, now: datetime) -> TalentPhoto:
    """Keep a photo of oneself, in place of the one before. Raises NotPermitted, PhotoRefused."""
    talent = people.of_account(session, actor)
    picture = pictures.cleaned(plain) if len(plain) <= PHOTO_LIMIT else None
    if picture is None:
        raise PhotoRefused(kilobytes=PHOTO_LIMIT >> 10, shortest=pictures.SHORTEST, longest=pictures.LONGEST)
    session.get(Talent, talent.id, with_for_update=True)  # two that put one at once follow one another
    row = TalentPhoto(
        talent_id=talent.id,
        media_type=picture.media_type,
        width=picture.width,
        height=picture.height,
        size=len(picture.content),
        sealed=vault.seal(_place(talent.id), picture.content),
        put_at=now,
    )
    kept = session.merge(row)
    session.flush()
    return kept


def remove(session: Session, actor: Actor) -> None:
    """Destroy one's photo; to do it twice changes nothing. Raises NotPermitted."""
    row = session.get(TalentPhoto, people.of_account(session, actor).id, with_for_update=True)
    if row is not None:
        session.delete(row)
        session.flush()


def own(session: Session, actor: Actor) -> TalentPhoto | None:
    """One's photo; None while there is none. Raises NotPermitted."""
    return session.get(TalentPhoto, people.of_account(session, actor).id)


def own_picture(session: Session, actor: Actor, vault: Vault) -> Picture:
    """One's photo to be seen. Raises NotPermitted, PhotoNotFound."""
    return _opened(vault, own(session, actor))


def picture_for(session: Session, vault: Vault, talent_id: str, organisation_id: str) -> Picture:
    """Somebody's photo, if he consents now to that organisation's seeing it. Raises PhotoNotFound."""
    if not consents.given(session, talent_id, organisation_id, ConsentScope.PHOTO):
        raise PhotoNotFound
    return _opened(vault, session.get(TalentPhoto, talent_id))


def is_shown(organisation: BindParameter[Any]) -> ColumnElement[bool]:
    """In a query of codes: whether the organisation is shown the holder's photo now."""
    scope: BindParameter[Any] = bindparam("photo", ConsentScope.PHOTO.value)
    kept = exists().where(TalentPhoto.talent_id == TalentCode.talent_id)
    return kept & consents.holds(TalentCode.talent_id, organisation, scope)


def _opened(vault: Vault, row: TalentPhoto | None) -> Picture:
    if row is None:
        raise PhotoNotFound
    content = vault.open(_place(row.talent_id), row.sealed)
    return Picture(row.media_type, row.width, row.height, content)


def _place(talent_id: str) -> str:
    return place_of("talent_photo", talent_id)
