"""All settings, read once by a composition root and passed on.

Each is an environment variable `TALENTSEAL_<NAME>` (`TALENTSEAL_PORT=8640`). Secrets are never
values here but paths of files that only their owner may read.
"""

from enum import StrEnum
from pathlib import Path
from typing import Self

from pydantic import Field, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from sealproof.rpc import check_url


class FinalityPolicy(StrEnum):
    """When a block counts as final. Whatever the policy, its hash is compared again for some time
    afterwards.
    """

    INSTANT = "instant"
    """As soon as it is mined: networks with immediate finality (QBFT, PBFT) and a single development node."""
    DEPTH = "depth"
    """Once `finality_depth` blocks lie above it."""
    TAG = "tag"
    """Once the node's own `finalized` tag has reached it."""


class ChainType(StrEnum):
    """What kind of network the anchors lie on; shown on every proof and page, because it says what they are
    worth.
    """

    DEVELOPMENT = "development"
    """A single node with public keys: shows that the software works, proves nothing to a stranger."""
    PERMISSIONED = "permissioned"
    PUBLIC = "public"


class LogFormat(StrEnum):
    CONSOLE = "console"
    JSON = "json"


class Settings(BaseSettings):
    """The service's configuration; the defaults are those of the embedded size (one process, SQLite, local
    Anvil).
    """

    model_config = SettingsConfigDict(env_prefix="TALENTSEAL_", frozen=True, extra="ignore")

    data_dir: Path = Field(
        default=Path(".state"), description="Folder of the database, keys and chain state."
    )
    database_url: str = Field(
        default="", description="sqlite:///PATH or postgresql://…; empty: talentseal.db in data_dir."
    )
    head_store_file: Path | None = Field(
        default=None,
        description="The last signed head; put it on another volume than the database. Default: in data_dir.",
    )
    origin: str = Field(
        default="talentseal.example/log", description="The log's name: a URL without scheme, for ever."
    )
    host: str = Field(default="127.0.0.1", description="Address to listen on.")
    port: int = Field(default=8640, ge=0, le=65535, description="Port to listen on.")
    public_url: str = Field(default="", description="How others reach the service; empty: http://host:port.")
    demonstration: bool = Field(
        default=False,
        description="Allows Anvil's public keys and creates demonstration accounts. Never on a real network.",
    )
    webhooks_to_loopback: bool = Field(
        default=False,
        description="Lets webhooks reach this machine, by http too. For demonstrations and tests alone.",
    )
    session_idle_minutes: int = Field(
        default=30,
        ge=1,
        le=24 * 60,
        description="Minutes without a request after which a person is signed out.",
    )
    session_hours: int = Field(
        default=12, ge=1, le=24 * 7, description="Hours after signing in when a person has to sign in again."
    )
    log_format: LogFormat = Field(
        default=LogFormat.CONSOLE, description="console for people, json for collectors."
    )

    chain_url: str = Field(default="http://127.0.0.1:8545", description="JSON-RPC address of the EVM chain.")
    public_chain_url: str = Field(
        default="",
        description="JSON-RPC address offered to verifiers' browsers; empty: they name a node themselves.",
    )
    chain_type: ChainType = Field(default=ChainType.DEVELOPMENT, description="Shown on every proof.")
    deployment_file: Path | None = Field(
        default=None, description="Record of the deployed contract. Default: in data_dir."
    )
    finality: FinalityPolicy = Field(
        default=FinalityPolicy.INSTANT, description="When a block counts as final."
    )
    finality_depth: int = Field(default=1, ge=1, le=10_000, description="Blocks above, for the depth policy.")
    anchor_interval: float = Field(
        default=2.0, gt=0, le=3600, description="Seconds between two looks at the chain."
    )
    anchor_keystore_file: Path | None = Field(default=None, description="Keystore V3 of the ANCHOR sender.")
    anchor_passphrase_file: Path | None = Field(default=None, description="Its passphrase, mode 0600.")
    registrar_keystore_file: Path | None = Field(
        default=None, description="Keystore V3 of the REGISTRAR sender."
    )
    registrar_passphrase_file: Path | None = Field(default=None, description="Its passphrase, mode 0600.")
    arbiter_keystore_file: Path | None = Field(default=None, description="Keystore V3 of the ARBITER sender.")
    arbiter_passphrase_file: Path | None = Field(default=None, description="Its passphrase, mode 0600.")

    @model_validator(mode="after")
    def _origin_is_a_name(self) -> Self:
        if not self.origin or any(mark in self.origin for mark in " +\n") or "://" in self.origin:
            raise ValueError(
                "TALENTSEAL_ORIGIN: expected a URL without scheme, spaces or '+', such as log.example/2026"
            )
        return self

    @field_validator("public_chain_url")
    @classmethod
    def _public_chain_is_an_address(cls, url: str) -> str:
        return check_url(url) if url else url

    @property
    def database(self) -> str:
        return self.database_url or f"sqlite:///{self.data_dir / 'talentseal.db'}"

    @property
    def head_store(self) -> Path:
        return self.head_store_file or self.data_dir / "head" / "head.json"

    @property
    def deployment(self) -> Path:
        return self.deployment_file or self.data_dir / "deployment.json"

    @property
    def log_key_file(self) -> Path:
        return self.data_dir / "keys" / "log.key"

    @property
    def document_key_file(self) -> Path:
        return self.data_dir / "keys" / "documents.key"

    @property
    def sign_in_key_file(self) -> Path:
        return self.data_dir / "keys" / "sign-in.key"

    @property
    def credential_keys_file(self) -> Path:
        return self.data_dir / "keys" / "credentials.keys"

    @property
    def identity_key_file(self) -> Path:
        return self.data_dir / "keys" / "identity.key"

    def people_key_file(self, number: int) -> Path:
        return self.data_dir / "keys" / f"people-{number}.key"

    @property
    def people_key_files(self) -> dict[int, Path]:
        """The keys that seal what is kept of people, by number: people-1.key and those that came after it."""
        folder = self.data_dir / "keys"
        numbered = {int(path.stem[7:]): path for path in folder.glob("people-[1-9]*.key")}
        return {1: folder / "people-1.key", **numbered}

    @property
    def secret_files(self) -> tuple[Path, ...]:
        """Every file of 32 secret bytes that the service cannot do without, the log's own apart."""
        people = self.people_key_files.values()
        return (self.document_key_file, self.sign_in_key_file, self.identity_key_file, *people)

    @property
    def address(self) -> str:
        return self.public_url or f"http://{self.host}:{self.port}"

    @property
    def is_https(self) -> bool:
        """Whether people reach the service over https: then browsers are told to stay there."""
        return self.address.startswith("https://")
