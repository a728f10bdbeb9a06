"""One request to a receiver that somebody else named: to public addresses by https, and nowhere else.

The name is resolved here, every address it has is looked at, and the connection goes to the very address
that was: between the look and the connection nothing is asked again (no DNS rebinding). No redirect is
followed, no proxy is used, and of the answer the status alone is read.
"""

import asyncio
import ipaddress
import re
import socket
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import ClassVar, Final
from urllib.parse import SplitResult, urlsplit

import httpx2

from talentseal.errors import Invalid
from talentseal.events.states import Failure

TIMEOUT: Final = 5.0
"""Seconds that a receiver has for everything: a connection, the request and the head of its answer."""

LONGEST: Final = 500

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

_HOST: Final = re.compile(r"[A-Za-z0-9.:_-]{1,253}\Z")
_WRITTEN: Final = re.compile(r"[\x21-\x7e]+\Z")
_PORTS: Final = {"https": 443, "http": 80}
_NAT64: Final = ipaddress.ip_network("64:ff9b::/96")


class AddressNotUsable(Invalid):
    code: ClassVar[str] = "webhook-address-not-usable"
    zh: ClassVar[str] = (
        "推送地址须为 https:// 开头的公网地址，不含用户名、密码和 #，最长 500 个字符。请更正。"
    )
    en: ClassVar[str] = (
        "The address has to begin with https://, be public, without user name, password or #, and at most "
        "500 characters long; correct it."
    )


@dataclass(frozen=True, slots=True)
class Answer:
    """How an attempt went. status: HTTP status, None without an answer. failure: None for a success."""

    status: int | None
    failure: Failure | None


class _Refused(Exception):
    """The name leads to an address that is not public."""


@dataclass(frozen=True, slots=True)
class Reach:
    """How far webhooks go. loopback: to this machine, by http as well; for demonstrations and tests alone."""

    loopback: bool = False
    tls: ssl.SSLContext | None = None
    """None for the system's authorities."""

    def check(self, url: str) -> SplitResult:
        """The parts of an address that may be registered. Raises AddressNotUsable.

        A name that leads elsewhere is found out at each connection.
        """
        if len(url) > LONGEST or not _WRITTEN.match(url):
            raise AddressNotUsable
        try:
            parts = urlsplit(url)
            host, _port = parts.hostname or "", parts.port
        except ValueError:
            raise AddressNotUsable from None
        is_plain = "@" not in parts.netloc and not parts.fragment and _HOST.match(host) is not None
        try:
            address = ipaddress.ip_address(host)
        except ValueError:
            known = self.loopback and host == "localhost"
            fits = parts.scheme == "https" or (parts.scheme == "http" and known)
            fits = fits and (known or host.lower().rstrip(".") != "localhost")
        else:
            fits = self._allows(parts.scheme, address)
        if not (is_plain and fits):
            raise AddressNotUsable
        return parts

    def post(self, url: str, headers: Mapping[str, str], body: bytes) -> Answer:
        """One attempt; never raises for what the receiver or the network does."""
        return asyncio.run(self._within_time(url, headers, body))

    async def _within_time(self, url: str, headers: Mapping[str, str], body: bytes) -> Answer:
        try:
            async with asyncio.timeout(TIMEOUT):
                status = await self._send(self.check(url), headers, body)
        except (AddressNotUsable, _Refused):
            return Answer(None, Failure.ADDRESS_REFUSED)
        except (TimeoutError, httpx2.TimeoutException):
            return Answer(None, Failure.TIMEOUT)
        except (OSError, UnicodeError, httpx2.HTTPError, httpx2.InvalidURL):
            return Answer(None, Failure.UNREACHABLE)
        if 200 <= status < 300:
            return Answer(status, None)
        return Answer(status, Failure.REDIRECTED if 300 <= status < 400 else Failure.STATUS)

    async def _send(self, parts: SplitResult, headers: Mapping[str, str], body: bytes) -> int:
        """The status of the answer to one request."""
        host, port = parts.hostname or "", parts.port or _PORTS[parts.scheme]
        address = await self._resolved(parts.scheme, host, port)
        written = f"[{address}]" if address.version == 6 else str(address)
        target = f"{parts.scheme}://{written}:{port}{parts.path or '/'}"
        client = httpx2.AsyncClient(verify=self.tls or _tls(), trust_env=False, timeout=TIMEOUT)
        async with client:
            request = client.build_request(
                "POST",
                f"{target}?{parts.query}" if parts.query else target,
                headers={**headers, "Host": parts.netloc, "Content-Type": "application/json"},
                content=body,
                extensions={"sni_hostname": host},
            )
            answer = await client.send(request, stream=True, follow_redirects=False)
            await answer.aclose()
            return answer.status_code

    async def _resolved(self, scheme: str, host: str, port: int) -> Address:
        """The address to connect to. Raises _Refused when any of the name's is not allowed."""
        loop = asyncio.get_running_loop()
        found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        addresses = [ipaddress.ip_address(str(each[4][0]).partition("%")[0]) for each in found]
        if not addresses or not all(self._allows(scheme, each) for each in addresses):
            raise _Refused
        return addresses[0]

    def _allows(self, scheme: str, address: Address) -> bool:
        if self.loopback and address.is_loopback:
            return scheme in _PORTS
        return scheme == "https" and is_public(address)


def is_public(address: Address) -> bool:
    """Whether it belongs to the public internet: not this machine, a private network, a link, a group, nor
    an IPv6 address behind which an IPv4 address of those may stand.
    """
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            return is_public(address.ipv4_mapped)
        if address.sixtofour is not None or address.teredo is not None or address in _NAT64:
            return False
    return address.is_global and not address.is_multicast and not address.is_reserved


@cache
def _tls() -> ssl.SSLContext:
    """Made once: to load the authorities takes longer than a delivery."""
    return ssl.create_default_context()
