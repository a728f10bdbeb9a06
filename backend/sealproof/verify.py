"""Verification of a bundle in numbered steps; the numbers are stable and mean the same everywhere.

1 bundle well-formed            8 terms
2 entry canonical               9 stipulations
3 disclosures                  10 party signatures
4 inclusion in the log         11 chain identity
5 checkpoint signature         12 anchor
6 checkpoint agrees            13 finality
7 document                     14 agreement on the chain

Each step ends passed, failed or not checked; a step that does not apply is left out. Trust comes from the
caller alone. What is never shown by this: that what was recorded is true.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, TypeVar

from sealproof import bundle as bundles
from sealproof import checkpoint as checkpoints
from sealproof import entry as entries
from sealproof.agreement import (
    AGREEMENT_KINDS,
    TERMINATION_KINDS,
    Terms,
    check_signatures,
    check_stipulations,
    check_terms,
    read_terms,
)
from sealproof.bundle import Bundle
from sealproof.canonical import Json
from sealproof.checkpoint import Checkpoint
from sealproof.disclosed import disclosed_fields
from sealproof.document import DocumentDigests, compare
from sealproof.encoding import utf8_encode
from sealproof.entry import Entry
from sealproof.errors import DecodeError, NoTrustedSignature, ProofError
from sealproof.merkle import check_inclusion, leaf_hash
from sealproof.note import open_note, split_note
from sealproof.onchain import agreement_finding, anchor_findings, careful, check_identity
from sealproof.report import Finding, Report, Step, Verdict, failed, not_checked, passed
from sealproof.rpc import ChainReader
from sealproof.trust import Trust
from sealproof.wording import Said, said

STEP_NAMES: Final[Mapping[int, Said]] = {
    1: Said("bundle well-formed", "材料格式"),
    2: Said("entry canonical", "条目规范"),
    3: Said("disclosures", "披露项"),
    4: Said("inclusion in the log", "日志包含"),
    5: Said("checkpoint signature", "检查点签名"),
    6: Said("checkpoint agrees", "检查点相符"),
    7: Said("document", "文件"),
    8: Said("terms", "条款"),
    9: Said("stipulations", "约定事项"),
    10: Said("party signatures", "各方签名"),
    11: Said("chain identity", "链的身份"),
    12: Said("anchor", "上链锚定"),
    13: Said("finality", "终局性"),
    14: Said("agreement on the chain", "链上协议"),
}
LIMITS: Final = (
    Said(
        "that what was recorded is true, or was true before it was recorded",
        "所记录的内容属实，或在记录之前即属实",
    ),
    Said(
        "who stood behind a key: that its holder was who he said, and was entitled to sign",
        "密钥背后是谁：持有人的身份及其签署权限",
    ),
    Said(
        "that the log holds nothing else on the same matter, such as a later correction or retraction",
        "日志中没有关于同一事项的其他记录，例如其后的更正或撤回",
    ),
    Said(
        "more about the chain than the node said that was asked; block time is the chain's own clock",
        "超出所查询节点所述的链上情况；区块时间只是该链自己的时钟",
    ),
    Said(
        "any effect in law; 存证 (evidence preservation) is not notarisation by a notary office",
        "任何法律效力；存证不是公证机构的公证",
    ),
)
_AGREEMENT_STEPS: Final = frozenset({8, 9, 10, 14})

Value = TypeVar("Value")


@dataclass(frozen=True, slots=True)
class _Case:
    """A bundle as read, each part with what could be made of it, or why nothing could."""

    bundle: Bundle
    entry: Entry | ProofError
    shown: Mapping[str, Json] | ProofError
    checkpoint: Checkpoint | ProofError
    signers: frozenset[str]
    terms: Terms | ProofError | None

    @property
    def shown_fields(self) -> Mapping[str, Json]:
        """The entry's disclosed fields; none when they do not belong to it."""
        return {} if isinstance(self.shown, ProofError) else self.shown

    @property
    def is_about_agreement(self) -> bool:
        if self.bundle.agreement is not None:
            return True
        kinds = AGREEMENT_KINDS | TERMINATION_KINDS
        return isinstance(self.entry, Entry) and self.entry.kind in kinds


def verify(
    raw: bytes,
    *,
    trust: Trust | None = None,
    document: bytes | DocumentDigests | None = None,
    chain: ChainReader | None = None,
) -> Report:
    """The report on a bundle's bytes; no bytes make it raise.

    trust: the verifier's own roots; without them steps 5 and 10 to 14 are not checked. document: the file
    that an agreement is about, or its digests. chain: a node to ask; without it steps 11 to 14 are not
    checked.
    """
    try:
        bundle = bundles.load(raw)
    except DecodeError as error:
        why = said(error)
        return Report((Step.of(1, STEP_NAMES[1], failed(why.en, why.zh)),), malformed=True, limits=LIMITS)
    case = _read(bundle)
    findings: dict[int, Finding] = {
        1: passed("the bundle has the form of version 1", "材料符合第 1 版格式"),
        2: _check_entry(case),
        3: _check_disclosures(case),
        4: _check_inclusion(case),
        5: _check_signature(case, trust),
        6: _check_agreement_of_heads(case, trust),
    }
    if (finding := _check_document(case, document)) is not None:
        findings[7] = finding
    findings |= _chain_and_agreement(case, trust, chain)
    steps = tuple(Step.of(number, STEP_NAMES[number], findings[number]) for number in sorted(findings))
    return Report(steps, limits=LIMITS)


def _attempt(read: Callable[[], Value]) -> Value | ProofError:
    try:
        return read()
    except ProofError as error:
        return error


def _read(bundle: Bundle) -> _Case:
    entry = _attempt(lambda: entries.decode(utf8_encode(bundle.entry)))
    shown: Mapping[str, Json] | ProofError = (
        entry
        if isinstance(entry, ProofError)
        else _attempt(lambda: disclosed_fields(bundle.disclosures, entry.digests, "disclosures"))
    )
    note = _attempt(lambda: split_note(bundle.checkpoint))
    evidence = bundle.agreement
    return _Case(
        bundle,
        entry,
        shown,
        note if isinstance(note, ProofError) else _attempt(lambda: checkpoints.parse(note[0])),
        frozenset() if isinstance(note, ProofError) else frozenset(line.name for line in note[1]),
        None if evidence is None else _attempt(lambda: read_terms(evidence)),
    )


def _refused(error: ProofError) -> Finding:
    why = said(error)
    return failed(why.en, why.zh)


def _check_entry(case: _Case) -> Finding:
    """Step 2."""
    if isinstance(case.entry, ProofError):
        return _refused(case.entry)
    return passed(
        f"the entry is canonical: kind {case.entry.kind}, id {case.entry.id}",
        f"条目为规范写法：类别 {case.entry.kind}，编号 {case.entry.id}",
    )


def _check_disclosures(case: _Case) -> Finding:
    """Step 3."""
    if isinstance(case.entry, ProofError):
        return not_checked("the entry cannot be read (step 2)", "条目无法读取（第 2 步）")
    if isinstance(case.shown, ProofError):
        return _refused(case.shown)
    shown, total = len(case.shown), len(case.entry.digests)
    names = ", ".join(sorted(case.shown))
    return passed(
        f"{shown} of {total} fields are shown, and each is what the entry commits to"
        + (f": {names}" if names else ""),
        f"共 {total} 个字段，披露 {shown} 个，均与条目的承诺一致" + (f"：{names}" if names else ""),
    )


def _check_inclusion(case: _Case) -> Finding:
    """Step 4."""
    bundle, head = case.bundle, case.checkpoint
    if isinstance(head, ProofError):
        return not_checked("the checkpoint cannot be read (step 5)", "检查点无法读取（第 5 步）")
    leaf = _attempt(lambda: leaf_hash(utf8_encode(bundle.entry)))
    if isinstance(leaf, ProofError):
        return _refused(leaf)
    try:
        check_inclusion(leaf, bundle.index, bundle.size, bundle.path, head.root)
    except ProofError as error:
        return _refused(error)
    return passed(
        f"exactly this entry stands at index {bundle.index} of {bundle.size} under the checkpoint's root",
        f"检查点的树根之下，{bundle.size} 个条目中的第 {bundle.index} 号正是该条目",
    )


def _check_signature(case: _Case, trust: Trust | None) -> Finding:
    """Step 5."""
    if isinstance(case.checkpoint, ProofError):
        return _refused(case.checkpoint)
    if trust is None:
        return not_checked(
            "no trust file names the log's key (--trust FILE)", "没有信任文件指明日志公钥（--trust 文件）"
        )
    try:
        open_note(case.bundle.checkpoint, [trust.log])
    except NoTrustedSignature:
        return failed(
            "the checkpoint bears no signature of the trusted log key "
            f"{trust.log.name}+{trust.log.key_id.hex()}",
            f"检查点没有受信任日志公钥 {trust.log.name}+{trust.log.key_id.hex()} 的签名",
        )
    except ProofError as error:
        return _refused(error)
    return passed(
        f"the log {trust.log.name} signed this checkpoint",
        f"该检查点由日志 {trust.log.name} 签名",
    )


def _check_agreement_of_heads(case: _Case, trust: Trust | None) -> Finding:
    """Step 6: bundle, checkpoint and trust name the same log and size."""
    head = case.checkpoint
    if isinstance(head, ProofError):
        return not_checked("the checkpoint cannot be read (step 5)", "检查点无法读取（第 5 步）")
    if head.size != case.bundle.size:
        return failed(
            f"the checkpoint is of {head.size} entries, the proof of {case.bundle.size}",
            f"检查点含 {head.size} 个条目，而证明针对 {case.bundle.size} 个",
        )
    if (trust is not None and head.origin != trust.log.name) or head.origin not in case.signers:
        return failed(
            f"the checkpoint speaks for the log {head.origin!r}, but that log did not sign it or is "
            "not the trusted one",
            f"检查点属于日志 {head.origin!r}，但该日志未签名或不是受信任的日志",
        )
    return passed(
        f"bundle and checkpoint agree: log {head.origin}, {head.size} entries",
        f"材料与检查点相符：日志 {head.origin}，{head.size} 个条目",
    )


def _check_document(case: _Case, document: bytes | DocumentDigests | None) -> Finding | None:
    """Step 7; None when there is no document to speak of."""
    shown, evidence = _disclosed_document(case), case.bundle.agreement
    if shown is None and document is None and (evidence is None or evidence.termination is not None):
        return None
    if shown is None:
        return not_checked("the bundle shows no digests of a document", "材料未披露文件摘要")
    if document is None:
        return not_checked(
            "no document was given to compare (--document FILE)", "没有给出可比对的文件（--document 文件）"
        )
    given = DocumentDigests.of([document]) if isinstance(document, bytes) else document
    return careful(lambda: compare(given, DocumentDigests.from_json(shown, "document")))


def _disclosed_document(case: _Case) -> Json:
    """The field `document` of the terms, or else of the entry; None when neither shows it."""
    if isinstance(case.terms, Terms) and "document" in case.terms.shown:
        return case.terms.shown["document"]
    return case.shown_fields.get("document")


def _chain_and_agreement(case: _Case, trust: Trust | None, chain: ChainReader | None) -> dict[int, Finding]:
    """Steps 8 to 14."""
    bundle = case.bundle
    identified = careful(lambda: check_identity(trust, bundle.anchor, chain))
    anchored, final = anchor_findings(trust, bundle.anchor, chain, identified, case.checkpoint)
    findings = {11: identified, 12: anchored, 13: final}
    if case.is_about_agreement:
        findings |= _agreement(case, trust, chain, identified)
    return findings


def _agreement(
    case: _Case, trust: Trust | None, chain: ChainReader | None, identified: Finding
) -> dict[int, Finding]:
    """Steps 8, 9, 10 and 14."""
    evidence, terms = case.bundle.agreement, case.terms
    if evidence is None or terms is None:
        withheld = not_checked("the bundle does not show the agreement itself", "材料未附协议本身")
        return dict.fromkeys(_AGREEMENT_STEPS, withheld)
    trusted_chain = chain if identified.verdict is Verdict.PASSED else None
    shown = case.shown_fields
    findings = {
        8: check_terms(evidence, terms, case.entry.kind, shown)
        if isinstance(case.entry, Entry)
        else not_checked("the entry cannot be read (step 2)", "条目无法读取（第 2 步）"),
        10: careful(lambda: check_signatures(evidence, shown, trust, trusted_chain)),
        14: agreement_finding(trust, evidence, chain, identified),
    }
    if evidence.termination is None or evidence.stipulations:
        findings[9] = check_stipulations(evidence)
    return findings
