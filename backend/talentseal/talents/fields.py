"""Changing what is known of a person, after a review or a correction that an office decided."""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from talentseal.talents import people
from talentseal.talents.models import FieldGroup, Source, TalentFields, place_of
from talentseal.vault import Vault


def change(
    session: Session,
    vault: Vault,
    talent_id: str,
    group: FieldGroup,
    fields: Mapping[str, Any],
    *,
    by: str,
    organisation_agreed: bool = False,
    now: datetime,
) -> dict[str, Any]:
    """Put new values beside the group's others; what stood there before.

    by: account that held them against their proof. organisation_agreed: ORG_… only, whether the organisation
    whose project it is allowed its use; a change that does not say so ends an earlier permission.
    """
    before = people.fields_of(session, vault, talent_id, group)
    text = json.dumps({**before, **fields}, ensure_ascii=False, sort_keys=True)
    row = TalentFields(
        talent_id=talent_id,
        group=group,
        sealed=vault.seal(place_of("talent_fields", talent_id, group.value), text.encode()),
        source=Source.SUBMITTED,
        entered_at=now,
        verified_by=by,
        verified_at=now,
        organisation_agreed_at=now if organisation_agreed else None,
    )
    session.merge(row)
    session.flush()
    return before
