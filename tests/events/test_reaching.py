"""Addresses that partners name: only public ones by https, looked at when the connection is made."""

import asyncio
import ipaddress
import socket
from collections.abc import Callable
from typing import Any

import pytest

from talentseal.events import reaching
from talentseal.events.reaching import AddressNotUsable, Answer, Reach, is_public
from talentseal.events.states import Failure
from tests.events.conftest import Post
from tests.events.receiver import Receiver

FAR = Reach()


@pytest.mark.parametrize(
    "url",
    [
        "http://partner.example/hook",
        "ftp://partner.example/hook",
        "https://",
        "https:///hook",
        "https://user:word@partner.example/hook",
        "https://@partner.example/",
        "https://partner.example/hook#part",
        "https://partner.example:port/",
        "https://partner.example:99999/",
        "https://partner example/",
        "https://合作.example/",
        "https://localhost/hook",
        "https://LOCALHOST./hook",
        "https://127.0.0.1/hook",
        "https://[::1]/hook",
        "https://[::ffff:10.0.0.1]/",
        "https://10.1.2.3/",
        "https://172.16.0.1/",
        "https://192.168.1.1/",
        "https://169.254.169.254/latest/meta-data/",
        "https://100.64.0.1/",
        "https://0.0.0.0/",
        "https://224.0.0.1/",
        "https://[fe80::1]/",
        "https://[fc00::1]/",
        "https://[64:ff9b::7f00:1]/",
        "https://[2002:7f00:1::]/",
        "https://[::1",
        "https://partner.example/" + "x" * 500,
    ],
)
def test_an_address_that_is_not_public_https_is_refused(url: str) -> None:
    with pytest.raises(AddressNotUsable):
        FAR.check(url)


@pytest.mark.parametrize(
    "url", ["https://partner.example/hook?x=1", "https://partner.example:8443", "https://[2606:4700::1]/"]
)
def test_a_public_address_may_be_registered(url: str) -> None:
    assert FAR.check(url).scheme == "https"


def test_the_demonstration_reaches_this_machine_and_no_private_network() -> None:
    near = Reach(loopback=True)
    for url in ("http://127.0.0.1:8000/", "http://localhost/x", "http://[::1]:9/", "https://127.0.0.1/"):
        near.check(url)
    for url in ("http://10.0.0.1/", "https://10.0.0.1/", "http://partner.example/"):
        with pytest.raises(AddressNotUsable):
            near.check(url)


@pytest.mark.parametrize("text", ["8.8.8.8", "2606:4700::1", "::ffff:8.8.8.8"])
def test_what_is_public(text: str) -> None:
    assert is_public(ipaddress.ip_address(text))


def resolving(*addresses: str) -> Callable[..., Any]:
    """A resolver by which every name has these addresses."""

    async def getaddrinfo(_self: object, _host: str, port: int, **_more: Any) -> list[Any]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (each, port)) for each in addresses]

    return getaddrinfo


@pytest.mark.parametrize("addresses", [("127.0.0.1",), ("10.0.0.1",), ("8.8.8.8", "169.254.169.254"), ()])
def test_a_public_name_that_leads_inside_is_not_connected_to(
    monkeypatch: pytest.MonkeyPatch, receiver: Receiver, addresses: tuple[str, ...]
) -> None:
    monkeypatch.setattr(asyncio.BaseEventLoop, "getaddrinfo", resolving(*addresses))
    port = receiver.url.rpartition(":")[2].partition("/")[0]

    met = FAR.post(f"https://partner.example:{port}/hook", {}, b"{}")

    assert met == Answer(None, Failure.ADDRESS_REFUSED)
    assert receiver.arrived == []


def test_the_connection_goes_to_the_address_that_was_looked_at(
    monkeypatch: pytest.MonkeyPatch, receiver: Receiver
) -> None:
    monkeypatch.setattr(asyncio.BaseEventLoop, "getaddrinfo", resolving("127.0.0.1"))
    port = receiver.url.rpartition(":")[2].partition("/")[0]

    met = Reach(loopback=True).post(f"http://localhost:{port}/hook", {"webhook-id": "m"}, b"{}")

    assert met == Answer(204, None)
    (arrived,) = receiver.arrived
    assert arrived.headers["host"] == f"localhost:{port}"


def test_an_address_registered_for_the_demonstration_is_not_reached_without_it(sqlite_post: Post) -> None:
    sqlite_post.register()
    url = sqlite_post.receiver.url

    assert FAR.post(url, {}, b"{}") == Answer(None, Failure.ADDRESS_REFUSED)
    with pytest.raises(AddressNotUsable):
        Post(sqlite_post.world, sqlite_post.world.joined("虚构书店"), sqlite_post.receiver).register(
            reach=FAR
        )


def test_a_certificate_is_asked_for(monkeypatch: pytest.MonkeyPatch, receiver: Receiver) -> None:
    """A server that speaks no TLS takes nothing of what is sent to an https address."""
    port = receiver.url.rpartition(":")[2].partition("/")[0]
    monkeypatch.setattr(reaching, "TIMEOUT", 2.0)

    met = Reach(loopback=True).post(f"https://127.0.0.1:{port}/", {}, b"{}")

    assert met.failure in {Failure.UNREACHABLE, Failure.TIMEOUT}
    assert receiver.arrived == []
