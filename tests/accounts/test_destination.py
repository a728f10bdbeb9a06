"""After signing in a person goes on to a page of this service, whatever the link said."""

import pytest

from talentseal.accounts.destination import HOME, home_of, local_path, with_next
from talentseal.accounts.roles import Role


@pytest.mark.parametrize(
    "path", ["/", "/agreements", "/agreements/new?copy=1&lang=en", "/a/b#c", "/%2F%2Fevil"]
)
def test_a_path_of_this_service_is_kept(path: str) -> None:
    assert local_path(path) == path


@pytest.mark.parametrize(
    "text",
    [
        "",
        "agreements",
        "//evil.example",
        "///evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "/\t/evil.example",
        "/\n/evil.example",
        "\t//evil.example",
        " //evil.example",
        "/a\\b",
        "/a b",
        "/\x00",
        "/\x7f",
        "/协议",
        "https:",
        "https:evil.example",
        "https://evil.example",
        "javascript:alert(1)",
        "data:text/html,x",
        "/" + "a" * 2000,
    ],
)
def test_anything_else_leads_nowhere(text: str) -> None:
    assert local_path(text) == ""


@pytest.mark.parametrize(
    "path", ["/sign-in", "/sign-in?next=/sign-in", "/sign-out", "/sign-up", "/invitation"]
)
def test_nobody_is_sent_round_in_a_circle(path: str) -> None:
    assert local_path(path) == ""


def test_whoever_says_nothing_goes_where_his_work_is() -> None:
    assert home_of(Role.TALENT) == "/me"
    assert {home_of(role) for role in Role if role is not Role.TALENT} == {HOME}
    assert with_next("/sign-in", "") == "/sign-in"
