"""Steps 8 to 10: the terms of an agreement, its stipulations, and every party's signature."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone
from hashlib import sha256
from itertools import pairwise
from typing import Final

from sealproof import canonical
from sealproof.bundle import AgreementEvidence
from sealproof.canonical import Json
from sealproof.disclosed import disclosed_fields
from sealproof.disclosure import ALGORITHM, read
from sealproof.eip712 import Party, TerminationStatement
from sealproof.encoding import excerpt, utf8_encode
from sealproof.errors import DecodeError, NotCanonical, ProofError, SignatureFalse, UnsupportedAlgorithm
from sealproof.fields import elements, integer, members, prefixed_hex, text, to_hex
from sealproof.merkle import leaf_hash, root_of
from sealproof.report import Finding, failed, not_checked, passed
from sealproof.rpc import ChainReader
from sealproof.secp256k1 import recover
from sealproof.trust import Trust
from sealproof.wording import said

AGREEMENT_KINDS: Final = frozenset({10, 11, 12})
TERMINATION_KINDS: Final = frozenset({13})
TERMS_LIMIT: Final = 65_535
_TERMS_FIELDS: Final = ("_sd", "_sd_alg", "agreement", "kind", "v", "version")
_STIPULATION: Final = "stipulation"
_STIPULATION_FIELDS: Final = (
    "clause",
    "duty_holder",
    "beneficiary_tiers",
    "measure",
    "period",
    "threshold",
    "remedy",
)
_SHANGHAI: Final = timezone(timedelta(hours=8))
_DAY: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)
_ERC1271_ACCEPTS: Final = bytes.fromhex("1626ba7e")


@dataclass(frozen=True, slots=True)
class Terms:
    """A terms text as read. agreement: 32 bytes. shown: the fields that its disclosures show."""

    kind: str
    agreement: bytes
    version: int
    shown: Mapping[str, Json]


def read_terms(evidence: AgreementEvidence) -> Terms:
    """The terms and their disclosures. Raises a DecodeError or DisclosureFalse."""
    raw = utf8_encode(evidence.terms)
    fields = members(canonical.decode(raw, limit=TERMS_LIMIT), "terms", _TERMS_FIELDS)
    integer(fields["v"], "terms.v", 1, 1)
    if fields["_sd_alg"] != ALGORITHM:
        raise UnsupportedAlgorithm(f"terms._sd_alg: expected {ALGORITHM}")
    listed = elements(fields["_sd"], "terms._sd", 1024)
    digests = [text(item, f"terms._sd[{place}]", 64) for place, item in enumerate(listed)]
    if any(left >= right for left, right in pairwise(digests)):
        raise NotCanonical("terms._sd: expected digests in ascending order, each once")
    return Terms(
        text(fields["kind"], "terms.kind", 64),
        prefixed_hex(fields["agreement"], "terms.agreement"),
        integer(fields["version"], "terms.version", 1),
        disclosed_fields(evidence.disclosures, digests, "agreement.disclosures"),
    )


def check_terms(
    evidence: AgreementEvidence, terms: Terms | ProofError, kind: int, shown: Mapping[str, Json]
) -> Finding:
    """Step 8: terms, statement and entry speak of the same. kind and shown: of the entry."""
    if isinstance(terms, ProofError):
        why = said(terms)
        return failed(f"the terms cannot be read: {why.en}", f"条款无法读取：{why.zh}")
    for contradiction in _contradictions(evidence, terms, kind, shown):
        return failed(
            f"terms, signed statement and entry do not fit together: {contradiction}",
            f"条款、已签声明与条目不相符：{contradiction}",
        )
    if "commitment" not in shown:
        return not_checked(
            "the terms fit the signed statement, but the entry's field `commitment` was not shown, "
            "so nothing ties "
            "them to this entry",
            "条款与已签声明相符，但条目的 commitment 字段未披露，无法把它们与该条目联系起来",
        )
    return passed(
        "the terms are those that the parties signed and the entry commits to; every shown field "
        "belongs to them",
        "条款正是各方所签、条目所承诺的条款；所披露的每个字段都属于该条款",
    )


def _contradictions(
    evidence: AgreementEvidence, terms: Terms, kind: int, shown: Mapping[str, Json]
) -> Iterator[str]:
    statement, termination = evidence.statement, evidence.termination
    kinds, expected = (
        (AGREEMENT_KINDS, "agreement-terms")
        if termination is None
        else (TERMINATION_KINDS, "termination-terms")
    )
    commitment = sha256(utf8_encode(evidence.terms)).digest()
    if kind not in kinds:
        yield f"an entry of kind {kind} has no {expected}"
    if terms.kind != expected:
        yield f"kind is {excerpt(terms.kind)}, expected {expected}"
    if commitment != evidence.signed.commitment:
        yield f"SHA-256 of the terms is {to_hex(commitment)}, signed was {to_hex(evidence.signed.commitment)}"
    if terms.agreement != statement.agreement_id:
        yield "agreement id of the terms and of the statement differ"
    if terms.version != statement.version:
        yield f"terms are of version {terms.version}, the statement of version {statement.version}"
    recorded: dict[str, Json] = {
        "agreement": to_hex(statement.agreement_id),
        "version": statement.version,
        "commitment": to_hex(commitment),
    }
    yield from _differing("entry", shown, recorded)
    if termination is None:
        yield from _agreement_contradictions(evidence, terms.shown)
    else:
        yield from _differing("terms", terms.shown, {"effective_at": _second(termination.effective_at)})


def _agreement_contradictions(evidence: AgreementEvidence, shown: Mapping[str, Json]) -> Iterator[str]:
    """Where shown terms say otherwise than the statement that the contract keeps."""
    statement = evidence.statement
    if statement.version > 1:
        yield from _differing("terms", shown, {"previous": to_hex(statement.previous)})
    if "effective_from" in shown and _day(shown["effective_from"], 0) != statement.effective_from:
        yield "terms.effective_from is not the statement's first second (Shanghai)"
    if "valid_through" in shown and _day(shown["valid_through"], 1) != statement.valid_through + 1:
        yield "terms.valid_through is not the statement's last second (Shanghai)"
    if "parties" in shown:
        named = shown["parties"]
        organisations = [
            party.get("organisation") if isinstance(party, Mapping) else None
            for party in (named if isinstance(named, list) else [])
        ]
        if organisations != [to_hex(party.organisation) for party in statement.parties]:
            yield "terms.parties are not the statement's organisations in their order"


def _differing(where: str, shown: Mapping[str, Json], expected: Mapping[str, Json]) -> Iterator[str]:
    for name, value in expected.items():
        if name in shown and (shown[name] != value or isinstance(shown[name], bool)):
            yield f"{where}.{name} is {excerpt(str(shown[name]))}, expected {value}"


def _second(seconds: int) -> str:
    try:
        return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    except (ValueError, OverflowError, OSError):
        return f"second {seconds}"


def _day(value: Json, later: int) -> int | None:
    """First second of a day in Shanghai, or of the day after when later is 1; None when it is no day."""
    if not isinstance(value, str) or not _DAY.fullmatch(value):
        return None
    try:
        day = date.fromisoformat(value) + timedelta(days=later)
        return int(datetime(day.year, day.month, day.day, tzinfo=_SHANGHAI).timestamp())
    except (ValueError, OverflowError):
        return None


def check_stipulations(evidence: AgreementEvidence) -> Finding:
    """Step 9: all stipulations, shown or withheld, give the root that the parties signed."""
    statement, withheld = evidence.statement, 0
    leaves: list[bytes] = []
    for place, stipulation in enumerate(evidence.stipulations):
        if isinstance(stipulation, str):
            try:
                leaves.append(_stipulation_leaf(stipulation, f"agreement.stipulations[{place}]"))
            except DecodeError as error:
                why = said(error)
                return failed(f"stipulation {place + 1}: {why.en}", f"第 {place + 1} 项约定：{why.zh}")
        else:
            leaves.append(stipulation.leaf)
            withheld += 1
    if len(leaves) != statement.stipulation_count:
        return failed(
            f"the parties signed {statement.stipulation_count} stipulations, here are {len(leaves)}",
            f"各方签署了 {statement.stipulation_count} 项约定，这里有 {len(leaves)} 项",
        )
    if root_of(leaves) != statement.stipulations_root:
        return failed(
            "the stipulations do not give the root that the parties signed: one was altered, swapped "
            "or replaced",
            "各项约定算出的树根不是各方所签的树根：有约定被改动、调换或替换",
        )
    return passed(
        f"these are all {len(leaves)} stipulations that the parties signed, in their order "
        f"({withheld} withheld)",
        f"这正是各方所签的全部 {len(leaves)} 项约定，顺序无误（其中 {withheld} 项未披露内容）",
    )


def _stipulation_leaf(stipulation: str, path: str) -> bytes:
    field = read(stipulation)
    if field.name != _STIPULATION:
        raise DecodeError(f"{path}: expected a field named {_STIPULATION!r}, met {excerpt(field.name)}")
    members(field.value, path, _STIPULATION_FIELDS)
    return leaf_hash(stipulation.encode("ascii"))


def check_signatures(
    evidence: AgreementEvidence, shown: Mapping[str, Json], trust: Trust | None, chain: ChainReader | None
) -> Finding:
    """Step 10: every party's signature recovers its signer.

    shown: the entry's fields. chain: only when it was found to be the trusted one; asked about contract
    accounts.
    """
    if trust is None or trust.chain is None:
        return not_checked(
            "signatures hold for one chain and contract, and no trust file names them",
            "签名只对特定的链与合约有效，而没有信任文件指明它们",
        )
    domain, signed = trust.chain.domain, evidence.signed
    digest, agreement = signed.digest(domain), evidence.statement.digest(domain)
    if isinstance(signed, TerminationStatement):
        ended = [party.organisation for party in evidence.statement.parties]
        if signed.agreement != agreement or [party.organisation for party in signed.parties] != ended:
            return failed(
                "the termination names another agreement or other organisations than those shown",
                "终止声明所指的协议或当事方与所示的不同",
            )
    if shown.get("digest", to_hex(digest)) != to_hex(digest):
        return failed(
            f"the entry commits to the digest {excerpt(str(shown['digest']))}, the statement's is "
            f"{to_hex(digest)}",
            f"条目承诺的摘要与声明的摘要 {to_hex(digest)} 不同",
        )
    if len(evidence.signatures) != len(signed.parties):
        return failed(
            f"{len(signed.parties)} parties need as many signatures, here are {len(evidence.signatures)}",
            f"{len(signed.parties)} 方应有同样多的签名，这里有 {len(evidence.signatures)} 个",
        )
    return _check_each(digest, signed.parties, evidence.signatures, chain)


def _check_each(
    digest: bytes, parties: tuple[Party, ...], signatures: tuple[bytes, ...], chain: ChainReader | None
) -> Finding:
    by_contract: list[str] = []
    for place, (party, signature) in enumerate(zip(parties, signatures, strict=True), start=1):
        refusal = _refusal(digest, party, signature)
        if refusal is None:
            continue
        if chain is not None and chain.code(party.signer):
            if chain.signature_answer(party.signer, digest, signature) == _ERC1271_ACCEPTS:
                by_contract.append(party.signer)
                continue
        elif chain is None and len(signature) != 65:
            return not_checked(
                f"party {place} signs with a contract account ({party.signer}); ask its chain with --rpc",
                f"第 {place} 方以合约账户 {party.signer} 签名，需用 --rpc 查询其链",
            )
        return failed(
            f"the signature of party {place} is not by its key {party.signer}: {refusal}",
            f"第 {place} 方的签名不是其密钥 {party.signer} 所签（{refusal}）",
        )
    accounts = ", ".join(by_contract)
    return passed(
        f"all {len(parties)} parties signed exactly this statement"
        + (f"; accepted by contract account: {accounts}" if accounts else ""),
        f"全部 {len(parties)} 方都签署了这份声明" + (f"；由合约账户认可：{accounts}" if accounts else ""),
    )


def _refusal(digest: bytes, party: Party, signature: bytes) -> str | None:
    """Why a key signature is not this party's; None when it is."""
    try:
        signer = recover(digest, signature)
    except (SignatureFalse, DecodeError) as error:
        return str(error)
    return None if signer == party.signer else f"it recovers {signer}"
