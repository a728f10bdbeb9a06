"""What a counter may see of whoever was established there beyond surname and tier: what he consents to, when
it is asked for, for as long as the presentation lasts. Each look is kept for him (Article 11).
"""

from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from talentseal.accounts.roles import Actor
from talentseal.credentials import presentations
from talentseal.partners.counter import Place
from talentseal.talents import consents, people, photos
from talentseal.talents.models import AccessPurpose, FieldGroup, TalentCode
from talentseal.talents.pictures import Picture
from talentseal.vault import Vault


def picture(
    session: Session, actor: Actor, vault: Vault, place: Place, presentation_id: str, *, now: datetime
) -> Picture:
    """The photo of whoever was established. Only within a write.

    Raises NotPermitted, TerminalUnknown, PresentationRequired; PhotoNotFound without a photo or his consent.
    """
    talent, organisation = _established(session, actor, place, presentation_id, now)
    found = photos.picture_for(session, vault, talent, organisation)
    people.note_access(session, actor, talent, AccessPurpose.COUNTER_PHOTO, [], now=now)
    return found


def fields(
    session: Session, actor: Actor, vault: Vault, place: Place, presentation_id: str, *, now: datetime
) -> dict[FieldGroup, dict[str, Any]]:
    """Those groups of his fields that the counter's organisation is shown; often none. Only within a write.

    Raises NotPermitted, TerminalUnknown, PresentationRequired.
    """
    talent, organisation = _established(session, actor, place, presentation_id, now)
    groups = sorted(consents.groups_shown(session, talent, organisation))
    if groups:
        people.note_access(session, actor, talent, AccessPurpose.COUNTER_FIELDS, groups, now=now)
    return {group: people.fields_of(session, vault, talent, group) for group in groups}


def _established(
    session: Session, actor: Actor, place: Place, presentation_id: str, now: datetime
) -> tuple[str, str]:
    """Who was established, and the organisation at whose counter."""
    row = presentations.required(session, actor, place, presentation_id, now=now)
    return session.get_one(TalentCode, row.code_id).talent_id, row.organisation_id
