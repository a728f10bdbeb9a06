"""What all tests share: databases of both kinds, a chain, a deployed registry; all local and temporary."""

import re
import secrets
import shutil
import sys
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import eth_account  # noqa: F401 - before any test, for what it does to the limit below
import hypothesis
import pytest
import structlog

from chainkit.anvil_accounts import DEMO_ACCOUNTS
from chainkit.node import Anvil
from tests.postgres import Copies, Postgres

if TYPE_CHECKING:
    from chainkit.deploy import Deployment

pytest_plugins = ["tests.scenario_report"]

# As the service has it: py_ecc, which eth_account brings, lifts the limit so far that deep JSON ends the
# process.
sys.setrecursionlimit(1000)

# No deadline: two cores are shared by all workers, and a slow example is no wrong one.
hypothesis.settings.register_profile("short", deadline=None)
hypothesis.settings.register_profile("long", deadline=None, max_examples=5000)
hypothesis.settings.load_profile("short")

ROLES = {
    role: account.address
    for role, account in zip(("ANCHOR", "REGISTRAR", "ARBITER", "PAUSER"), DEMO_ACCOUNTS[1:5], strict=True)
}
"""Who holds which role in the `deployment` of the tests; account 0 deployed it and is its admin."""

ADMIN_DELAY = 172_800


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--long`: run the programmes of minutes too."""
    parser.addoption("--long", action="store_true", help="run the tests marked long as well")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave the long ones out unless asked for: deselected, so that a skip stays worth reading."""
    if config.getoption("long"):
        return
    long = [item for item in items if item.get_closest_marker("long") or _is_anothers_turn(item)]
    if long:
        config.hook.pytest_deselected(items=long)
        items[:] = [item for item in items if item not in long]


ON_BOTH = re.compile(r"tests\.(db|evidence|anchoring|credentials|redemptions|crash|worker)\b")
AT_ONCE = re.compile(
    r"at_once|parallel|together|race|rush|concurrent|at_the_same|simultaneous|once_however|many"
)
"""What the database itself decides: those features, and tests that say that things happen at once."""


def _is_anothers_turn(item: pytest.Item) -> bool:
    """Whether the test takes the other kind of database. Where the database decides nothing, each test takes
    one kind by turns, unless a scenario asks for both. `--long` takes both.
    """
    kind = getattr(item, "callspec", None) and item.callspec.params.get("database_url")  # type: ignore[attr-defined]
    module = item.module.__name__  # type: ignore[attr-defined]
    if (
        kind is None
        or ON_BOTH.match(module)
        or AT_ONCE.search(item.name)
        or item.get_closest_marker("scenario")
    ):
        return False
    turn = zlib.crc32(item.nodeid.replace(str(kind), "").encode()) % 2
    return bool(kind != ("sqlite", "postgresql")[turn])


@pytest.fixture(autouse=True)
def own_logs() -> Iterator[None]:
    """What a test's command makes of logging ends with the test."""
    yield
    structlog.reset_defaults()


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A PostgreSQL server, one per test process."""
    server = Postgres()
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def migrated_postgres(postgres: Postgres) -> Copies:
    """Databases with all tables."""
    postgres.execute("CREATE DATABASE migrated")
    _migrate(postgres.url("migrated"))
    return Copies(postgres, "migrated")


@pytest.fixture(scope="session")
def migrated_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database file with all tables, to be copied."""
    file = tmp_path_factory.mktemp("migrated") / "talentseal.sqlite"
    _migrate(f"sqlite:///{file}")
    return file


@pytest.fixture
def postgres_url(migrated_postgres: Copies) -> Iterator[str]:
    """A PostgreSQL database with all tables, as fresh from the migrations."""
    with migrated_postgres.one() as url:
        yield url


@pytest.fixture
def sqlite_url(tmp_path: Path, migrated_sqlite: Path) -> str:
    """A fresh SQLite file with all tables."""
    shutil.copyfile(migrated_sqlite, tmp_path / "talentseal.sqlite")
    return f"sqlite:///{tmp_path / 'talentseal.sqlite'}"


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str:
    """A fresh database with all tables: the test runs once on each kind."""
    url: str = request.getfixturevalue("sqlite_url" if request.param == "sqlite" else "postgres_url")
    return url


@pytest.fixture(params=["sqlite", "postgresql"])
def blank_database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A fresh database without tables, on each kind: for tests of the migrations themselves."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'blank.sqlite'}"
    else:
        yield from _blank(request.getfixturevalue("postgres"))


@pytest.fixture(scope="session")
def anvil(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Anvil]:
    """One local chain per test process. Tests use `chain_url`, which puts it back afterwards."""
    with Anvil(tmp_path_factory.mktemp("anvil"), keep_history=True) as node:
        yield node


@pytest.fixture
def chain_url(anvil: Anvil) -> Iterator[str]:
    """The chain's address; whatever the test does to it is undone."""
    before = anvil.call("evm_snapshot")
    yield anvil.url
    anvil.call("evm_revert", before)


@pytest.fixture
def deployment(chain_url: str) -> "Deployment":
    """The shipped registry, deployed on `chain_url`, with the roles of `ROLES`."""
    from chainkit.compile import Artifact
    from chainkit.deploy import deploy

    admin = DEMO_ACCOUNTS[0]
    return deploy(
        chain_url,
        Artifact.load(),
        sender_key=admin.key,
        admin=admin.address,
        admin_delay=ADMIN_DELAY,
        deployment_id="0x" + secrets.token_hex(32),
        predecessor="0x" + "00" * 32,
        roles=ROLES,
    )


def _migrate(url: str) -> None:
    from talentseal.db import Database

    database = Database(url)
    database.upgrade()
    database.close()


def _blank(postgres: Postgres) -> Iterator[str]:
    name = f"test_{secrets.token_hex(8)}"
    postgres.execute(f"CREATE DATABASE {name} TEMPLATE template0")
    yield postgres.url(name)
    postgres.execute(f"DROP DATABASE {name} WITH (FORCE)")
