"""Pages of an invitation and of one's own account. Secrets are shown once, in answer to a form."""

from collections.abc import Callable
from typing import Annotated, Any, Final

from fastapi import APIRouter, Form
from pydantic import BaseModel, Field, TypeAdapter, ValidationError
from starlette.responses import Response

from talentseal.accounts import api_keys, invitations, own, second_factor, sessions
from talentseal.accounts.access import Present, recognise
from talentseal.accounts.counter import AtCounter, Counter
from talentseal.accounts.invitations import Acceptance, Invited
from talentseal.accounts.roles import PERMISSIONS, Permission
from talentseal.accounts.schemas import Address
from talentseal.accounts.sessions import SignedIn
from talentseal.accounts.signing_in import CodeRefused
from talentseal.errors import Invalid, TalentSealError
from talentseal.web.pages import see_other

pages = APIRouter(include_in_schema=False)

SHOWN: Final = 20
"""Sessions that the account's page lists."""

Text = Annotated[str, Field(max_length=1000, repr=False)]
Typed = Annotated[str, Form(max_length=1000)]
_ADDRESS: TypeAdapter[str] = TypeAdapter(Address)


class AddressMistyped(Invalid):
    code = "address-mistyped"
    zh = "地址格式有误或校验不符。请完整复制以 0x 开头的地址。"
    en = "This is no address, or its checksum does not match; copy the whole of it, from 0x on."


@pages.get("/invitation")
def ask_invitation(counter: AtCounter) -> Response:
    """Ask for the code that the operator handed over."""
    return counter.show("accounts/invitation.html")


@pages.post("/invitation")
def open_invitation(counter: AtCounter, invitation: Typed) -> Response:
    """Show whom the code invites, and ask for a password and the authenticator's first code."""
    try:
        met = _invited(counter, invitation)
    except TalentSealError as error:
        return counter.refuse("accounts/invitation.html", error)
    return counter.show("accounts/enrolment.html", **_enrolment(counter, met, invitation))


class AcceptanceForm(BaseModel):
    """What the enrolment page sends."""

    invitation: Text
    password: Text
    repeated: Text
    code: Text = ""


@pages.post("/invitation/acceptance")
def accept(counter: AtCounter, form: Annotated[AcceptanceForm, Form()]) -> Response:
    """Set password and second factor and sign in; the recovery codes are shown now."""
    try:
        met = _invited(counter, form.invitation)
    except TalentSealError as error:
        return counter.refuse("accounts/invitation.html", error)
    given = Acceptance(form.invitation, form.password, form.repeated, form.code)
    try:
        accepted = invitations.accept(counter.door, counter.arrival, given)
    except TalentSealError as error:
        values = _enrolment(counter, met, form.invitation)
        return counter.refuse("accounts/enrolment.html", error, **values)
    recognise(counter.request, counter.request.app.state.access, accepted.token)
    response = counter.show("accounts/recovery-codes.html", codes=accepted.recovery_codes)
    return counter.arrival.leave_with(accepted.token, response)


def _invited(counter: Counter, code: str) -> Invited:
    """Raises InvitationUnknown, TooManyAttempts."""
    door, arrival = counter.door, counter.arrival
    with door.throttle.guarding_network(arrival.address, invitations.InvitationUnknown):
        return arrival.database.read(
            lambda session: invitations.invited(session, code, door.box, now=arrival.now)
        )


def _enrolment(counter: Counter, met: Invited, code: str) -> dict[str, Any]:
    offered = _authenticator(met.secret, met.sign_in_name, counter.door.issuer)
    return {"met": met, "invitation": code, **offered}


def _authenticator(secret: str, name: str, issuer: str) -> dict[str, Any]:
    address = second_factor.enrolment_address(secret, name, issuer)
    return {"secret": secret, "qr": second_factor.qr_svg(address)}


@pages.get("/account")
def account(counter: AtCounter, present: Present) -> Response:
    """Who am I here, and how do I sign in?"""
    return counter.show("accounts/account.html", **_account(counter, present))


def _account(counter: Counter, present: SignedIn) -> dict[str, Any]:
    actor, arrival = present.actor, counter.arrival
    standing, open_sessions, keys = arrival.database.read(
        lambda session: (
            own.standing(session, actor.account_id),
            sessions.sessions_of(session, actor.account_id, arrival.rules, limit=SHOWN + 1, now=arrival.now),
            own.api_keys_of(session, actor) if actor.may(Permission.API_KEY_OWN) else [],
        )
    )
    return {
        "standing": standing,
        "sessions": open_sessions[:SHOWN],
        "has_more_sessions": len(open_sessions) > SHOWN,
        "here": present.session,
        "api_keys": keys,
        "scopes": sorted(permission.value for permission in PERMISSIONS[actor.role]),
    }


def _or_refuse(counter: Counter, present: SignedIn, act: Callable[[], Response]) -> Response:
    """What `act` answers, or the account's page with the reason why not."""
    try:
        return act()
    except TalentSealError as error:
        return counter.refuse("accounts/account.html", error, **_account(counter, present))


@pages.post("/account/password")
def change_password(
    counter: AtCounter, present: Present, current: Typed, password: Typed, repeated: Typed
) -> Response:
    """A new password; every other session ends."""

    def act() -> Response:
        given = own.NewPassword(current, password, repeated)
        token = own.change_password(counter.door, counter.arrival, present, given)
        return counter.arrival.leave_with(token, see_other("/account", "password-changed"))

    return _or_refuse(counter, present, act)


@pages.post("/account/second-factor")
def begin_second_factor(
    counter: AtCounter,
    present: Present,
    current: Annotated[str, Form(alias="factor-current", max_length=1000)],
) -> Response:
    """Offer a new authenticator secret."""

    def act() -> Response:
        own.begin_second_factor(counter.door, counter.arrival, present.actor.account_id, current)
        return see_other("/account/second-factor")

    return _or_refuse(counter, present, act)


@pages.get("/account/second-factor")
def new_second_factor(counter: AtCounter, present: Present) -> Response:
    """The secret that waits to be confirmed, as QR code and as text."""
    return counter.show("accounts/new-second-factor.html", **_offer(counter, present))


def _offer(counter: Counter, present: SignedIn) -> dict[str, Any]:
    account_id = present.actor.account_id
    secret, name = counter.arrival.database.read(
        lambda session: (
            own.offered_secret(session, counter.door, account_id),
            own.standing(session, account_id).account.sign_in_name,
        )
    )
    return _authenticator(secret, name or account_id, counter.door.issuer)


@pages.post("/account/second-factor/confirmation")
def confirm_second_factor(counter: AtCounter, present: Present, code: Typed) -> Response:
    """The new secret counts from now on; fresh recovery codes are shown."""
    try:
        codes = own.confirm_second_factor(counter.door, counter.arrival, present, code)
    except CodeRefused as error:
        return counter.refuse("accounts/new-second-factor.html", error, **_offer(counter, present))
    return counter.show("accounts/recovery-codes.html", codes=codes)


@pages.post("/account/sessions/end")
def end_session(counter: AtCounter, present: Present, session: Typed) -> Response:
    """End one of one's own sessions."""
    account_id = present.actor.account_id
    counter.arrival.database.write(lambda work: sessions.end_by_id(work, account_id, session))
    return see_other("/account", "session-ended")


@pages.post("/account/sessions/end-all")
def end_all_sessions(counter: AtCounter, present: Present) -> Response:
    """Sign out everywhere, here too."""
    account_id = present.actor.account_id
    counter.arrival.database.write(lambda session: sessions.end_all(session, account_id))
    response = see_other("/", "signed-out-everywhere")
    counter.arrival.rules.cookie.take(response)
    return response


@pages.post("/account/sign-in-key")
def set_signing_address(counter: AtCounter, present: Present, address: Typed = "") -> Response:
    """Which of the organisation's signing keys signs this account in; none when left empty."""
    door, arrival = counter.door, counter.arrival

    def act() -> Response:
        wanted = _address(address)
        arrival.database.write(
            lambda session: own.set_signing_address(session, door, present.actor, wanted, now=arrival.now)
        )
        return see_other("/account", "sign-in-key-set")

    return _or_refuse(counter, present, act)


def _address(text: str) -> str | None:
    try:
        return _ADDRESS.validate_python(text.strip()) if text.strip() else None
    except ValidationError:
        raise AddressMistyped from None


@pages.post("/account/api-keys")
def mint_api_key(
    counter: AtCounter, present: Present, scope: Annotated[list[Permission] | None, Form()] = None
) -> Response:
    """A new API key, shown now and never again."""
    minted, arrival = api_keys.mint(), counter.arrival

    def act() -> Response:
        arrival.database.write(
            lambda session: own.add_api_key(session, present.actor, minted, scope or (), now=arrival.now).id
        )
        return counter.show("accounts/new-api-key.html", key=minted.text)

    return _or_refuse(counter, present, act)


@pages.post("/account/api-keys/revocation")
def revoke_api_key(counter: AtCounter, present: Present, key: Typed) -> Response:
    """Make one of one's own keys open nothing."""
    arrival = counter.arrival

    def act() -> Response:
        arrival.database.write(
            lambda session: own.revoke_api_key(session, present.actor, key, now=arrival.now).id
        )
        return see_other("/account", "api-key-revoked")

    return _or_refuse(counter, present, act)


@pages.get("/account/{_act:path}")
def back_to_account(_act: str) -> Response:
    """Whoever loads the answer to a form again comes back to where the form is."""
    return see_other("/account")


@pages.get("/invitation/acceptance")
def back_to_invitation() -> Response:
    """The same for an invitation."""
    return see_other("/invitation")
