"""What a signer computes for himself before he signs: nothing the service says is taken on trust.

From the document in his hands and the disclosures that he was given he computes the digests, the terms text,
the commitment, the stipulations root and the EIP-712 digest; only when all agree is there something to sign.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import ClassVar

from sealproof import disclosure, merkle
from sealproof.canonical import Json
from sealproof.eip712 import AgreementStatement, Domain, TerminationStatement
from sealproof.errors import ProofError
from talentseal.agreements import terms
from talentseal.agreements.documents import Digests
from talentseal.agreements.schemas import AgreementView, Submission
from talentseal.errors import Invalid


class LocalMismatch(Invalid):
    code: ClassVar[str] = "local-mismatch"
    zh: ClassVar[str] = (
        "不予签署：{what} 与本地计算不符（本地 {expected}，服务方 {met}）。请核对文件并联系提交方。"
    )
    en: ClassVar[str] = (
        "Not signed: {what} differs (computed here {expected}, served {met}); check with the submitter."
    )


@dataclass(frozen=True, slots=True)
class Checked:
    """What may be signed. digest: 32 bytes; content, stipulations: what the terms say, for the signer's
    eyes.
    """

    digest: bytes
    content: Mapping[str, Json]
    stipulations: tuple[Json, ...]


def check_agreement(
    view: AgreementView, document: Digests, *, signer: str, domain: Domain | None, agreed: Submission | None
) -> Checked:
    """Recompute everything behind a version's digest.

    domain: from the signer's own trust file, or None to take the one served. agreed: what the signer knows
    was agreed, compared field by field when given. Raises LocalMismatch naming the first thing that differs.
    """
    try:
        statement = AgreementStatement.from_json(view.statement)
        content = _content(view.terms_disclosures)
        stipulations = _stipulations(view.stipulations)
    except ProofError as error:
        raise LocalMismatch(what="disclosures", expected="readable", met=str(error)) from None
    _check_terms(view, statement, "agreement-terms")
    _check_document(content, document)
    _check_stipulations(view, statement)
    _check_statement(statement, content)
    if agreed is not None:
        _check_agreed(content, stipulations, agreed)
    digest = _check_digest(view.digest, statement, signer, domain or Domain(view.chain_id, view.contract))
    return Checked(digest, content, stipulations)


def check_termination(view: AgreementView, *, signer: str, domain: Domain | None) -> Checked:
    """Recompute everything behind a termination's digest. Raises LocalMismatch."""
    served = view.termination
    if served is None:
        raise LocalMismatch(what="termination", expected="one", met="none")
    place = domain or Domain(view.chain_id, view.contract)
    try:
        statement = TerminationStatement.from_json(served.statement)
        ended = AgreementStatement.from_json(view.statement)
        content = _content(served.terms_disclosures)
    except ProofError as error:
        raise LocalMismatch(what="disclosures", expected="readable", met=str(error)) from None
    text = terms.terms_text("termination-terms", view.agreement, view.version, served.terms_disclosures or [])
    _equal("termination terms", text, served.terms)
    _equal("termination commitment", hashlib.sha256(text.encode()).hexdigest(), statement.commitment.hex())
    _equal("version ended", ended.digest(place).hex(), statement.agreement.hex())
    return Checked(_check_digest(served.digest, statement, signer, place), content, ())


def _content(disclosures: Sequence[str] | None) -> dict[str, Json]:
    if disclosures is None:
        raise LocalMismatch(what="terms", expected="disclosed", met="erased")
    shown = [disclosure.read(item) for item in disclosures]
    return {item.name: item.value for item in shown}


def _stipulations(disclosures: Sequence[str | None]) -> tuple[Json, ...]:
    shown = []
    for item in disclosures:
        if item is None:
            raise LocalMismatch(what="stipulations", expected="disclosed", met="erased")
        read = disclosure.read(item)
        _equal("stipulation field", terms.STIPULATION, read.name)
        shown.append(read.value)
    return tuple(shown)


def _check_terms(view: AgreementView, statement: AgreementStatement, kind: str) -> None:
    text = terms.terms_text(kind, view.agreement, view.version, view.terms_disclosures or [])
    _equal("terms text", text, view.terms)
    _equal("commitment", hashlib.sha256(text.encode()).hexdigest(), statement.commitment.hex())
    _equal("agreement id", view.agreement, "0x" + statement.agreement_id.hex())
    _equal("version", view.version, statement.version)


def _check_document(content: Mapping[str, Json], document: Digests) -> None:
    served = content.get("document")
    named = served if isinstance(served, Mapping) else {}
    _equal("document SHA-256", document.sha256, named.get("sha256"))
    _equal("document SM3", document.sm3, named.get("sm3"))
    _equal("document size", document.size, named.get("size"))
    _equal("document type", document.media_type.value, named.get("media_type"))


def _check_stipulations(view: AgreementView, statement: AgreementStatement) -> None:
    leaves = [terms.leaf_hash(item) for item in view.stipulations if item is not None]
    _equal("number of stipulations", len(leaves), statement.stipulation_count)
    _equal("stipulations root", merkle.root_of(leaves).hex(), statement.stipulations_root.hex())


def _check_statement(statement: AgreementStatement, content: Mapping[str, Json]) -> None:
    first, last = _day(content, "effective_from"), _day(content, "valid_through")
    _equal("effective from", terms.first_second(first), statement.effective_from)
    _equal("valid through", terms.last_second(last), statement.valid_through)
    named = content.get("parties")
    organisations = [each.get("organisation") for each in named] if isinstance(named, list) else []
    _equal("parties", organisations, ["0x" + party.organisation.hex() for party in statement.parties])
    previous = content.get("previous", "0x" + bytes(32).hex())
    _equal("previous version", previous, "0x" + statement.previous.hex())


def _day(content: Mapping[str, Json], name: str) -> date:
    try:
        return date.fromisoformat(str(content.get(name)))
    except ValueError:
        raise LocalMismatch(what=name, expected="a date", met=str(content.get(name))) from None


def _check_agreed(content: Mapping[str, Json], stipulations: Sequence[Json], agreed: Submission) -> None:
    for name in ("number", "title"):
        _equal(name, getattr(agreed, name), content.get(name))
    _equal("category", agreed.category.value, content.get("category"))
    _equal("effective from", agreed.effective_from.isoformat(), content.get("effective_from"))
    _equal("valid through", agreed.valid_through.isoformat(), content.get("valid_through"))
    survives = content.get("survives_instrument", False)
    _equal("survives the instrument", agreed.survives_instrument, survives)
    served = content.get("parties")
    named = (
        [(each.get("organisation"), each.get("role")) for each in served] if isinstance(served, list) else []
    )
    _equal("parties and roles", sorted((each.organisation, each.role) for each in agreed.parties), named)
    expected = [terms.stipulation_content(each) for each in agreed.stipulations]
    _equal("stipulations", expected, list(stipulations))


def _check_digest(
    served: str, statement: AgreementStatement | TerminationStatement, signer: str, domain: Domain
) -> bytes:
    digest = statement.digest(domain)
    _equal("EIP-712 digest", "0x" + digest.hex(), served)
    if signer not in {party.signer for party in statement.parties}:
        raise LocalMismatch(what="signer", expected=signer, met="no party signs with this key")
    return digest


def _equal(what: str, expected: Json, met: Json) -> None:
    if expected != met:
        raise LocalMismatch(what=what, expected=str(expected)[:100], met=str(met)[:100])
