"""Somebody shows his code at a counter, and is established there or refused (Article 11).

The checks, of which the first that fails gives the answer:

    1  who asks      terminal, outlet and staff belong together; otherwise nothing is looked at, nothing burnt
    2  the text      prefix, length, alphabet; of a number its check digit
    3  the MAC       before any table is asked; of a number, which has none, whether it was minted
    4  the age       65 s; ten minutes for one that was minted to be shown without a network
    5  the burn      an insert that one transaction can make, at its end
    6  the code      ACTIVE
    7  the device    still bound, still signed in, and this the last that was minted on it, or an offline one

What a token was burnt for stays: a refusal by 6 or 7 has used it up. So a refusal is an answer and not an
exception, for it has to be committed; whoever asked is told of it afterwards (`Refused.error`).

All in one transaction, in which a redemption may follow. What 6 and 7 look at is read before the burn, so
that the burn is written with what came of it; the burn decides first all the same.
"""

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import ColumnElement, LargeBinary, Row, and_, bindparam, insert, select
from sqlalchemy.orm import Session

from talentseal.accounts.models import WebSession
from talentseal.accounts.roles import Actor
from talentseal.credentials import cards, chips, profiles, tc1, tcn
from talentseal.credentials.card_models import CardChallenge
from talentseal.credentials.cards import CardFound
from talentseal.credentials.master_keys import MasterKeys
from talentseal.credentials.models import (
    Channel,
    Device,
    MintedToken,
    Presentation,
    PresentationRefusal,
    TokenBurn,
)
from talentseal.credentials.profiles import Presented, Profile
from talentseal.credentials.refusals import Refusal
from talentseal.credentials.refusing import TOLD, PresentationRefused
from talentseal.credentials.tc1 import OnlineToken
from talentseal.db import Ahead, LostRace, at_end, connection_of, only_row, table_of
from talentseal.partners import counter as counters
from talentseal.partners.counter import Counter, Place, counter_of
from talentseal.policy.tiers import Tier
from talentseal.statements import carry_out
from talentseal.talents import codes, people, photos
from talentseal.talents.models import CodeState, FieldGroup, TalentCode, TalentFields
from talentseal.vault import Vault

LASTING: Final = timedelta(minutes=10)
"""How long what follows may stand on a presentation [R]."""

STATES: Final[Mapping[CodeState, Refusal]] = {
    CodeState.SUSPENDED: Refusal.CODE_SUSPENDED,
    CodeState.REVIEW_OVERDUE: Refusal.REVIEW_OVERDUE,
    CodeState.TERMINATED: Refusal.CODE_TERMINATED,
    CodeState.CANCELLED: Refusal.CODE_TERMINATED,
}
"""Why a code establishes nobody in a state; it does in the others."""


@dataclass(frozen=True, slots=True)
class Credentials:
    """What codes are verified and people named by. Set as `app.state.credentials`."""

    keys: MasterKeys = field(repr=False)
    vault: Vault = field(repr=False)


@dataclass(frozen=True, slots=True)
class Sent:
    """What came from the counter. text: as scanned or typed, as good as the code itself.

    request: SHA-256 hex of the terminal's own name for this request; empty when it has none. token: what
    `verified` made of it; None while it was not looked at, and when it is no token.
    """

    text: str = field(repr=False)
    request: str
    token: OnlineToken | Refusal | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class ChipAnswer:
    """What a chip answered to a challenge. challenge: its id. response: 16 bytes."""

    challenge: str
    response: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Bearer:
    """Whom a genuine text names. burns: digest of the token that is used up by it, None when it is no token.

    is_burnt: whether it was used up before. withheld: why he is not established all the same. photo: see
    `Established`. card, second_factor_required and offline: see `Presentation`.
    """

    code: str
    talent: str
    surname: str = field(repr=False)
    tier: Tier
    channel: Channel
    burns: bytes | None
    withheld: Refusal | None
    photo: bool
    offline: bool = False
    card: str | None = None
    second_factor_required: bool = False
    is_burnt: bool = False


@dataclass(frozen=True, slots=True)
class Established:
    """All that the counter is told of whoever stands there. surname: masked, 张**.

    photo: whether this organisation is shown his photo; False says nothing of whether there is one.
    offline: see `Presentation`.
    """

    presentation: str
    surname: str = field(repr=False)
    tier: Tier
    channel: Channel
    presented_at: datetime
    expires_at: datetime
    photo: bool
    offline: bool


@dataclass(frozen=True, slots=True)
class Shown:
    """Somebody was established, and who it is: for what follows in the transaction, not for the counter.

    bearer: None where the same request was answered before.
    """

    answer: Established
    bearer: Bearer | None


@dataclass(frozen=True, slots=True)
class Refused:
    """The refusal that has been noted."""

    refusal: Refusal

    @property
    def error(self) -> PresentationRefused:
        """What the counter is told: to be raised after the commit."""
        return TOLD[self.refusal]()


@dataclass(frozen=True, slots=True)
class _Asked:
    """By whom, under which name of the request, and when. token: as in `Sent`."""

    counter: Counter
    request: str
    now: datetime
    token: OnlineToken | Refusal | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Unfit:
    """A text that establishes nobody. code: whose it was, None unless it is genuine."""

    refusal: Refusal
    code: str | None = None


def present(
    session: Session, actor: Actor, credentials: Credentials, place: Place, sent: Sent, *, now: datetime
) -> Established | Refused:
    """Establish whoever the text names, or note why not. Only within a write, which is to be committed in
    either case.

    Raises NotPermitted and TerminalUnknown, with nothing noted and nothing burnt.
    """
    met = present_at(session, counter_of(session, actor, place), credentials, sent, now=now)
    return met if isinstance(met, Refused) else met.answer


def verified(credentials: Credentials, sent: Sent, *, now: datetime) -> Sent:
    """The same with its token verified, before any table is asked."""
    presented = profiles.presented(sent.text)
    if not isinstance(presented, Presented) or presented.profile is not Profile.TC1:
        return sent
    return replace(sent, token=_verified(credentials, presented, now))


def ahead(actor: Actor, place: Place, sent: Sent | None) -> list[Ahead]:
    """What `present` asks first, for a write that begins with it; without `sent`, what any act at a counter
    does. None is looked up that was not verified to be genuine.
    """
    asked = [counters.ahead(actor, place)]
    if sent is not None and isinstance(sent.token, OnlineToken):
        asked.append(Ahead(_BY_TOKEN, _named(sent.token, actor.organisation_id)))
    return asked


def present_at(
    session: Session, counter: Counter, credentials: Credentials, sent: Sent, *, now: datetime
) -> Shown | Refused:
    """The same at a counter that is known already, in the transaction of what follows from it."""
    asked = _Asked(counter, sent.request, now, sent.token)
    return _settled(session, asked, _recognised(session, credentials, asked, sent.text))


def present_late(
    session: Session,
    counter: Counter,
    credentials: Credentials,
    text: str,
    *,
    occurred_at: datetime,
    now: datetime,
) -> Shown | Refused:
    """Establish whoever a token for times without a network named at a moment that has passed: for what a
    counter enters once it has a network again. Only within a write, which is to be committed in either case.

    Key, age, code and device are looked at as they were then. Whether he was signed in is no longer known.
    """
    asked = _Asked(counter, "", now)
    return _settled(session, asked, _by_old_token(session, credentials, asked, text, occurred_at))


def _settled(session: Session, asked: _Asked, met: Bearer | Unfit) -> Shown | Refused:
    now = asked.now
    if isinstance(met, Unfit):
        return refuse(session, asked.counter, met, now=now)
    identifier = secrets.token_hex(16)
    if met.is_burnt:
        return _answered(session, asked, met) or refuse(
            session, asked.counter, Unfit(Refusal.TOKEN_USED, met.code), now=now
        )
    if met.burns:
        _burn(session, asked, met, identifier)
    if met.withheld:
        return refuse(session, asked.counter, Unfit(met.withheld, met.code), now=now)
    return Shown(_establish(session, asked, met, identifier), met)


def challenge(
    session: Session, actor: Actor, credentials: Credentials, place: Place, text: str, *, now: datetime
) -> CardChallenge | Refused:
    """A challenge for the chip of the card that the text names, or note why there is none.

    Raises NotPermitted and TerminalUnknown, with nothing noted; CardWithoutChip.
    """
    asked = _Asked(counter_of(session, actor, place), "", now)
    met = chips.put(session, credentials.keys, asked.counter, text, now=now)
    return refuse(session, asked.counter, Unfit(met), now=now) if isinstance(met, Refusal) else met


def present_chip(
    session: Session,
    actor: Actor,
    credentials: Credentials,
    place: Place,
    answer: ChipAnswer,
    *,
    now: datetime,
) -> Established | Refused:
    """Establish the holder of the card whose chip answered, or note why not. Only within a write, which is to
    be committed in either case: the challenge is used up.

    Raises NotPermitted and TerminalUnknown, with nothing noted and the challenge as it was.
    """
    asked = _Asked(counter_of(session, actor, place), "", now)
    found = chips.answer(
        session, credentials.vault, asked.counter, answer.challenge, answer.response, now=now
    )
    if isinstance(found, Refusal):
        return refuse(session, asked.counter, Unfit(found), now=now)
    return _establish(session, asked, _holder(session, credentials, asked, found), secrets.token_hex(16))


def _recognised(session: Session, credentials: Credentials, asked: _Asked, text: str) -> Bearer | Unfit:
    presented = profiles.presented(text)
    if isinstance(presented, Refusal):
        return Unfit(presented)
    recognise = _BY_PROFILE.get(presented.profile)
    if recognise is None:
        # A proof to look at, a receipt: texts of ours that name nobody at a counter.
        return Unfit(Refusal.TOKEN_MALFORMED)
    return recognise(session, credentials, asked, presented)


def _by_token(
    session: Session, credentials: Credentials, asked: _Asked, presented: Presented
) -> Bearer | Unfit:
    token = asked.token or _verified(credentials, presented, asked.now)
    if isinstance(token, Refusal) and token is not Refusal.TOKEN_EXPIRED:
        return Unfit(token)
    if isinstance(token, Refusal) or not token.is_live(tc1.LIFETIME, now=asked.now):
        late = only_row(session, _LATE, digest=tc1.digest(presented.text))
        if isinstance(token, Refusal) or late is None or not late.offline:
            return Unfit(Refusal.TOKEN_EXPIRED, late.code_id if late else None)
    row = only_row(session, _BY_TOKEN, **_named(token, asked.counter.organisation))
    if row is None:
        # Genuine, and of a code that is not there: of another copy of the database.
        return Unfit(Refusal.CODE_TERMINATED)
    return _bearer(credentials, row, Channel.SCAN, token.digest)


def _verified(credentials: Credentials, presented: Presented, now: datetime) -> OnlineToken | Refusal:
    # Which of them may live so long, only the table tells.
    return tc1.verify(credentials.keys, presented.text, now=now, lifetime=tc1.OFFLINE_LIFETIME)


def _named(token: OnlineToken, organisation: str) -> dict[str, Any]:
    """The values of _BY_TOKEN."""
    return {"digest": token.digest, "code_ref": token.code_ref, "organisation": organisation}


def _by_old_token(
    session: Session, credentials: Credentials, asked: _Asked, text: str, at: datetime
) -> Bearer | Unfit:
    presented = profiles.presented(text)
    if isinstance(presented, Refusal):
        return Unfit(presented)
    if presented.profile is not Profile.TC1:
        return Unfit(Refusal.TOKEN_MALFORMED)
    token = tc1.verify(credentials.keys, presented.text, now=at, lifetime=tc1.OFFLINE_LIFETIME)
    if isinstance(token, Refusal):
        return Unfit(token)
    row = only_row(session, _BY_TOKEN, **_named(token, asked.counter.organisation))
    then = codes.as_of(session, session.get_one(TalentCode, row.code), at) if row else None
    if row is None or then is None:
        return Unfit(Refusal.CODE_TERMINATED)
    if not row.offline:
        return Unfit(Refusal.TOKEN_EXPIRED, row.code)
    state, tier = then
    withheld = STATES.get(state)
    if withheld is None and row.revoked_at is not None and row.revoked_at <= at:
        withheld = Refusal.TOKEN_EXPIRED
    surname = people.masked_name(credentials.vault, row.talent, row.sealed)
    return Bearer(
        row.code,
        row.talent,
        surname,
        tier,
        Channel.SCAN,
        token.digest,
        withheld,
        photo=row.photo,
        offline=True,
        is_burnt=row.is_burnt,
    )


def _by_number(
    session: Session, credentials: Credentials, asked: _Asked, presented: Presented
) -> Bearer | Unfit:
    digests = tcn.candidates(credentials.keys, presented.text, now=asked.now)
    if isinstance(digests, Refusal):
        return Unfit(digests)
    row = only_row(
        session,
        _BY_NUMBER,
        today=digests[0],
        before=digests[1],
        organisation=asked.counter.organisation,
    )
    if row is None:
        return Unfit(Refusal.TOKEN_FORGED)
    lifetime = tc1.OFFLINE_LIFETIME if row.offline else tc1.LIFETIME
    if not tc1.is_live(row.minted_at, lifetime, now=asked.now):
        return Unfit(Refusal.TOKEN_EXPIRED, row.code)
    return _bearer(credentials, row, Channel.NUMERIC, row.digest)


def _by_card(
    session: Session, credentials: Credentials, asked: _Asked, presented: Presented
) -> Bearer | Unfit:
    found = cards.find_for_swipe(session, credentials.keys, presented, now=asked.now)
    return Unfit(found) if isinstance(found, Refusal) else _holder(session, credentials, asked, found)


def _holder(session: Session, credentials: Credentials, asked: _Asked, found: CardFound) -> Bearer:
    code = found.code
    row = only_row(session, _OF_CODE, code=code.id, organisation=asked.counter.organisation)
    return Bearer(
        code.id,
        code.talent_id,
        people.masked_name(credentials.vault, code.talent_id, row.sealed if row else None),
        code.tier,
        Channel.SWIPE,
        burns=None,
        withheld=None,
        photo=bool(row and row.photo),
        card=found.card.id,
        second_factor_required=found.second_factor_required,
    )


Recogniser = Callable[[Session, Credentials, _Asked, Presented], Bearer | Unfit]
_BY_PROFILE: Final[Mapping[Profile, Recogniser]] = {
    Profile.TC1: _by_token,
    Profile.TCN: _by_number,
    Profile.TC3: _by_card,
    Profile.CARD: _by_card,
}
"""Whatever may be shown at a counter, each with who reads it."""


_BASIC: Final = and_(
    TalentFields.talent_id == TalentCode.talent_id, TalentFields.group == FieldGroup.BASIC.value
)
_OF_CODE: Final = (
    select(TalentFields.sealed, photos.is_shown(bindparam("organisation")).label("photo"))
    .select_from(TalentCode)
    .outerjoin(TalentFields, _BASIC)
    .where(TalentCode.id == bindparam("code"))
)
_LATE: Final = select(MintedToken.code_id, MintedToken.offline).where(
    MintedToken.digest == bindparam("digest")
)
"""Whose a token is that has outlived its minute, and whether it may; none is known after a day."""


def _facts(minted: ColumnElement[bool], digest: Any, *conditions: ColumnElement[bool]) -> Any:
    """A code, its holder's sealed name, whether `organisation` is shown his photo, and where the token stands
    that `minted` names and that is used up under `digest`.

    The code is held until the commit: a suspension and a presentation follow one another.
    """
    return (
        select(
            TalentCode.id.label("code"),
            TalentCode.talent_id.label("talent"),
            TalentCode.state,
            TalentCode.tier,
            TalentFields.sealed,
            MintedToken.digest,
            MintedToken.minted_at,
            MintedToken.offline,
            Device.current,
            Device.revoked_at,
            WebSession.id.label("session"),
            TokenBurn.digest.is_not(None).label("is_burnt"),
            photos.is_shown(bindparam("organisation")).label("photo"),
        )
        .outerjoin(TalentFields, _BASIC)
        .outerjoin(MintedToken, and_(MintedToken.code_id == TalentCode.id, minted))
        .outerjoin(Device, Device.id == MintedToken.device_id)
        .outerjoin(WebSession, WebSession.id == MintedToken.session_id)
        .outerjoin(TokenBurn, TokenBurn.digest == digest)
        .where(*conditions)
        .with_for_update(read=True, of=TalentCode)
    )


_DIGEST: Final = bindparam("digest", type_=LargeBinary())
_BY_TOKEN: Final = _facts(
    MintedToken.digest == _DIGEST, _DIGEST, TalentCode.code_ref == bindparam("code_ref")
)
_BY_NUMBER: Final = _facts(
    MintedToken.number_digest.in_([bindparam("today"), bindparam("before")]),
    MintedToken.digest,
    MintedToken.digest.is_not(None),
)


# Tables, not classes: no object is made of a row that only goes in.
_ESTABLISH: Final = insert(table_of(Presentation))
_REFUSE: Final = insert(table_of(PresentationRefusal))
_BURN: Final = insert(table_of(TokenBurn))


def _bearer(credentials: Credentials, row: Row[Any], channel: Channel, digest: bytes) -> Bearer:
    withheld = STATES.get(row.state)
    # A device that was revoked has no current token, and a session that was ended no row.
    counts = row.revoked_at is None if row.offline else row.current == digest
    if withheld is None and (not counts or row.session is None):
        withheld = Refusal.TOKEN_EXPIRED
    surname = people.masked_name(credentials.vault, row.talent, row.sealed)
    return Bearer(
        row.code,
        row.talent,
        surname,
        row.tier,
        channel,
        digest,
        withheld,
        photo=row.photo,
        offline=bool(row.offline),
        is_burnt=row.is_burnt,
    )


def _burn(session: Session, asked: _Asked, bearer: Bearer, presentation: str) -> None:
    """Use the token up by this, at the end of the write; when somebody else did so since it was read, the
    write is run again, and reads that.
    """
    row = {
        "digest": bearer.burns,
        "terminal_id": asked.counter.terminal,
        "request": asked.request,
        "presentation_id": None if bearer.withheld else presentation,
        "refusal": bearer.withheld,
        "burnt_at": asked.now,
    }
    at_end(session, _BURN, row, forbidden=LostRace)


def _answered(session: Session, asked: _Asked, bearer: Bearer) -> Shown | Refused | None:
    """What the same request was answered before, when its terminal asks again; None when it is another."""
    burn = session.get_one(TokenBurn, bearer.burns)
    if not asked.request or (burn.terminal_id, burn.request) != (asked.counter.terminal, asked.request):
        return None
    if burn.refusal:
        return Refused(burn.refusal)
    row = session.get_one(Presentation, burn.presentation_id)
    answer = Established(
        row.id,
        bearer.surname,
        row.tier,
        row.channel,
        row.presented_at,
        row.expires_at,
        bearer.photo,
        row.offline,
    )
    return Shown(answer, None)


def _establish(session: Session, asked: _Asked, bearer: Bearer, identifier: str) -> Established:
    counter, until = asked.counter, asked.now + LASTING
    row = {
        "id": identifier,
        "code_id": bearer.code,
        "channel": bearer.channel,
        "organisation_id": counter.organisation,
        "outlet_id": counter.outlet,
        "terminal_id": counter.terminal,
        "staff_id": counter.staff,
        "presented_at": asked.now,
        "expires_at": until,
        "tier": bearer.tier,
        "card_id": bearer.card,
        "second_factor_required": bearer.second_factor_required,
        "token_digest": bearer.burns,
        "offline": bearer.offline,
    }
    at_end(session, _ESTABLISH, row)
    return Established(
        identifier,
        bearer.surname,
        bearer.tier,
        bearer.channel,
        asked.now,
        until,
        bearer.photo,
        bearer.offline,
    )


def refuse(session: Session, counter: Counter, unfit: Unfit, *, now: datetime) -> Refused:
    """Note that nobody was established, and why."""
    row = {
        "id": secrets.token_hex(16),
        "terminal_id": counter.terminal,
        "code_id": unfit.code,
        "refusal": unfit.refusal,
        "refused_at": now,
    }
    carry_out(connection_of(session), _REFUSE, row)
    return Refused(unfit.refusal)
