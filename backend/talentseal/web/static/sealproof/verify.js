"use strict";
/**
 * Verification of a bundle in numbered steps; the numbers are stable and mean the same everywhere.
 *
 * Each step ends passed, failed or not checked; a step that does not apply is left out. Trust comes from the
 * caller alone. What is never shown by this: that what was recorded is true.
 * @typedef {import("./canonical.js").Json} Json
 * @typedef {import("./report.js").Finding} Finding
 */
import {
  AGREEMENT_KINDS,
  TERMINATION_KINDS,
  checkSignatures,
  checkStipulations,
  checkTerms,
  readTerms,
} from "./agreement.js";
import { loadBundle } from "./bundle.js";
import { parseCheckpoint } from "./checkpoint.js";
import { disclosedFields } from "./disclosure.js";
import { compare, digestsOf, readDigests } from "./document.js";
import { byCharacters, hexEncode, utf8Encode } from "./encoding.js";
import { decodeEntry } from "./entry.js";
import { DecodeError, NoTrustedSignature, ProofError } from "./errors.js";
import { checkInclusion, leafHash } from "./merkle.js";
import { openNote, splitNote } from "./note.js";
import { agreementFinding, anchorFindings, careful, checkIdentity } from "./onchain.js";
import { quoted } from "./quoting.js";
import { failed, notChecked, passed, reportOf } from "./report.js";
import { said } from "./wording.js";

const STEP_NAMES = new Map([
  [1, { en: "bundle well-formed", zh: "材料格式" }],
  [2, { en: "entry canonical", zh: "条目规范" }],
  [3, { en: "disclosures", zh: "披露项" }],
  [4, { en: "inclusion in the log", zh: "日志包含" }],
  [5, { en: "checkpoint signature", zh: "检查点签名" }],
  [6, { en: "checkpoint agrees", zh: "检查点相符" }],
  [7, { en: "document", zh: "文件" }],
  [8, { en: "terms", zh: "条款" }],
  [9, { en: "stipulations", zh: "约定事项" }],
  [10, { en: "party signatures", zh: "各方签名" }],
  [11, { en: "chain identity", zh: "链的身份" }],
  [12, { en: "anchor", zh: "上链锚定" }],
  [13, { en: "finality", zh: "终局性" }],
  [14, { en: "agreement on the chain", zh: "链上协议" }],
]);
const LIMITS = [
  {
    en: "that what was recorded is true, or was true before it was recorded",
    zh: "所记录的内容属实，或在记录之前即属实",
  },
  {
    en: "who stood behind a key: that its holder was who he said, and was entitled to sign",
    zh: "密钥背后是谁：持有人的身份及其签署权限",
  },
  {
    en: "that the log holds nothing else on the same matter, such as a later correction or retraction",
    zh: "日志中没有关于同一事项的其他记录，例如其后的更正或撤回",
  },
  {
    en: "more about the chain than the node said that was asked; block time is the chain's own clock",
    zh: "超出所查询节点所述的链上情况；区块时间只是该链自己的时钟",
  },
  {
    en: "any effect in law; 存证 (evidence preservation) is not notarisation by a notary office",
    zh: "任何法律效力；存证不是公证机构的公证",
  },
];
const NO_ENTRY = notChecked("the entry cannot be read (step 2)", "条目无法读取（第 2 步）");
const NO_HEAD = notChecked("the checkpoint cannot be read (step 5)", "检查点无法读取（第 5 步）");

/**
 * The report on a bundle's bytes; no bytes make it reject.
 * @param {Uint8Array} bundleBytes
 * @param {object} [given]
 * @param {import("./trust.js").Trust|null} [given.trust] the verifier's own roots, from `loadTrust`; without
 *   them steps 5 and 10 to 14 are not checked
 * @param {Uint8Array|import("./document.js").DocumentDigests|null} [given.document] the file that an
 *   agreement is about, or its digests
 * @param {import("./rpc.js").JsonRpcChain|null} [given.chain] a node to ask; without it steps 11 to 14 are
 *   not checked
 * @returns {Promise<import("./report.js").Report>}
 */
export async function verify(bundleBytes, { trust = null, document = null, chain = null } = {}) {
  const bundle = attempt(() => loadBundle(bundleBytes));
  if (bundle instanceof DecodeError) return reportOf(new Map([[1, refused(bundle)]]), STEP_NAMES, LIMITS, true);
  const item = readCase(bundle);
  const findings = new Map([
    [1, passed("the bundle has the form of version 1", "材料符合第 1 版格式")],
    [2, checkEntry(item)],
    [3, checkDisclosures(item)],
    [4, checkPlace(item)],
    [5, checkLogSignature(item, trust)],
    [6, checkHeads(item, trust)],
  ]);
  const compared = await checkDocument(item, document);
  if (compared !== null) findings.set(7, compared);
  const identified = await careful(() => checkIdentity(trust, bundle.anchor, chain));
  const [anchored, final] = await anchorFindings(trust, bundle.anchor, chain, identified, item.checkpoint);
  findings.set(11, identified).set(12, anchored).set(13, final);
  if (isAboutAgreement(item)) await checkAgreementSteps(findings, item, trust, chain);
  return reportOf(findings, STEP_NAMES, LIMITS, false);
}

/** What `read` gives, or the refusal that it ends in. */
function attempt(read) {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof ProofError)) throw error;
    return error;
  }
}

/** A bundle with each of its parts as read, or why it could not be. */
function readCase(bundle) {
  const entry = attempt(() => decodeEntry(utf8Encode(bundle.entry)));
  const disclosed = () => disclosedFields(bundle.disclosures, entry.digests, "disclosures");
  const shown = entry instanceof ProofError ? entry : attempt(disclosed);
  const note = attempt(() => splitNote(bundle.checkpoint));
  const isNote = !(note instanceof ProofError);
  return {
    bundle,
    entry,
    shown,
    shownFields: shown instanceof ProofError ? new Map() : shown,
    checkpoint: isNote ? attempt(() => parseCheckpoint(note.text)) : note,
    signers: isNote ? note.signatures.map((line) => line.name) : [],
    terms: bundle.agreement === null ? null : attempt(() => readTerms(bundle.agreement)),
  };
}

function isAboutAgreement({ bundle, entry }) {
  return bundle.agreement !== null || [...AGREEMENT_KINDS, ...TERMINATION_KINDS].includes(entry.kind);
}

function refused(error) {
  const why = said(error);
  return failed(why.en, why.zh);
}

/** Step 2. */
function checkEntry({ entry }) {
  if (entry instanceof ProofError) return refused(entry);
  return passed(
    `the entry is canonical: kind ${entry.kind}, id ${entry.id}`,
    `条目为规范写法：类别 ${entry.kind}，编号 ${entry.id}`,
  );
}

/** Step 3. */
function checkDisclosures({ entry, shown }) {
  if (entry instanceof ProofError) return NO_ENTRY;
  if (shown instanceof ProofError) return refused(shown);
  const total = entry.digests.length;
  const names = [...shown.keys()].sort(byCharacters).join(", ");
  return passed(
    `${shown.size} of ${total} fields are shown, and each is what the entry commits to${names && `: ${names}`}`,
    `共 ${total} 个字段，披露 ${shown.size} 个，均与条目的承诺一致${names && `：${names}`}`,
  );
}

/** Step 4. */
function checkPlace({ bundle, checkpoint }) {
  if (checkpoint instanceof ProofError) return NO_HEAD;
  const { index, size, path } = bundle;
  const refusal = attempt(() => {
    const leaf = leafHash(utf8Encode(bundle.entry));
    checkInclusion(leaf, BigInt(index), BigInt(size), path, checkpoint.root);
  });
  if (refusal) return refused(refusal);
  return passed(
    `exactly this entry stands at index ${index} of ${size} under the checkpoint's root`,
    `检查点的树根之下，${size} 个条目中的第 ${index} 号正是该条目`,
  );
}

/** Step 5. */
function checkLogSignature({ bundle, checkpoint }, trust) {
  if (checkpoint instanceof ProofError) return refused(checkpoint);
  if (trust === null) {
    return notChecked(
      "no trust file names the log's key (--trust FILE)",
      "没有信任文件指明日志公钥（--trust 文件）",
    );
  }
  const { name, keyId } = trust.log;
  const opened = attempt(() => openNote(bundle.checkpoint, [trust.log]));
  if (opened instanceof NoTrustedSignature) {
    const key = `${name}+${hexEncode(keyId)}`;
    return failed(
      `the checkpoint bears no signature of the trusted log key ${key}`,
      `检查点没有受信任日志公钥 ${key} 的签名`,
    );
  }
  if (opened instanceof ProofError) return refused(opened);
  return passed(`the log ${name} signed this checkpoint`, `该检查点由日志 ${name} 签名`);
}

/** Step 6: bundle, checkpoint and trust name the same log and size. */
function checkHeads({ bundle, checkpoint, signers }, trust) {
  if (checkpoint instanceof ProofError) return NO_HEAD;
  const { origin, size } = checkpoint;
  if (size !== BigInt(bundle.size)) {
    return failed(
      `the checkpoint is of ${size} entries, the proof of ${bundle.size}`,
      `检查点含 ${size} 个条目，而证明针对 ${bundle.size} 个`,
    );
  }
  if ((trust !== null && origin !== trust.log.name) || !signers.includes(origin)) {
    const log = quoted(origin);
    return failed(
      `the checkpoint speaks for the log ${log}, but that log did not sign it or is not the trusted one`,
      `检查点属于日志 ${log}，但该日志未签名或不是受信任的日志`,
    );
  }
  return passed(
    `bundle and checkpoint agree: log ${origin}, ${size} entries`,
    `材料与检查点相符：日志 ${origin}，${size} 个条目`,
  );
}

/** Step 7; null when there is no document to speak of. */
async function checkDocument(item, document) {
  const [shown, evidence] = [disclosedDocument(item), item.bundle.agreement];
  if (shown === null && document === null && (evidence === null || evidence.termination !== null)) return null;
  if (shown === null) return notChecked("the bundle shows no digests of a document", "材料未披露文件摘要");
  if (document === null) {
    return notChecked(
      "no document was given to compare (--document FILE)",
      "没有给出可比对的文件（--document 文件）",
    );
  }
  const given = document instanceof Uint8Array ? await digestsOf(document) : document;
  return careful(() => compare(given, readDigests(shown)));
}

/** The field `document` of the terms, or else of the entry; null when neither shows it. */
function disclosedDocument({ terms, shownFields }) {
  const ofTerms = terms?.shown?.get("document");
  return ofTerms !== undefined ? ofTerms : (shownFields.get("document") ?? null);
}

/** Steps 8, 9, 10 and 14. */
async function checkAgreementSteps(findings, item, trust, chain) {
  const { agreement: evidence } = item.bundle;
  if (evidence === null) {
    const withheld = notChecked("the bundle does not show the agreement itself", "材料未附协议本身");
    for (const number of [8, 9, 10, 14]) findings.set(number, withheld);
    return;
  }
  const [identified, shown] = [findings.get(11), item.shownFields];
  const trustedChain = identified.verdict === "passed" ? chain : null;
  const isRead = !(item.entry instanceof ProofError);
  findings.set(8, isRead ? checkTerms(evidence, item.terms, item.entry.kind, shown) : NO_ENTRY);
  findings.set(10, await careful(() => checkSignatures(evidence, shown, trust, trustedChain)));
  findings.set(14, await agreementFinding(trust, evidence, chain, identified));
  if (evidence.termination === null || evidence.stipulations.length) findings.set(9, checkStipulations(evidence));
}
