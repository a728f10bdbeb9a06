"use strict";
/**
 * Steps 11 to 14: the chain is the trusted one, the root stands on it, for good, and so does the agreement.
 * Everything here rests on the node that was asked; its silence or nonsense makes a step "not checked", a
 * contradiction makes it fail.
 * @typedef {import("./report.js").Finding} Finding
 * @typedef {import("./rpc.js").JsonRpcChain} JsonRpcChain
 * @typedef {import("./trust.js").Trust} Trust
 */
import { agreementDigest, terminationDigest } from "./eip712.js";
import { bytesOfBig, sameBytes, utcOf } from "./encoding.js";
import { ProofError } from "./errors.js";
import { toHex } from "./fields.js";
import { keccak256 } from "./keccak.js";
import { failed, notChecked, passed } from "./report.js";
import {
  AGREEMENT_CONCLUDED,
  AGREEMENT_STATE,
  AGREEMENT_TERMINATED,
  CHECKPOINT_ANCHORED,
  ChainAnswerGarbled,
  ChainUnreachable,
  emitted,
} from "./rpc.js";
import { IDENTITY_NAMES, domainOf } from "./trust.js";
import { said } from "./wording.js";

const DEVELOPMENT_CHAINS = [1337, 31337];
const NO_TRUST = notChecked(
  "no trust file names the chain and the registry to ask",
  "没有信任文件指明应查询的链与登记合约",
);
const NO_NODE = notChecked("no node was named to ask (--rpc URL)", "没有指定可查询的节点（--rpc 网址）");
const NOT_ANCHORED = notChecked(
  "the bundle says nothing of an anchor: its checkpoint was not on a chain yet when it was made",
  "材料未含锚定信息：制作时其检查点尚未上链",
);
const OTHER_CHAIN = notChecked("needs a node of the trusted chain (step 11)", "需要受信任之链的节点（第 11 步）");
const NO_ANCHOR_PROOF = notChecked("needs the anchor (step 12)", "需要先确认锚定（第 12 步）");
const NO_CHECKPOINT = notChecked("the checkpoint cannot be read (step 5)", "检查点无法读取（第 5 步）");
const STATES = [
  null,
  { en: "concluded and neither amended nor terminated", zh: "已成立，未变更亦未终止" },
  { en: "concluded, since amended by a later version", zh: "已成立，其后由新版本变更" },
  { en: "concluded, since terminated by all parties", zh: "已成立，其后由各方终止" },
];

/**
 * The finding of a step; a node that does not answer sensibly leaves it unchecked, any other refusal fails
 * it.
 * @param {() => Finding|Promise<Finding>} check
 * @returns {Promise<Finding>}
 */
export async function careful(check) {
  try {
    return await check();
  } catch (error) {
    if (!(error instanceof ProofError)) throw error;
    const why = said(error);
    const isSilent = error instanceof ChainUnreachable || error instanceof ChainAnswerGarbled;
    return (isSilent ? notChecked : failed)(why.en, why.zh);
  }
}

/**
 * Step 11: bundle, node and trust file speak of one chain and one registry. Rejects as the chain does.
 * @param {Trust|null} trust @param {import("./bundle.js").Anchor|null} anchor @param {JsonRpcChain|null}
 *   chain
 * @returns {Promise<Finding>}
 */
export async function checkIdentity(trust, anchor, chain) {
  if (!trust?.chain) return NO_TRUST;
  const { chain_id: id, contract } = trust.chain;
  const elsewhere = anchor === null ? [] : IDENTITY_NAMES.filter((name) => anchor[name] !== trust.chain[name]);
  if (elsewhere.length) {
    const names = elsewhere.join(", ");
    return failed(
      `the bundle is anchored elsewhere than the trusted registry; different: ${names}`,
      `材料所锚定的不是受信任的登记合约，不同之处：${names}`,
    );
  }
  if (chain === null) return NO_NODE;
  const shownOtherwise = await nodeDifferences(trust.chain, chain);
  if (shownOtherwise.length) {
    const names = shownOtherwise.join(", ");
    return failed(
      `the node is not on the trusted chain (another network, or a chain begun anew); different: ${names}`,
      `节点不在受信任的链上（另一网络，或链已重置），不同之处：${names}`,
    );
  }
  const isLocal = DEVELOPMENT_CHAINS.includes(id);
  return passed(
    `the node shows the trusted registry ${contract} on chain ${id}: same genesis block, code and deployment` +
      (isLocal ? "; this is the chain id of single development nodes" : ""),
    `节点所示正是受信任的登记合约 ${contract}（链 ${id}）：创世块、代码与部署均相同` +
      (isLocal ? "；该链号为单机开发节点所用" : ""),
  );
}

/**
 * Names of the parts of the identity that the node shows otherwise; stops early, the rest would mean nothing.
 */
async function nodeDifferences(expected, chain) {
  if ((await chain.chainId()) !== BigInt(expected.chain_id)) return ["chain_id"];
  if ((await chain.block(0n))?.hash !== expected.genesis_hash) return ["genesis_hash"];
  if (toHex(keccak256(await chain.code(expected.contract))) !== expected.code_hash) return ["code_hash"];
  const differing = [];
  if (toHex(await chain.deploymentId(expected.contract)) !== expected.deployment_id) differing.push("deployment_id");
  if (!(await isCanonical(chain, expected.deployment_block_hash))) differing.push("deployment_block_hash");
  return differing;
}

async function isCanonical(chain, hash) {
  const block = await chain.blockOfHash(hash);
  return block !== null && (await chain.block(block.number))?.hash === hash;
}

/**
 * Findings of steps 12 and 13.
 * @param {Trust|null} trust @param {import("./bundle.js").Anchor|null} anchor @param {JsonRpcChain|null}
 *   chain
 * @param {Finding} identified of step 11
 * @param {{size: bigint, root: Uint8Array}|ProofError} checkpoint
 * @returns {Promise<[Finding, Finding]>}
 */
export async function anchorFindings(trust, anchor, chain, identified, checkpoint) {
  if (anchor === null) return [NOT_ANCHORED, NO_ANCHOR_PROOF];
  if (!trust?.chain) return [NO_TRUST, NO_TRUST];
  if (chain === null) return [NO_NODE, NO_NODE];
  if (identified.verdict !== "passed") return [OTHER_CHAIN, OTHER_CHAIN];
  if (checkpoint instanceof ProofError) return [NO_CHECKPOINT, NO_CHECKPOINT];
  const anchored = await careful(() => checkAnchor(trust.chain.contract, chain, anchor, checkpoint));
  if (anchored.verdict !== "passed") return [anchored, NO_ANCHOR_PROOF];
  return [anchored, await careful(() => checkFinality(trust.finality, chain, anchor))];
}

/**
 * Step 12: the registry holds this root for this size, put there by the named transaction in the named block.
 */
async function checkAnchor(contract, chain, anchor, { size, root: expected }) {
  const root = await chain.headAt(contract, size);
  if (root.every((byte) => byte === 0)) {
    return failed(`the registry has no anchor of ${size} entries`, `登记合约没有 ${size} 个条目的锚定`);
  }
  if (!sameBytes(root, expected)) {
    return failed(
      `the registry holds another root for ${size} entries: ${toHex(root)}; keep this checkpoint, ` +
        "it proves a forked log",
      `登记合约对 ${size} 个条目存有另一树根 ${toHex(root)}；请保留此检查点，它可证明日志分叉`,
    );
  }
  const number = anchor.block_number;
  const block = await chain.block(BigInt(number));
  if (block?.hash !== anchor.block_hash) {
    return failed(
      `block ${number} of the chain is not the named one: the chain was reorganised or reset, or the anchor is false`,
      `链上第 ${number} 块不是所指的块：链发生重组或重置，或锚定信息不实`,
    );
  }
  const receipt = await chain.receipt(anchor.transaction_hash);
  const topics = [CHECKPOINT_ANCHORED, bytesOfBig(size), expected];
  if (!standsIn(receipt, block) || !emitted(receipt, contract, topics)) {
    return failed(
      `transaction ${anchor.transaction_hash} did not anchor this root in block ${number}`,
      `交易 ${anchor.transaction_hash} 并未在第 ${number} 块锚定该树根`,
    );
  }
  const when = clock(block.timestamp);
  return passed(
    `the registry holds this root for ${size} entries since block ${block.number}, ${when} by the chain's clock`,
    `登记合约自第 ${block.number} 块起存有这 ${size} 个条目的树根，链上时间 ${when}`,
  );
}

function standsIn(receipt, block) {
  const isSame = receipt?.blockNumber === block?.number && receipt?.blockHash === block?.hash;
  return receipt !== null && block !== null && receipt.succeeded && isSame;
}

/** Step 13: the anchor's block is final under the policy of the trust file. */
async function checkFinality(finality, chain, { block_number: number }) {
  if (finality.policy === "instant") {
    return passed("under the trusted policy a block is final at once", "按所信任的规则，出块即终局");
  }
  const final = await finalBlock(chain, finality);
  if (final === null || final.number < BigInt(number)) {
    const reached = final === null ? "none" : final.number;
    return notChecked(
      `block ${number} is not final yet (last final block: ${reached}); verify again later`,
      `第 ${number} 块尚未终局（最新终局块：${reached}），请稍后再验`,
    );
  }
  return passed(
    `block ${number} is final under the trusted policy (${finality.policy})`,
    `按所信任的规则（${finality.policy}），第 ${number} 块已终局`,
  );
}

/** The newest final block under the policy depth or tag; null when there is none yet. */
async function finalBlock(chain, { policy, depth }) {
  if (policy === "tag") return chain.block("finalized");
  const latest = await chain.block("latest");
  return latest === null || latest.number < BigInt(depth) ? null : chain.block(latest.number - BigInt(depth));
}

/**
 * Finding of step 14.
 * @param {Trust|null} trust @param {import("./bundle.js").AgreementEvidence} evidence @param
 *   {JsonRpcChain|null} chain
 * @param {Finding} identified of step 11
 * @returns {Promise<Finding>}
 */
export async function agreementFinding(trust, evidence, chain, identified) {
  if (!trust?.chain) return NO_TRUST;
  if (chain === null) return NO_NODE;
  if (identified.verdict !== "passed") return OTHER_CHAIN;
  return careful(() => checkAgreement({ trust, chain, contract: trust.chain.contract }, evidence));
}

/** Step 14: the registry recorded this version, or its end, under the statement's own digest. */
async function checkAgreement(asked, evidence) {
  const { statement, termination } = evidence;
  const domain = domainOf(asked.trust.chain);
  const digest = agreementDigest(statement, domain);
  const found = await asked.chain.agreementAt(asked.contract, digest);
  if (found.state === AGREEMENT_STATE.NONE) {
    return failed(
      `the registry knows no agreement of digest ${toHex(digest)}`,
      `登记合约没有摘要为 ${toHex(digest)} 的协议`,
    );
  }
  if (found.version !== BigInt(statement.version) || found.effectiveFrom !== BigInt(statement.effectiveFrom)) {
    return failed(
      "the registry holds another version or beginning under this digest",
      "登记合约在该摘要下所存的版本或起始时间不同",
    );
  }
  const endedBy = termination === null ? null : terminationDigest(termination, domain);
  if (endedBy && (found.state !== AGREEMENT_STATE.TERMINATED || !sameBytes(found.endedBy, endedBy))) {
    return failed("the registry holds no such termination of this agreement", "登记合约没有对该协议的这一终止");
  }
  const topics = endedBy ? [AGREEMENT_TERMINATED, digest, endedBy] : [AGREEMENT_CONCLUDED, digest];
  return checkCarried(asked, evidence, found, topics);
}

/** The named transaction did it, and its block is final. */
async function checkCarried({ trust, chain, contract }, evidence, found, topics) {
  const recordedAt = evidence.termination === null ? found.concludedAt : found.endedAt;
  let number = null;
  if (evidence.transactionHash !== null) {
    const receipt = await chain.receipt(evidence.transactionHash);
    const block = receipt === null ? null : await chain.block(receipt.blockNumber);
    if (!standsIn(receipt, block) || !emitted(receipt, contract, topics)) {
      return failed(
        `transaction ${evidence.transactionHash} did not record this on the chain`,
        `交易 ${evidence.transactionHash} 并未在链上作此登记`,
      );
    }
    number = block.number;
  }
  if (trust.finality.policy !== "instant") {
    const final = await finalBlock(chain, trust.finality);
    if (final === null || (number === null ? final.timestamp < recordedAt : final.number < number)) {
      return notChecked(
        "the registry holds this agreement, but in a block that is not final yet; verify again later",
        "登记合约已存有该协议，但所在区块尚未终局，请稍后再验",
      );
    }
  }
  const [state, when] = [STATES[found.state], clock(recordedAt)];
  return passed(
    `the registry recovered all signatures at ${when}; the version is ${state.en}`,
    `登记合约已于 ${when} 核验全部签名；该版本${state.zh}`,
  );
}

/** A chain's time for people, in UTC; the bare number when it is no date. */
function clock(seconds) {
  const utc = utcOf(seconds);
  return utc === null ? `second ${seconds}` : `${utc.date} ${utc.time} UTC`;
}
