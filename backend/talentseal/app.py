"""The service's composition root: settings in, a running application out. Nothing else builds one."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache, partial
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

from fastapi import APIRouter, FastAPI
from pydantic import BaseModel
from sqlalchemy.orm import Session
from starlette.formparsers import MultiPartParser
from starlette.types import ASGIApp

from sealproof.eip712 import Domain
from sealproof.trust import Finality, FinalityPolicy
from talentseal.accounts import access
from talentseal.accounts.access import Access
from talentseal.accounts.api import api as accounts_api
from talentseal.accounts.api_keys import Authenticator
from talentseal.accounts.own_pages import pages as own_pages
from talentseal.accounts.pages import demonstration_pages
from talentseal.accounts.pages import pages as sign_in_pages
from talentseal.accounts.passwords import Passwords
from talentseal.accounts.roles import Actor
from talentseal.accounts.second_factor import SecretBox
from talentseal.accounts.sessions import SessionRules
from talentseal.accounts.signing_in import Door
from talentseal.accounts.throttle import Throttle
from talentseal.agreements.admission_api import api as admission_api
from talentseal.agreements.api import UPLOAD_LIMIT, AgreementDesk
from talentseal.agreements.api import api as agreements_api
from talentseal.agreements.documents import DocumentCipher
from talentseal.agreements.duty_api import api as breaches_api
from talentseal.agreements.pages import pages as agreement_pages
from talentseal.agreements.submitting import pages as submitting_pages
from talentseal.anchoring import epochs
from talentseal.audit import corrections
from talentseal.audit.api import AuditDesk
from talentseal.audit.api import api as audit_api
from talentseal.audit.certificate import Issuer
from talentseal.audit.events import CorrectionReason
from talentseal.audit.exploring import api as exploring_api
from talentseal.audit.exploring import pages as exploring_pages
from talentseal.audit.health import health, metrics_router
from talentseal.audit.log import log_files
from talentseal.audit.offline import lone_page
from talentseal.audit.operations import api as operations_api
from talentseal.audit.operations import pages as operations_pages
from talentseal.audit.pages import pages as audit_pages
from talentseal.audit.proofs import Notary
from talentseal.audit.receipt_pages import pages as receipt_pages
from talentseal.audit.relay import ChainRelay
from talentseal.audit.trail_pages import pages as trail_pages
from talentseal.audit.trust_pages import RoleHolders, TrustDesk
from talentseal.audit.trust_pages import api as trust_api
from talentseal.audit.trust_pages import pages as trust_pages
from talentseal.audit.verifying import VerifyingDesk, verifying
from talentseal.benefits.api import api as benefits_api
from talentseal.benefits.pages import pages as benefit_pages
from talentseal.benefits.standing_pages import pages as standing_pages
from talentseal.chain.port import Chain
from talentseal.chain.public_keys import PUBLIC_ADDRESSES
from talentseal.clock import Clock, SystemClock
from talentseal.complaints import holdings as complaint_holdings
from talentseal.complaints.api import api as complaints_api
from talentseal.complaints.breach_pages import pages as breach_pages
from talentseal.complaints.pages import pages as complaint_pages
from talentseal.config import ChainType, Settings
from talentseal.contributions.api import api as contributions_api
from talentseal.contributions.pages import pages as contribution_pages
from talentseal.credentials import holdings as credential_holdings
from talentseal.credentials import master_keys
from talentseal.credentials.api import api as presentations_api
from talentseal.credentials.card_api import api as cards_api
from talentseal.credentials.card_pages import pages as card_pages
from talentseal.credentials.code_pages import pages as code_pages
from talentseal.credentials.counter_pages import pages as counter_pages
from talentseal.credentials.issuing_pages import pages as issuing_pages
from talentseal.credentials.master_keys import MasterKeys
from talentseal.credentials.presenting import Credentials
from talentseal.db import Database
from talentseal.events.api import api as events_api
from talentseal.events.pages import pages as event_pages
from talentseal.events.reaching import Reach
from talentseal.evidence.headstore import HeadStore
from talentseal.evidence.models import EvidenceRecord
from talentseal.evidence.promises import promise
from talentseal.evidence.signing import LogSigner, create_secret, load_signer, read_secret
from talentseal.partners import service as partners
from talentseal.partners.access_api import api as access_api
from talentseal.partners.api import KeyRules
from talentseal.partners.api import api as partners_api
from talentseal.partners.outlet_api import api as outlets_api
from talentseal.partners.outlet_pages import pages as outlet_pages
from talentseal.partners.pages import pages as key_pages
from talentseal.partners.service import SigningKeyInvalid
from talentseal.policy.api import api as policy_api
from talentseal.policy.calendar_api import api as calendar_api
from talentseal.policy.calendar_pages import pages as calendar_pages
from talentseal.policy.measure_api import api as measures_api
from talentseal.policy.pages import pages as policy_pages
from talentseal.redemptions import holdings as redemption_holdings
from talentseal.redemptions.api import RedemptionDesk
from talentseal.redemptions.api import api as redemptions_api
from talentseal.redemptions.counter_pages import pages as giving_pages
from talentseal.redemptions.own_api import api as own_benefits_api
from talentseal.redemptions.pages import pages as redemption_pages
from talentseal.redemptions.settlement_api import api as settlements_api
from talentseal.redemptions.settlement_pages import pages as settlement_pages
from talentseal.sanctions import holdings as sanction_holdings
from talentseal.sanctions.api import api as sanctions_api
from talentseal.sanctions.case_pages import pages as case_pages
from talentseal.sanctions.pages import pages as rule_pages
from talentseal.talents import holdings
from talentseal.talents.api import api as talents_api
from talentseal.talents.applying import pages as applying_pages
from talentseal.talents.objection_api import api as objections_api
from talentseal.talents.objection_pages import pages as objection_pages
from talentseal.talents.office import pages as office_pages
from talentseal.talents.pages import pages as talent_pages
from talentseal.talents.privacy import PrivacyDesk
from talentseal.talents.privacy_pages import pages as privacy_pages
from talentseal.talents.review_pages import pages as review_pages
from talentseal.talents.rights_api import api as rights_api
from talentseal.talents.wish_pages import pages as wish_pages
from talentseal.vault import KeyFolder, Vault
from talentseal.web import problems
from talentseal.web.app_manifest import app_manifest
from talentseal.web.assets import Assets
from talentseal.web.forgery import SameSiteOnly
from talentseal.web.language import Language
from talentseal.web.openapi import document_problems
from talentseal.web.pages import Pages, PlainWords, Site
from talentseal.web.problems import PlainRefusals
from talentseal.web.reference import Reference, reference
from talentseal.web.routing import Beginning
from talentseal.web.security import SecurityHeaders
from talentseal.web.shedding import LoadShedding
from talentseal.worker import Worker

JSON_LIMIT = 1024 * 1024
"""Bytes of a request body that is no upload."""

# An upload stays in memory until it is encrypted: a document must not lie about as a plain temporary file.
MultiPartParser.spool_max_size = UPLOAD_LIMIT


@dataclass(frozen=True, slots=True)
class Service:
    """What one process holds open. Close it when done."""

    settings: Settings
    database: Database
    clock: Clock
    signer: LogSigner
    head_store: HeadStore
    cipher: DocumentCipher = field(repr=False)
    box: SecretBox = field(repr=False)
    vault: Vault = field(repr=False)
    master_keys: MasterKeys = field(repr=False)

    @property
    def notary(self) -> Notary:
        """What the service's own verification trusts."""
        policy = FinalityPolicy(self.settings.finality.value)
        depth = self.settings.finality_depth if policy is FinalityPolicy.DEPTH else 0
        return Notary(self.signer.verifier_key, Finality(policy, depth), label_of(self.settings))

    @property
    def issuer(self) -> Issuer:
        """What certificates say of this service."""
        settings = self.settings
        address, site = settings.address.rstrip("/"), site_of(settings)
        return Issuer(self.notary, address, settings.chain_type, site.chain_label, site.demonstration)

    @property
    def reach(self) -> Reach:
        """How far webhooks go."""
        return Reach(loopback=self.settings.webhooks_to_loopback)

    def close(self) -> None:
        """Close the database."""
        self.database.close()


_CHAINS: Final = {
    ChainType.DEVELOPMENT: ("开发链（单节点，仅供演示）", "development chain, one node, demonstration only"),
    ChainType.PERMISSIONED: ("联盟链", "permissioned chain"),
    ChainType.PUBLIC: ("公有链", "public chain"),
}
"""What a chain is called, which says what its anchors are worth."""


def label_of(settings: Settings) -> str:
    """What a trust file is called: the log, and the kind of chain."""
    return f"{settings.origin} · {' '.join(_CHAINS[settings.chain_type])}"


def site_of(settings: Settings) -> Site:
    """What every page says about this service."""
    zh, en = _CHAINS[settings.chain_type]
    return Site(settings.origin, {Language.ZH: zh, Language.EN: en}, settings.demonstration)


def session_rules_of(settings: Settings) -> SessionRules:
    """How long people stay signed in, and by what cookie."""
    return SessionRules(
        idle=timedelta(minutes=settings.session_idle_minutes),
        absolute=timedelta(hours=settings.session_hours),
        secure=settings.is_https,
    )


def create_keys(settings: Settings, *, now: datetime) -> list[Path]:
    """Make every key file that `build` reads, as far as it is missing; those that were made."""
    missing = [path for path in (settings.log_key_file, *settings.secret_files) if not path.exists()]
    for path in missing:
        create_secret(path)
    if not settings.credential_keys_file.exists():
        master_keys.create(settings.credential_keys_file, now)
        missing.append(settings.credential_keys_file)
    return missing


def build(settings: Settings, *, clock: Clock | None = None) -> Service:
    """Open everything the settings name. Raises KeyFileRefused, ValueError for a bad database address."""
    signer = load_signer(settings.origin, settings.log_key_file)
    cipher = DocumentCipher(read_secret(settings.document_key_file, length=32))
    return Service(
        settings=settings,
        database=Database(settings.database),
        clock=clock or SystemClock(),
        signer=signer,
        head_store=HeadStore(settings.head_store),
        cipher=cipher,
        box=SecretBox(read_secret(settings.sign_in_key_file, length=32)),
        master_keys=MasterKeys.load(settings.credential_keys_file),
        vault=vault_of(settings),
    )


def vault_of(settings: Settings) -> Vault:
    """What opens and seals what is kept of people. Raises KeyFileRefused."""

    def load() -> dict[int, bytes]:
        return {number: read_secret(path, length=32) for number, path in settings.people_key_files.items()}

    return Vault(KeyFolder(load), read_secret(settings.identity_key_file, length=32))


class Application(FastAPI):
    """FastAPI with our outermost layers, pages and OpenAPI document."""

    def __init__(self, pages: Pages, *, https: bool, **options: Any) -> None:
        # What it would send out holds bodies and addresses of requests. To ask whether anybody takes it was
        # 2 of 100 parts of a redemption.
        super().__init__(telemetry={"tracing": False, "metrics": False, "logs": False}, **options)
        self.state.pages = pages
        self.https = https

    def build_middleware_stack(self) -> ASGIApp:
        """Security headers and one shape of refusal hold outside everything, FastAPI's own layers
        included.
        """
        refusing = SameSiteOnly(PlainRefusals(super().build_middleware_stack()))
        shedding = LoadShedding(refusing)
        return SecurityHeaders(PlainWords(shedding, self.state.pages), https=self.https)

    def openapi(self) -> dict[str, Any]:
        """The OpenAPI document, made once."""
        if self.openapi_schema is None:
            self.openapi_schema = document_problems(access.document_keys(self, super().openapi()))
        return self.openapi_schema


class Version(BaseModel):
    """What is running, and what its anchors are worth."""

    name: str
    version: str
    origin: str
    chain_type: ChainType
    demonstration: bool


def open_domain(session: Session) -> Domain:
    """Where signatures hold now: the open epoch's chain and contract. Raises NoEpochOpen."""
    return epochs.domain_of(epochs.current(session))


def correct_record(session: Session, actor: Actor, record_id: str, now: datetime) -> str:
    """Record that a record was wrong, as a correction of somebody's data brings with it; the new number.

    What the data are is not said: that is in the correction, sealed.
    """
    reason, said = CorrectionReason.WRONG_CONTENT, "个人信息更正 correction of personal data"
    return corrections.correct(session, actor, record_id, reason, said, now=now).id


HOLDINGS: Final = (
    *holdings.OWN,
    *credential_holdings.HOLDINGS,
    *sanction_holdings.HOLDINGS,
    *redemption_holdings.HOLDINGS,
    *complaint_holdings.HOLDINGS,
)
"""Whatever is held of people, by all features."""


def holds_key(session: Session, organisation_id: str, address: str, now: datetime) -> bool:
    """Whether the organisation's key of that address is registered and valid."""
    try:
        partners.valid_key(session, organisation_id, address, now=now)
    except SigningKeyInvalid:
        return False
    return True


_API: Final = (
    *(accounts_api, partners_api, outlets_api, presentations_api, cards_api, agreements_api, policy_api),
    *(talents_api, rights_api, objections_api, calendar_api, sanctions_api),
    *(redemptions_api, own_benefits_api),
    *(measures_api, access_api, admission_api, benefits_api),
    *(breaches_api, complaints_api, events_api),
    *(settlements_api, contributions_api),
    *(audit_api, exploring_api, operations_api, trust_api),
)

_PAGES: Final = (
    *(audit_pages, sign_in_pages, own_pages, exploring_pages, operations_pages, trust_pages),
    *(key_pages, trail_pages, submitting_pages, agreement_pages),
    *(outlet_pages, giving_pages, counter_pages, redemption_pages, receipt_pages, issuing_pages),
    *(talent_pages, code_pages, card_pages, applying_pages, office_pages),
    *(review_pages, privacy_pages, wish_pages, objection_pages),
    *(rule_pages, case_pages),
    *(benefit_pages, standing_pages),
    *(complaint_pages, breach_pages, event_pages),
    *(settlement_pages, contribution_pages),
    *(policy_pages, calendar_pages, verifying, reference),
)
"""Of everyone, partners, counters, talents and their office, rights, sanctions, complaints; rules, tools."""


@cache
def _assets() -> Assets:
    return Assets()


def create_app(
    service: Service,
    *,
    worker: Worker | None = None,
    authenticator: Authenticator | None = None,
    chain: Callable[[], Chain | None] = lambda: None,
    passwords: Passwords | None = None,
) -> Application:
    """The ASGI application. worker: runs in this process's threads for as long as the application does.

    chain: that of the newest epoch, read for the trust statement; None when there is none to be asked.
    """

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        if worker is not None:
            worker.start()
        yield
        if worker is not None:
            worker.stop()

    assets = _assets()
    app = Application(
        Pages(assets, site_of(service.settings), access.visitor_of),
        https=service.settings.is_https,
        title="TalentSeal 人才存证",
        version=version("talentseal"),
        openapi_url="/api/v1/openapi.json",
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        max_body_size=JSON_LIMIT,
        lifespan=lifespan,
    )
    access.install(app)
    problems.install(app)
    _furnish(app, service, authenticator)
    app.state.door = _door(service, passwords or Passwords())
    app.state.reference = Reference(app)
    lone = lone_page(app.state.pages, assets)
    app.state.trust = TrustDesk(service.settings.chain_type, RoleHolders(chain), lone.sha256)
    app.state.verifying = VerifyingDesk(
        service.notary, ChainRelay(service.settings.chain_url), lone, service.settings.public_chain_url
    )
    app.router.routes.extend(_served().routes)
    _mount(app, service)
    if service.settings.demonstration:
        app.include_router(demonstration_pages)
    access.declare(app)
    return app


def _furnish(app: Application, service: Service, authenticator: Authenticator | None) -> None:
    """Put what the routes take from the application into its state."""

    def sign_promise(record: EvidenceRecord) -> str:
        return promise(service.signer, record)

    known = authenticator or Authenticator(service.database, service.clock.now)
    app.state.access = Access(service.database, service.clock, known, session_rules_of(service.settings))
    refused: frozenset[str] = frozenset() if service.settings.demonstration else PUBLIC_ADDRESSES
    app.state.key_rules = KeyRules(refused)
    app.state.agreements = AgreementDesk(service.cipher, open_domain, sign_promise)
    app.state.audit = AuditDesk(service.issuer, sign_promise)
    app.state.vault = service.vault
    app.state.reach = service.reach
    app.state.credentials = Credentials(service.master_keys, service.vault)
    app.state.redemptions = RedemptionDesk(app.state.credentials, partial(promise, service.signer))
    app.state.privacy = PrivacyDesk(HOLDINGS, correct_record)


def _door(service: Service, passwords: Passwords) -> Door:
    """What signing in works with."""
    return Door(
        passwords=passwords,
        box=service.box,
        throttle=Throttle(),
        issuer=service.settings.origin,
        origin=service.settings.address,
        domain=open_domain,
        holds_key=holds_key,
    )


@cache
def _served() -> APIRouter:
    """What all applications of the process serve alike, built once: FastAPI takes half a second for it."""
    assets = _assets()
    served = APIRouter(max_body_size=JSON_LIMIT)
    for prefix, routers in (
        ("/api/v1", _API),
        ("", (log_files, health, assets.router(), app_manifest(assets), *_PAGES)),
    ):
        for router in routers:
            served.include_router(Beginning(router, prefix), prefix=prefix)
    return served


def _mount(app: Application, service: Service) -> None:
    """Add the routes that tell of this service alone."""
    app.include_router(metrics_router(service.database, service.clock))
    settings = service.settings

    @app.get("/version", tags=["operation"])
    def running() -> Version:
        """What is running?"""
        return Version(
            name="talentseal",
            version=version("talentseal"),
            origin=settings.origin,
            chain_type=settings.chain_type,
            demonstration=settings.demonstration,
        )
