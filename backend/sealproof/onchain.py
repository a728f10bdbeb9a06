"""Steps 11 to 14: the chain is the trusted one, the root stands on it, for good, and so does the agreement.

Everything here rests on the node that was asked; its silence or nonsense makes a step "not checked", a
contradiction makes it fail.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from sealproof.bundle import AgreementEvidence, Anchor
from sealproof.checkpoint import Checkpoint
from sealproof.errors import ProofError
from sealproof.fields import to_hex
from sealproof.keccak import keccak256
from sealproof.report import Finding, Verdict, failed, not_checked, passed
from sealproof.rpc import (
    AGREEMENT_CONCLUDED,
    AGREEMENT_TERMINATED,
    CHECKPOINT_ANCHORED,
    AgreementOnChain,
    AgreementState,
    Block,
    ChainAnswerGarbled,
    ChainReader,
    ChainUnreachable,
    Receipt,
    emitted,
)
from sealproof.trust import ChainIdentity, Finality, FinalityPolicy, Trust
from sealproof.wording import said

_DEVELOPMENT_CHAINS: Final = frozenset({1337, 31337})
_ZERO_ROOT: Final = bytes(32)
_NO_TRUST: Final = not_checked(
    "no trust file names the chain and the registry to ask", "没有信任文件指明应查询的链与登记合约"
)
_NO_NODE: Final = not_checked("no node was named to ask (--rpc URL)", "没有指定可查询的节点（--rpc 网址）")
_NOT_ANCHORED: Final = not_checked(
    "the bundle says nothing of an anchor: its checkpoint was not on a chain yet when it was made",
    "材料未含锚定信息：制作时其检查点尚未上链",
)
_OTHER_CHAIN: Final = not_checked(
    "needs a node of the trusted chain (step 11)", "需要受信任之链的节点（第 11 步）"
)
_NO_ANCHOR_PROOF: Final = not_checked("needs the anchor (step 12)", "需要先确认锚定（第 12 步）")
_STATES: Final = {
    AgreementState.CONCLUDED: ("concluded and neither amended nor terminated", "已成立，未变更亦未终止"),
    AgreementState.AMENDED: ("concluded, since amended by a later version", "已成立，其后由新版本变更"),
    AgreementState.TERMINATED: ("concluded, since terminated by all parties", "已成立，其后由各方终止"),
}


@dataclass(frozen=True, slots=True)
class ChainCase:
    """A chain that was found to be the trusted one. identity, finality: from the trust file."""

    identity: ChainIdentity
    finality: Finality
    chain: ChainReader


def careful(check: Callable[[], Finding]) -> Finding:
    """The finding of a step; a node that does not answer sensibly leaves it unchecked, any other refusal
    fails it."""
    try:
        return check()
    except (ChainUnreachable, ChainAnswerGarbled) as error:
        why = said(error)
        return not_checked(why.en, why.zh)
    except ProofError as error:
        why = said(error)
        return failed(why.en, why.zh)


def check_identity(trust: Trust | None, anchor: Anchor | None, chain: ChainReader | None) -> Finding:
    """Step 11: bundle, node and trust file speak of one chain and one registry."""
    if trust is None or trust.chain is None:
        return _NO_TRUST
    if anchor is not None and (differing := anchor.identity().differences(trust.chain)):
        names = ", ".join(differing)
        return failed(
            f"the bundle is anchored elsewhere than the trusted registry; different: {names}",
            f"材料所锚定的不是受信任的登记合约，不同之处：{names}",
        )
    if chain is None:
        return _NO_NODE
    if shown_otherwise := _node_differences(trust.chain, chain):
        names = ", ".join(shown_otherwise)
        return failed(
            "the node is not on the trusted chain (another network, or a chain begun anew); "
            f"different: {names}",
            f"节点不在受信任的链上（另一网络，或链已重置），不同之处：{names}",
        )
    local = trust.chain.chain_id in _DEVELOPMENT_CHAINS
    return passed(
        f"the node shows the trusted registry {trust.chain.contract} on chain {trust.chain.chain_id}: "
        "same genesis "
        "block, code and deployment"
        + ("; this is the chain id of single development nodes" if local else ""),
        f"节点所示正是受信任的登记合约 {trust.chain.contract}（链 {trust.chain.chain_id}）："
        "创世块、代码与部署均相同" + ("；该链号为单机开发节点所用" if local else ""),
    )


def _node_differences(expected: ChainIdentity, chain: ChainReader) -> list[str]:
    """Names of the parts of the identity that the node shows otherwise; stops early, the rest would mean
    nothing."""
    if chain.chain_id() != expected.chain_id:
        return ["chain_id"]
    genesis = chain.block(0)
    if genesis is None or genesis.hash != expected.genesis_hash:
        return ["genesis_hash"]
    if to_hex(keccak256(chain.code(expected.contract))) != expected.code_hash:
        return ["code_hash"]
    differing = []
    if to_hex(chain.deployment_id(expected.contract)) != expected.deployment_id:
        differing.append("deployment_id")
    if not _is_canonical(chain, expected.deployment_block_hash):
        differing.append("deployment_block_hash")
    return differing


def _is_canonical(chain: ChainReader, block_hash: str) -> bool:
    block = chain.block_of_hash(block_hash)
    standing = None if block is None else chain.block(block.number)
    return standing is not None and standing.hash == block_hash


def check_anchor(case: ChainCase, anchor: Anchor, checkpoint: Checkpoint) -> Finding:
    """Step 12: the registry holds this root for this size, put there by the named transaction in the named
    block."""
    root = case.chain.head_at(case.identity.contract, checkpoint.size)
    if root == _ZERO_ROOT:
        return failed(
            f"the registry has no anchor of {checkpoint.size} entries",
            f"登记合约没有 {checkpoint.size} 个条目的锚定",
        )
    if root != checkpoint.root:
        return failed(
            f"the registry holds another root for {checkpoint.size} entries: {to_hex(root)}; keep "
            "this checkpoint, "
            "it proves a forked log",
            f"登记合约对 {checkpoint.size} 个条目存有另一树根 {to_hex(root)}；请保留此检查点，"
            "它可证明日志分叉",
        )
    block = case.chain.block(anchor.block_number)
    if block is None or block.hash != anchor.block_hash:
        return failed(
            f"block {anchor.block_number} of the chain is not the named one: the chain was "
            "reorganised or reset, or "
            "the anchor is false",
            f"链上第 {anchor.block_number} 块不是所指的块：链发生重组或重置，或锚定信息不实",
        )
    receipt = case.chain.receipt(anchor.transaction_hash)
    event = (CHECKPOINT_ANCHORED, checkpoint.size.to_bytes(32, "big"), checkpoint.root)
    if (
        receipt is None
        or not _stands_in(receipt, block)
        or not emitted(receipt, case.identity.contract, *event)
    ):
        return failed(
            f"transaction {anchor.transaction_hash} did not anchor this root in block {anchor.block_number}",
            f"交易 {anchor.transaction_hash} 并未在第 {anchor.block_number} 块锚定该树根",
        )
    when = clock(block.timestamp)
    return passed(
        f"the registry holds this root for {checkpoint.size} entries since block {block.number}, "
        f"{when} by the "
        "chain's clock",
        f"登记合约自第 {block.number} 块起存有这 {checkpoint.size} 个条目的树根，链上时间 {when}",
    )


def _stands_in(receipt: Receipt, block: Block) -> bool:
    return receipt.succeeded and receipt.block_number == block.number and receipt.block_hash == block.hash


def check_finality(case: ChainCase, anchor: Anchor) -> Finding:
    """Step 13: the anchor's block is final under the policy of the trust file."""
    finality = case.finality
    if finality.policy is FinalityPolicy.INSTANT:
        return passed("under the trusted policy a block is final at once", "按所信任的规则，出块即终局")
    final = final_block(case.chain, finality)
    if final is None or final.number < anchor.block_number:
        reached = "none" if final is None else str(final.number)
        return not_checked(
            f"block {anchor.block_number} is not final yet (last final block: {reached}); verify again later",
            f"第 {anchor.block_number} 块尚未终局（最新终局块：{reached}），请稍后再验",
        )
    return passed(
        f"block {anchor.block_number} is final under the trusted policy ({finality.policy.value})",
        f"按所信任的规则（{finality.policy.value}），第 {anchor.block_number} 块已终局",
    )


def final_block(chain: ChainReader, finality: Finality) -> Block | None:
    """The newest final block; None when there is none yet. Raises as ChainReader does."""
    if finality.policy is FinalityPolicy.TAG:
        return chain.block("finalized")
    latest = chain.block("latest")
    if latest is None or latest.number < finality.depth:
        return None
    return latest if finality.depth == 0 else chain.block(latest.number - finality.depth)


def check_agreement(case: ChainCase, evidence: AgreementEvidence) -> Finding:
    """Step 14: the registry recorded this version, or its end, under the statement's own digest."""
    digest = evidence.statement.digest(case.identity.domain)
    found = case.chain.agreement_at(case.identity.contract, digest)
    if found.state is AgreementState.NONE:
        return failed(
            f"the registry knows no agreement of digest {to_hex(digest)}",
            f"登记合约没有摘要为 {to_hex(digest)} 的协议",
        )
    if (found.version, found.effective_from) != (
        evidence.statement.version,
        evidence.statement.effective_from,
    ):
        return failed(
            "the registry holds another version or beginning under this digest",
            "登记合约在该摘要下所存的版本或起始时间不同",
        )
    if evidence.termination is not None:
        ended_by = evidence.termination.digest(case.identity.domain)
        if found.state is not AgreementState.TERMINATED or found.ended_by != ended_by:
            return failed(
                "the registry holds no such termination of this agreement", "登记合约没有对该协议的这一终止"
            )
    return _check_carried(case, evidence, found, digest)


def _check_carried(
    case: ChainCase, evidence: AgreementEvidence, found: AgreementOnChain, digest: bytes
) -> Finding:
    """The named transaction did it, and its block is final."""
    recorded_at = found.concluded_at if evidence.termination is None else found.ended_at
    number: int | None = None
    if evidence.transaction_hash is not None:
        receipt = case.chain.receipt(evidence.transaction_hash)
        block = None if receipt is None else case.chain.block(receipt.block_number)
        if (
            receipt is None
            or block is None
            or not _stands_in(receipt, block)
            or not _did(case, evidence, receipt, digest)
        ):
            return failed(
                f"transaction {evidence.transaction_hash} did not record this on the chain",
                f"交易 {evidence.transaction_hash} 并未在链上作此登记",
            )
        number = block.number
    if case.finality.policy is not FinalityPolicy.INSTANT:
        final = final_block(case.chain, case.finality)
        if final is None or (final.timestamp < recorded_at if number is None else final.number < number):
            return not_checked(
                "the registry holds this agreement, but in a block that is not final yet; verify again later",
                "登记合约已存有该协议，但所在区块尚未终局，请稍后再验",
            )
    state, state_zh = _STATES[found.state]
    when = clock(recorded_at)
    return passed(
        f"the registry recovered all signatures at {when}; the version is {state}",
        f"登记合约已于 {when} 核验全部签名；该版本{state_zh}",
    )


def _did(case: ChainCase, evidence: AgreementEvidence, receipt: Receipt, digest: bytes) -> bool:
    contract = case.identity.contract
    if evidence.termination is None:
        return emitted(receipt, contract, AGREEMENT_CONCLUDED, digest)
    return emitted(
        receipt, contract, AGREEMENT_TERMINATED, digest, evidence.termination.digest(case.identity.domain)
    )


def anchor_findings(
    trust: Trust | None,
    anchor: Anchor | None,
    chain: ChainReader | None,
    identified: Finding,
    checkpoint: Checkpoint | ProofError,
) -> tuple[Finding, Finding]:
    """Findings of steps 12 and 13."""
    if anchor is None:
        return _NOT_ANCHORED, _NO_ANCHOR_PROOF
    if trust is None or trust.chain is None:
        return _NO_TRUST, _NO_TRUST
    if chain is None:
        return _NO_NODE, _NO_NODE
    if identified.verdict is not Verdict.PASSED:
        return _OTHER_CHAIN, _OTHER_CHAIN
    if isinstance(checkpoint, ProofError):
        unreadable = not_checked("the checkpoint cannot be read (step 5)", "检查点无法读取（第 5 步）")
        return unreadable, unreadable
    case, head = ChainCase(trust.chain, trust.finality, chain), checkpoint
    anchored = careful(lambda: check_anchor(case, anchor, head))
    if anchored.verdict is not Verdict.PASSED:
        return anchored, _NO_ANCHOR_PROOF
    return anchored, careful(lambda: check_finality(case, anchor))


def agreement_finding(
    trust: Trust | None, evidence: AgreementEvidence, chain: ChainReader | None, identified: Finding
) -> Finding:
    """Finding of step 14."""
    if trust is None or trust.chain is None:
        return _NO_TRUST
    if chain is None:
        return _NO_NODE
    if identified.verdict is not Verdict.PASSED:
        return _OTHER_CHAIN
    case = ChainCase(trust.chain, trust.finality, chain)
    return careful(lambda: check_agreement(case, evidence))


def clock(seconds: int) -> str:
    """A chain's time for people, in UTC; the bare number when it is no date."""
    try:
        return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    except (ValueError, OverflowError, OSError):
        return f"second {seconds}"
