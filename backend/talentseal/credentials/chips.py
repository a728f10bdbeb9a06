"""Chip cards prove themselves: a terminal puts a challenge, the chip answers it under its own secret.

A challenge is for one terminal and lives a minute. Any answer uses it up, right or wrong, in the transaction
in which it is judged.
"""

import secrets
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import delete, update
from sqlalchemy.orm import Session

from talentseal.credentials import cards, challenges, profiles
from talentseal.credentials.card_models import CardChallenge, CardProof, TalentCard
from talentseal.credentials.cards import CardFound
from talentseal.credentials.master_keys import MasterKeys
from talentseal.credentials.refusals import Refusal
from talentseal.errors import Conflict
from talentseal.partners.counter import Counter
from talentseal.vault import Vault

LIFETIME: Final = timedelta(seconds=60)
KEPT: Final = timedelta(days=1)
"""How long a challenge is kept; longer than a minute only so that a late answer is told what it is."""


class CardWithoutChip(Conflict):
    code = "card-without-chip"
    zh = "该卡没有芯片，不能应答质询。请按静态卡办理。"
    en = "This card has no chip and answers no challenge; serve it as a static card."


def put(
    session: Session, keys: MasterKeys, counter: Counter, sent: str, *, now: datetime
) -> CardChallenge | Refusal:
    """A challenge for the card that was swiped at this counter. Raises CardWithoutChip."""
    presented = profiles.presented(sent)
    found = (
        presented
        if isinstance(presented, Refusal)
        else cards.find_for_swipe(session, keys, presented, now=now)
    )
    if isinstance(found, Refusal):
        return found
    if found.card.proof is not CardProof.CHIP:
        raise CardWithoutChip
    row = CardChallenge(
        id=secrets.token_hex(16),
        card_id=found.card.id,
        terminal_id=counter.terminal,
        challenge=challenges.new(),
        issued_at=now,
    )
    session.add(row)
    session.flush()
    return row


def answer(
    session: Session, vault: Vault, counter: Counter, challenge_id: str, response: bytes, *, now: datetime
) -> CardFound | Refusal:
    """The card whose chip answered the challenge rightly, if it can be used now. response: 16 bytes.

    Only within a write that is committed whatever comes of it: a wrong answer uses the challenge up too.
    """
    used = (
        update(CardChallenge)
        .where(
            CardChallenge.id == challenge_id,
            CardChallenge.terminal_id == counter.terminal,
            CardChallenge.answered_at.is_(None),
        )
        .values(answered_at=now)
        .returning(CardChallenge.card_id, CardChallenge.challenge, CardChallenge.issued_at)
    )
    met = session.execute(used.execution_options(synchronize_session=False)).one_or_none()
    if met is None:
        row = session.get(CardChallenge, challenge_id)
        known = row is not None and row.terminal_id == counter.terminal
        return Refusal.TOKEN_USED if known else Refusal.TOKEN_FORGED
    card_id, challenge, issued_at = met
    if now - issued_at > LIFETIME:
        return Refusal.TOKEN_EXPIRED
    card = session.get_one(TalentCard, card_id)
    if not challenges.is_answered(cards.secret_of(vault, card), card.card_ref or b"", challenge, response):
        return Refusal.TOKEN_FORGED
    return cards.usable(session, TalentCard.id == card_id, now=now, proved=True)


def forget(session: Session, *, now: datetime) -> None:
    """Delete the challenges of yesterday and before."""
    session.execute(delete(CardChallenge).where(CardChallenge.issued_at < now - KEPT))
