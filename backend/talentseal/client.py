"""A typed client of the JSON API, as partners' programs and the command line use it. One file, httpx2 only.

It holds no private key and sends none: signatures are made outside and handed in.
"""

import secrets
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

import httpx2
from pydantic import BaseModel, ValidationError

from talentseal.accounts.api import Me
from talentseal.agreements.api import AgreementPage
from talentseal.agreements.schemas import (
    AgreementReceipt,
    AgreementView,
    HashOnlySubmission,
    TerminationInput,
    TypedData,
    UploadedSubmission,
)
from talentseal.audit.schemas import RecordView
from talentseal.partners.api import KeyList
from talentseal.partners.schemas import KeyView
from talentseal.talents.schemas import ImportReport

TIMEOUT_SECONDS = 30.0
Model = TypeVar("Model", bound=BaseModel)


class ServiceUnreachable(Exception):
    """No answer, or one that is not this service's. Whether the request took effect is not known."""


class ServiceRefused(Exception):
    """The service said no. code: stable; zh, en: a sentence that says what to do; fields: what is wrong."""

    def __init__(self, status: int, code: str, zh: str, en: str, *, fields: tuple[str, ...] = ()) -> None:
        super().__init__(f"{code}: {en}")
        self.status = status
        self.code = code
        self.zh = zh
        self.en = en
        self.fields = fields


@dataclass(frozen=True, slots=True)
class Version:
    """One version of an agreement: where the API keeps it."""

    agreement: str
    number: int

    @property
    def path(self) -> str:
        return f"/agreements/{self.agreement}/versions/{self.number}"


class Client:
    """Talks to one service with one API key. Use as a context manager."""

    def __init__(self, url: str, api_key: str, *, transport: httpx2.BaseTransport | None = None) -> None:
        self._http = httpx2.Client(
            base_url=url.rstrip("/") + "/api/v1",
            headers={"Authorization": f"Bearer {api_key}", "Accept": "application/json"},
            timeout=TIMEOUT_SECONDS,
            transport=transport,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._http.close()

    def me(self) -> Me:
        """Who this key acts for."""
        return self._get("/me", Me)

    def submit(self, submission: HashOnlySubmission, *, amends: Version | None = None) -> AgreementReceipt:
        """Submit by digests; the document does not leave this machine."""
        path = "/agreements" if amends is None else f"{amends.path}/amendments"
        return self._post(path, AgreementReceipt, json=submission.model_dump(mode="json"))

    def upload(
        self, submission: UploadedSubmission, document: Path, *, amends: Version | None = None
    ) -> AgreementReceipt:
        """Submit with the document."""
        path = "/agreements/upload" if amends is None else f"{amends.path}/amendments/upload"
        with document.open("rb") as file:
            # The file's own name stays here: it may say more than the document.
            files = {"document": ("document", file, "application/octet-stream")}
            return self._post(
                path, AgreementReceipt, data={"agreement": submission.model_dump_json()}, files=files
            )

    def import_register(self, content: bytes) -> ImportReport:
        """Share a register as CSV; what became of its lines."""
        return self._post("/registers", ImportReport, files={"file": ("register", content, "text/csv")})

    def agreements(self, *, after: str | None = None, limit: int = 20) -> AgreementPage:
        """A page of the versions one may see, newest first."""
        parameters: dict[str, str | int] = {"limit": limit} | ({"after": after} if after else {})
        return self._get("/agreements", AgreementPage, params=parameters)

    def agreement(self, version: Version) -> AgreementView:
        """One version in full."""
        return self._get(version.path, AgreementView)

    def typed_data(self, version: Version, *, termination: bool = False) -> TypedData:
        """What the parties sign, as the service has it. Compute your own and compare before signing."""
        return self._get(f"{_statement(version, termination)}/typed-data", TypedData)

    def sign(self, version: Version, signature: str, *, termination: bool = False) -> AgreementReceipt:
        """Hand in a signature (0x and 65 bytes)."""
        path = f"{_statement(version, termination)}/signatures"
        return self._post(path, AgreementReceipt, json={"signature": signature})

    def return_version(self, version: Version, reason: str) -> AgreementReceipt:
        """Decline or return a version."""
        return self._post(f"{version.path}/return", AgreementReceipt, json={"reason": reason})

    def terminate(self, version: Version, command: TerminationInput) -> AgreementReceipt:
        """Draw up a termination for all parties to sign."""
        body = command.model_dump(mode="json")
        return self._post(f"{version.path}/termination", AgreementReceipt, json=body)

    def document(self, version: Version) -> bytes:
        """The kept document."""
        return self._request("GET", f"{version.path}/document").content

    def record(self, record: str) -> RecordView:
        """How far an evidence record has come."""
        return self._get(f"/evidence/{record}", RecordView)

    def bundle(self, record: str) -> bytes:
        """The record's `.seal.json`."""
        return self._request("GET", f"/evidence/{record}/bundle").content

    def tlog_proof(self, record: str) -> str:
        """The record's `.tlog-proof`."""
        return self._request("GET", f"/evidence/{record}/tlog-proof").text

    def certificate(self, record: str) -> bytes:
        """The record's certificate, a PDF/A of one page."""
        return self._request("GET", f"/evidence/{record}/certificate").content

    def agreement_certificate(self, agreement: str) -> bytes:
        """The certificate of an agreement's whole history, a PDF/A."""
        return self._request("GET", f"/agreements/{agreement}/certificate").content

    def keys(self, organisation: str) -> list[KeyView]:
        """An organisation's signing keys."""
        return self._get(f"/organisations/{organisation}/keys", KeyList).items

    def request_key(self, organisation: str, address: str) -> KeyView:
        """Ask for a signing key; the answer holds the challenge."""
        path = f"/organisations/{organisation}/keys"
        return self._post(path, KeyView, json={"address": address})

    def prove_key(self, organisation: str, address: str, signature: str) -> KeyView:
        """Hand in the key's signature over its challenge."""
        path = f"/organisations/{organisation}/keys/{address}/proof"
        return self._post(path, KeyView, json={"signature": signature})

    def approve_key(self, organisation: str, address: str) -> KeyView:
        """Register a proven key (operator)."""
        return self._post(f"/organisations/{organisation}/keys/{address}/approval", KeyView)

    def revoke_key(self, organisation: str, address: str) -> KeyView:
        """Stop a key."""
        return self._post(f"/organisations/{organisation}/keys/{address}/revocation", KeyView)

    def _get(self, path: str, model: type[Model], **options: Any) -> Model:
        return _read(model, self._request("GET", path, **options))

    def _post(self, path: str, model: type[Model], **options: Any) -> Model:
        headers = {"Idempotency-Key": secrets.token_hex(16)}
        return _read(model, self._request("POST", path, headers=headers, **options))

    def _request(self, method: str, path: str, **options: Any) -> httpx2.Response:
        """Raises ServiceUnreachable, ServiceRefused."""
        try:
            response = self._http.request(method, path, **options)
        except httpx2.HTTPError as error:
            raise ServiceUnreachable(type(error).__name__) from None
        if response.is_success:
            return response
        raise _refusal(response)


def _statement(version: Version, termination: bool) -> str:
    return f"{version.path}/termination" if termination else version.path


def _read(model: type[Model], response: httpx2.Response) -> Model:
    try:
        return model.model_validate_json(response.content)
    except ValidationError:
        raise ServiceUnreachable("the answer is not this service's") from None


def _refusal(response: httpx2.Response) -> ServiceRefused | ServiceUnreachable:
    try:
        problem = response.json()
        fields = tuple(f"{each['path']}: {each['en']}" for each in problem.get("errors", []))
        return ServiceRefused(
            response.status_code, problem["code"], problem["zh"], problem["en"], fields=fields
        )
    except (ValueError, KeyError, TypeError):
        return ServiceUnreachable(f"HTTP {response.status_code}")
