"""The table of operations and permissions holds every route, and is what is asked of every caller."""

import re
from pathlib import Path
from typing import Any

import pytest

from talentseal.accounts.operations import OPERATIONS, Audience, Need
from talentseal.accounts.roles import PERMISSIONS, Permission, Role
from tests.api.conftest import Api
from tests.routes import routes_of
from tests.world import Member, World

NAMES = {
    "agreement_id": "0x" + "1" * 64,
    "address": "0x" + "1" * 40,
    "version": "1",
    "number": "1",
    "size": "1",
    "index": "1",
}
"""What stands in a path for a thing that is not there; everything else has 32 hex digits."""

CLOSED = {"unauthenticated", "sign-in-needed"}


def asked(operation: str, organisation: str) -> tuple[str, str]:
    """Method and path of a request for something of the organisation that does not exist."""
    method, template = operation.split(" ")
    names = {**NAMES, "organisation_id": organisation}
    return method, re.sub(r"\{(\w+)(:\w+)?\}", lambda found: names.get(found[1], "1" * 32), template)


def is_granted(role: Role, need: Need) -> bool:
    if isinstance(need, Audience):
        return True
    return not PERMISSIONS[role].isdisjoint(need)


def code_of(api: Api, member: Member | None, operation: str) -> str:
    """The refusal's code; empty when it was none. A page's caller is signed in already."""
    method, path = asked(operation, (member and member.id) or "0x" + "1" * 64)
    if member is not None and path.startswith(("/api/v1/", "/log/")):
        answer = api.call(member, method, path.removeprefix("/api/v1"))
    else:
        headers = {"accept": "application/json", "sec-fetch-site": "same-origin"}
        answer = api.http.request(method, path, headers=headers, follow_redirects=False)
    assert answer.status_code < 500, (operation, answer.text)
    is_problem = answer.headers.get("content-type") == "application/problem+json"
    return str(answer.json()["code"]) if is_problem else ""


def refused(api: Api, member: Member, operation: str) -> bool:
    """Whether somebody with an account was told that he may not."""
    code = code_of(api, member, operation)
    if code == "sign-in-needed":
        api.sign_in(member)  # an operation before this one ended the session
        code = code_of(api, member, operation)
    assert code not in {"sign-in-needed", "unauthenticated"}, operation
    return code == "not-permitted"


_DESCRIBED: list[dict[str, Any]] = []


def _described(api: Api) -> dict[str, Any]:
    """The OpenAPI document, which takes two seconds to make, once for all roles."""
    if not _DESCRIBED:
        _DESCRIBED.append(api.app.openapi())
    return _DESCRIBED[0]


@pytest.fixture
def api(sqlite_world: World, tmp_path: Path) -> Api:
    made = Api(sqlite_world, tmp_path, demonstration=True)
    made.app.openapi_schema = _described(made)
    return made


def test_the_table_has_a_line_for_every_operation_and_no_other(api: Api) -> None:
    served = {f"{method} {path}" for method, path in routes_of(api.app) if method != "HEAD"}

    assert served == OPERATIONS.keys()


@pytest.mark.parametrize("role", Role)
def test_an_operation_is_refused_to_exactly_those_who_lack_its_permission(api: Api, role: Role) -> None:
    member = api.world.member("虚构机构", role=role)
    api.sign_in(member)

    wrong = [
        operation
        for operation, need in OPERATIONS.items()
        if refused(api, member, operation) is is_granted(role, need)
    ]

    assert not wrong


def test_without_an_account_only_what_is_for_everyone_is_served(api: Api) -> None:
    wrong = [
        operation
        for operation, need in OPERATIONS.items()
        if (code_of(api, None, operation) in CLOSED) is (need is Audience.EVERYONE)
    ]

    assert not wrong


def test_every_permission_opens_something() -> None:
    listed = {each for need in OPERATIONS.values() if isinstance(need, tuple) for each in need}

    widening = {Permission.AGREEMENT_READ_ALL, Permission.EVIDENCE_READ_ALL}
    at_the_console = {Permission.ACCOUNT_ADD, Permission.INSTRUMENT_ENTER}
    within_an_approval = {Permission.RECOGNITION_VERIFY}
    assert set(Permission) - listed == widening | at_the_console | within_an_approval
