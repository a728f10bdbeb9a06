"""A signed-in person before the desk's pages: what a browser sends, without the browser."""

import re
from typing import Any

from sqlalchemy import func, select

from talentseal.agreements.models import AgreementVersion
from tests.api.conftest import Api
from tests.world import PDF, Member, examined, terms_of

BROWSER = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}


class Desk:
    """One browser. `as_` signs another person in."""

    def __init__(self, api: Api, member: Member) -> None:
        self.api = api
        self.member = member
        self.as_(member)

    def as_(self, member: Member) -> "Desk":
        self.api.sign_in(member)
        self.member = member
        return self

    def get(self, path: str, **headers: str) -> Any:
        return self.api.http.get(path, headers=BROWSER | headers, follow_redirects=False)

    def post(self, path: str, data: dict[str, Any] | None = None, **options: Any) -> Any:
        return self.api.http.post(path, data=data or {}, headers=BROWSER, follow_redirects=False, **options)

    def submit(self, *members: Member, **changes: Any) -> str:
        """Submit through the form; the address of the version's page."""
        answer = self.post("/agreements/new", form_of(*members, **changes))
        assert answer.status_code == 303, said(answer)
        return str(answer.headers["location"]).split("?")[0]

    def digest(self, address: str, part: str = "/sign") -> str:
        """What the page of signing offers to sign."""
        page = self.get(address + part)
        digest = re.search(r'data-copy="(0x[0-9a-f]{64})"', page.text)
        assert digest is not None, said(page)
        return digest[1]

    def sign(self, address: str, part: str = "/sign") -> Any:
        """Paste the member's signature over it."""
        return self.post(address + part, {"signature": self.member.sign(self.digest(address, part))})

    def signed(self, *members: Member, **changes: Any) -> str:
        """An agreement that all have signed, each at his own browser."""
        address = self.submit(*members, **changes)
        for member in members:
            assert self.as_(member).sign(address).status_code == 303
        self.as_(members[0])
        return address

    @property
    def versions(self) -> int:
        """How many versions there are at all."""
        count = select(func.count()).select_from(AgreementVersion)
        return self.api.world.database.read(lambda session: session.scalar(count) or 0)


def form_of(*members: Member, plain: bytes = PDF, **changes: Any) -> dict[str, Any]:
    """The fields of the form as its script fills them in: by digests, the file staying at home."""
    typed = {name: changes.pop(name) for name in list(changes) if "." in name or name in {"do", "keep"}}
    terms = terms_of(*members, **changes).model_dump(mode="json")
    digests = examined(plain)
    places = {party["organisation"]: str(place) for place, party in enumerate(terms["parties"])}
    fields: dict[str, Any] = {
        name: terms[name] for name in ("number", "title", "category", "effective_from", "valid_through")
    }
    for place, (party, member) in enumerate(zip(terms["parties"], members, strict=True)):
        fields |= {f"parties.{place}.organisation": member.name, f"parties.{place}.role": party["role"]}
    for place, row in enumerate(terms["stipulations"]):
        row["duty_holder"] = places[row["duty_holder"]]
        fields |= {f"stipulations.{place}.{name}": value for name, value in row.items()}
    fields |= {
        "do": "submit",
        "keep": "digests",
        "document.sha256": digests.sha256,
        "document.sm3": digests.sm3,
        "document.size": str(digests.size),
        "document.media_type": digests.media_type.value,
    }
    return fields | typed


def said(answer: Any) -> str:
    """What a page says, without its markup, for a test that failed."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.text))[:3000]
