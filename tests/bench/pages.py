"""Pages: the server's time for each of them against that of an empty template, through the same application.

Requests go straight into the application (ASGI), so that no socket and no client stands in the measure. Both
come as the same visitor, and take turns. The scheme behind them holds as many agreements as a list shows.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from functools import partial
from pathlib import Path
from typing import Any, Final

import jinja2
from fastapi import Request
from sqlalchemy.orm import Session
from starlette.responses import Response

from talentseal.accounts import api_keys
from talentseal.accounts.models import OrganisationKind
from talentseal.accounts.roles import Actor, Role
from talentseal.agreements import termination
from talentseal.agreements.models import AgreementVersion
from talentseal.agreements.schemas import TerminationInput
from talentseal.app import session_rules_of
from talentseal.audit import history
from talentseal.demonstration import scheme
from talentseal.evidence.models import EvidenceRecord
from talentseal.partners import outlets
from talentseal.partners.schemas import AddTerminal, BindStaff, OpenOutlet
from talentseal.policy import loading
from talentseal.policy import service as policy
from talentseal.web.pages import Pages
from tests.api.conftest import MASTER_KEYS, Api
from tests.bench.figures import Budget, Figure, against, interleaved, say
from tests.bench.places import databases
from tests.benefits.conftest import Shelf
from tests.benefits.shown import shown as shown_benefits
from tests.browser.addresses import EVERY, Address, Person
from tests.complaints.shown import complained
from tests.credentials.issued import issued
from tests.events.shown import pushed
from tests.redemptions.settled import settled
from tests.redemptions.shown import given
from tests.sanctions.conftest import make_court
from tests.sanctions.held import held
from tests.talents.conftest import People, high, in_force
from tests.talents.filed import filed
from tests.talents.righted import righted
from tests.world import PDF, Member, SetClock, World, intake, make_world

BUDGET: Final = Budget("ratio", "<=", 3.0)
EMPTY: Final = "/bench/empty"
KINDS: Final = {
    Role.OPERATOR: OrganisationKind.OPERATOR,
    Role.AUDITOR: OrganisationKind.AUDITOR,
    Role.TALENT_OFFICE: OrganisationKind.GOVERNMENT,
}
"""What organisation somebody in a role belongs to; a partner's is a bank."""

Headers = list[tuple[bytes, bytes]]


def measure(tiny: bool) -> list[Figure]:
    """A figure for each page of `tests/browser/addresses.py`."""
    agreements, rounds = (1, 1) if tiny else (25, 200)
    with databases("sqlite") as place, _stage(place.make(), place.folder, agreements) as stage:
        say(f"  {len(EVERY)} pages × {rounds}, {agreements} agreements")
        return [stage.figure(address, rounds) for address in EVERY]


@dataclass(frozen=True, slots=True)
class Stage:
    """An application with something to show. people: cookies of somebody in each role."""

    app: Any
    names: Mapping[str, str]
    people: Mapping[Role | Person | None, Headers]

    def figure(self, address: Address, rounds: int) -> Figure:
        """The page and the empty template in turns, once before anything is measured."""
        headers = self.people[address.who]
        own = partial(self._seconds, address.path.format(**self.names), headers, address.status)
        bare = partial(self._seconds, EMPTY, headers, 200)
        with asyncio.Runner() as runner:
            met = interleaved(rounds + 1, own=lambda: runner.run(own()), bare=lambda: runner.run(bare()))
        for times in met.values():
            del times[0]
        return against(f"the page {address}", "s", met["own"], "empty template", met["bare"], BUDGET)

    async def _seconds(self, path: str, headers: Headers, status: int) -> float:
        begun = time.perf_counter()
        met = await _answer(self.app, path, headers)
        took = time.perf_counter() - begun
        if met != status:
            raise RuntimeError(f"{path} answered {met}, expected {status}")
        return took


async def _answer(app: Callable[..., Awaitable[None]], path: str, headers: Headers) -> int:
    """The status of one GET, once the whole answer is there."""
    statuses: list[int] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Mapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            statuses.append(message["status"])

    path, _, query = path.partition("?")
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "root_path": "",
        "query_string": query.encode(),
        "headers": headers,
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 80),
    }
    await app(scope, receive, send)
    return statuses[0]


@contextmanager
def _stage(url: str, folder: Path, agreements: int) -> Iterator[Stage]:
    with contextmanager(make_world)(url, SetClock(), folder) as world:
        bank, merchant = world.member("虚构银行"), world.member("虚构书店")
        documents = [PDF + b"%%%d\n" % each for each in range(agreements)]
        versions = [world.signed(bank, merchant, plain=plain) for plain in documents]
        ending = world.signed(bank, merchant, plain=PDF + b"%%ending\n")
        world.settle()
        owed = world.signed(bank, merchant, plain=PDF + b"%%owed\n", effective_from=date(2026, 11, 1))
        world.settle()
        waiting = world.submit(bank, intake(bank, merchant, plain=PDF + b"%%waiting\n")).version
        _end(world, bank, ending)
        measures = loading.read(loading.MEASURES_2023)
        world.database.write(
            lambda session: policy.enter(session, Actor.console(), measures, now=world.clock.now())
        )
        scheme.load_calendar(world.database, now=world.clock.now())
        api = Api(world, folder, demonstration=True)
        _serve_an_empty_template(api)
        others = {role: world.member(role.value, role=role, kind=kind) for role, kind in KINDS.items()}
        people: dict[Role | Person | None, Headers] = {None: _headers()}
        for role, member in {Role.PARTNER: bank, **others}.items():
            people[role] = _headers(_cookie(api, member))
        crowd = in_force(world)
        shown = filed(crowd)
        holder = _holder(crowd)
        people[Role.TALENT] = _headers(_cookie_of(api, holder.account_id))
        people[Person.DRAFTING] = _headers(_cookie_of(api, shown["drafting"]))
        shelf = Shelf(world)
        shelf.instrument()
        shelf.finance_access(bank)
        names = {
            **shown,
            **issued(crowd, bank.actor, holder),
            **held(make_court(crowd), bank.id, holder),
            **righted(crowd, holder, others[Role.AUDITOR].actor.account_id),
            **shown_benefits(crowd, bank.actor),
            **complained(crowd, bank.actor, merchant.actor, holder, agreement=owed.agreement_id, version=1),
            "settlement": settled(world.database, bank.id, now=world.clock.now()).id,
            **pushed(crowd, bank.actor),
            **_names(api, versions[0]),
            "waiting": waiting.agreement_id,
            "ending": ending.agreement_id,
            "instrument": measures.instrument,
            "edition": "1",
            "part": "applications",
            "outlet": _outlet(world, bank),
        }
        names |= given(crowd, bank.actor, names["outlet"], holder, MASTER_KEYS, agreement=owed.agreement_id)
        yield Stage(api.app, names, people)


def _holder(crowd: People) -> Actor:
    """Somebody who holds a code with a recognition that was confirmed."""
    talent = crowd.holder(claim=high())
    crowd.confirm(talent)
    return talent


def _end(world: World, by: Member, version: AgreementVersion) -> None:
    """Draw up a termination that waits for its signatures."""
    now, domain = world.clock.now(), world.domain
    drawn_up = TerminationInput(
        reason="双方合意（虚构）", notice="书面通知", effective_at=now + timedelta(days=9)
    )
    world.database.write(
        lambda session: termination.propose(
            session, by.actor, version.agreement_id, version.version, drawn_up, now=now, domain=domain
        )
    )


def _outlet(world: World, member: Member) -> str:
    """An outlet with its browser's terminal, a device, and the member's person as staff."""
    now, minted = world.clock.now(), api_keys.mint()

    def write(session: Session) -> str:
        place = OpenOutlet(name="虚构支行", address="虚构路 1 号")
        opened = outlets.open_outlet(session, member.actor, place, now=now).id
        person = BindStaff(account=member.actor.account_id)
        outlets.bind_staff(session, member.actor, opened, person, now=now)
        outlets.add_terminal(session, member.actor, opened, AddTerminal(name="柜台"), minted, now=now)
        return opened

    return world.database.write(write)


def _serve_an_empty_template(api: Api) -> None:
    pages: Pages = api.app.state.pages
    empty = jinja2.DictLoader({"empty.html": ""})
    for environment in pages._environments.values():
        loaders = [loader for loader in (environment.loader, empty) if loader is not None]
        environment.loader = jinja2.ChoiceLoader(loaders)

    @api.app.get(EMPTY, include_in_schema=False)
    def render(request: Request) -> Response:
        return pages.render(request, "empty.html")


def _headers(*more: tuple[bytes, bytes]) -> Headers:
    return [(b"host", b"127.0.0.1"), (b"accept", b"text/html"), *more]


def _cookie(api: Api, member: Member) -> tuple[bytes, bytes]:
    return _cookie_of(api, member.actor.account_id)


def _cookie_of(api: Api, account: str) -> tuple[bytes, bytes]:
    name = session_rules_of(api.service.settings).cookie.name
    return b"cookie", f"{name}={api.sign_in_as(account)}".encode()


def _names(api: Api, version: AgreementVersion) -> dict[str, str]:
    """As `Running.sample` of the browser tests."""
    record = version.record_id or ""
    leaf, size = api.world.database.read(
        lambda session: (
            session.get_one(EvidenceRecord, record).leaf_hash,
            history.newest_sizes(session, 1)[0],
        )
    )
    return {
        "agreement": version.agreement_id,
        "version": str(version.version),
        "record": record,
        "leaf": leaf.hex(),
        "size": str(size),
        "index": "0",
    }
