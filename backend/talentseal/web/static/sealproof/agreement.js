"use strict";
/**
 * Steps 8 to 10: the terms of an agreement, its stipulations, and every party's signature.
 * @typedef {import("./bundle.js").AgreementEvidence} AgreementEvidence
 * @typedef {import("./canonical.js").Json} Json
 * @typedef {import("./report.js").Finding} Finding
 * @typedef {{kind: string, agreement: Uint8Array, version: number, shown: Map<string, Json>}} Terms
 *   agreement: 32 bytes; shown: the fields that their disclosures show
 */
import { decodeCanonical } from "./canonical.js";
import { ALGORITHM, disclosedFields, readDisclosure } from "./disclosure.js";
import { agreementDigest, terminationDigest } from "./eip712.js";
import { byCharacters, dayNumber, excerpt, sameBytes, utcOf, utf8Encode } from "./encoding.js";
import { DecodeError, NotCanonical, ProofError, SignatureFalse, UnsupportedAlgorithm } from "./errors.js";
import { elements, integer, members, prefixedHex, text, toHex } from "./fields.js";
import { leafHash, rootOf } from "./merkle.js";
import { quoted, written } from "./quoting.js";
import { failed, notChecked, passed } from "./report.js";
import { recover } from "./secp256k1.js";
import { sha256 } from "./sha2.js";
import { domainOf } from "./trust.js";
import { said } from "./wording.js";

/** Kinds of entries that are about an agreement's versions. */
export const AGREEMENT_KINDS = [10, 11, 12];
/** Kinds of entries that are about an agreement's end. */
export const TERMINATION_KINDS = [13];
const TERMS_LIMIT = 65_535;
const TERMS_NAMES = ["_sd", "_sd_alg", "agreement", "kind", "v", "version"];
const STIPULATION = "stipulation";
const STIPULATION_NAMES = "clause duty_holder beneficiary_tiers measure period threshold remedy".split(" ");
const SHANGHAI_SECONDS = 8 * 3600;
const LAST_DAY = 2_932_896; // 9999-12-31
const ERC1271_ACCEPTS = "0x1626ba7e";

/**
 * The terms and their disclosures. Throws a DecodeError or DisclosureFalse.
 * @param {AgreementEvidence} evidence
 * @returns {Terms}
 */
export function readTerms(evidence) {
  const fields = members(decodeCanonical(utf8Encode(evidence.terms), TERMS_LIMIT), "terms", TERMS_NAMES);
  integer(fields.get("v"), "terms.v", 1, 1);
  if (fields.get("_sd_alg") !== ALGORITHM) {
    throw new UnsupportedAlgorithm(`terms._sd_alg: expected ${ALGORITHM}`);
  }
  const listed = elements(fields.get("_sd"), "terms._sd", 1024);
  const digests = listed.map((item, place) => text(item, `terms._sd[${place}]`, 64));
  if (digests.some((value, place) => place && byCharacters(digests[place - 1], value) >= 0)) {
    throw new NotCanonical("terms._sd: expected digests in ascending order, each once");
  }
  return {
    kind: text(fields.get("kind"), "terms.kind", 64),
    agreement: prefixedHex(fields.get("agreement"), "terms.agreement"),
    version: integer(fields.get("version"), "terms.version", 1),
    shown: disclosedFields(evidence.disclosures, digests, "agreement.disclosures"),
  };
}

/**
 * Step 8: terms, statement and entry speak of the same.
 * @param {AgreementEvidence} evidence @param {Terms|ProofError} terms
 * @param {number} kind of the entry @param {Map<string, Json>} shown fields of the entry
 * @returns {Finding}
 */
export function checkTerms(evidence, terms, kind, shown) {
  if (terms instanceof ProofError) {
    const why = said(terms);
    return failed(`the terms cannot be read: ${why.en}`, `条款无法读取：${why.zh}`);
  }
  for (const contradiction of contradictions(evidence, terms, kind, shown)) {
    return failed(
      `terms, signed statement and entry do not fit together: ${contradiction}`,
      `条款、已签声明与条目不相符：${contradiction}`,
    );
  }
  if (!shown.has("commitment")) {
    return notChecked(
      "the terms fit the signed statement, but the entry's field `commitment` was not shown, so nothing ties them " +
        "to this entry",
      "条款与已签声明相符，但条目的 commitment 字段未披露，无法把它们与该条目联系起来",
    );
  }
  return passed(
    "the terms are those that the parties signed and the entry commits to; every shown field belongs to them",
    "条款正是各方所签、条目所承诺的条款；所披露的每个字段都属于该条款",
  );
}

function* contradictions(evidence, terms, kind, shown) {
  const { statement, termination } = evidence;
  const kinds = termination === null ? AGREEMENT_KINDS : TERMINATION_KINDS;
  const expected = termination === null ? "agreement-terms" : "termination-terms";
  const commitment = toHex(sha256(utf8Encode(evidence.terms)));
  const signed = toHex((termination ?? statement).commitment);
  if (!kinds.includes(kind)) yield `an entry of kind ${kind} has no ${expected}`;
  if (terms.kind !== expected) yield `kind is ${excerpt(terms.kind)}, expected ${expected}`;
  if (commitment !== signed) yield `SHA-256 of the terms is ${commitment}, signed was ${signed}`;
  if (!sameBytes(terms.agreement, statement.agreementId)) {
    yield "agreement id of the terms and of the statement differ";
  }
  if (terms.version !== statement.version) {
    yield `terms are of version ${terms.version}, the statement of version ${statement.version}`;
  }
  const recorded = { agreement: toHex(statement.agreementId), version: statement.version, commitment };
  yield* differing("entry", shown, recorded);
  if (termination === null) yield* agreementContradictions(statement, terms.shown);
  else yield* differing("terms", terms.shown, { effective_at: secondText(BigInt(termination.effectiveAt)) });
}

/** Where shown terms say otherwise than the statement that the contract keeps. */
function* agreementContradictions(statement, shown) {
  if (statement.version > 1) yield* differing("terms", shown, { previous: toHex(statement.previous) });
  if (shown.has("effective_from") && firstSecond(shown.get("effective_from"), 0) !== statement.effectiveFrom) {
    yield "terms.effective_from is not the statement's first second (Shanghai)";
  }
  if (shown.has("valid_through") && firstSecond(shown.get("valid_through"), 1) !== statement.validThrough + 1) {
    yield "terms.valid_through is not the statement's last second (Shanghai)";
  }
  if (shown.has("parties")) {
    const named = Array.isArray(shown.get("parties")) ? shown.get("parties") : [];
    const same = (party, place) =>
      party instanceof Map && party.get("organisation") === toHex(statement.parties[place].organisation);
    if (named.length !== statement.parties.length || !named.every(same)) {
      yield "terms.parties are not the statement's organisations in their order";
    }
  }
}

function* differing(where, shown, expected) {
  for (const [name, value] of Object.entries(expected)) {
    if (shown.has(name) && shown.get(name) !== value) {
      yield `${where}.${name} is ${excerpt(written(shown.get(name)))}, expected ${value}`;
    }
  }
}

function secondText(seconds) {
  const utc = utcOf(seconds);
  return utc === null ? `second ${seconds}` : `${utc.date}T${utc.time}Z`;
}

/** First second of a day in Shanghai, or of the day after when later is 1; null when it is no day. */
function firstSecond(value, later) {
  if (typeof value !== "string" || !/^[0-9]{4}-[0-9]{2}-[0-9]{2}$/.test(value)) return null;
  const day = dayNumber(...value.split("-").map(Number));
  return day === null || day + later > LAST_DAY ? null : (day + later) * 86_400 - SHANGHAI_SECONDS;
}

/**
 * Step 9: all stipulations, shown or withheld, give the root that the parties signed.
 * @param {AgreementEvidence} evidence
 * @returns {Finding}
 */
export function checkStipulations({ statement, stipulations }) {
  const leaves = [];
  for (const [place, stipulation] of stipulations.entries()) {
    try {
      leaves.push(stipulation.leaf ?? stipulationLeaf(stipulation, `agreement.stipulations[${place}]`));
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error;
      const why = said(error);
      return failed(`stipulation ${place + 1}: ${why.en}`, `第 ${place + 1} 项约定：${why.zh}`);
    }
  }
  const withheld = stipulations.filter((stipulation) => typeof stipulation !== "string").length;
  if (leaves.length !== statement.stipulationCount) {
    return failed(
      `the parties signed ${statement.stipulationCount} stipulations, here are ${leaves.length}`,
      `各方签署了 ${statement.stipulationCount} 项约定，这里有 ${leaves.length} 项`,
    );
  }
  if (!sameBytes(rootOf(leaves), statement.stipulationsRoot)) {
    return failed(
      "the stipulations do not give the root that the parties signed: one was altered, swapped or replaced",
      "各项约定算出的树根不是各方所签的树根：有约定被改动、调换或替换",
    );
  }
  return passed(
    `these are all ${leaves.length} stipulations that the parties signed, in their order (${withheld} withheld)`,
    `这正是各方所签的全部 ${leaves.length} 项约定，顺序无误（其中 ${withheld} 项未披露内容）`,
  );
}

function stipulationLeaf(stipulation, path) {
  const field = readDisclosure(stipulation);
  if (field.name !== STIPULATION) {
    throw new DecodeError(`${path}: expected a field named ${quoted(STIPULATION)}, met ${excerpt(field.name)}`);
  }
  members(field.value, path, STIPULATION_NAMES);
  return leafHash(utf8Encode(stipulation));
}

/**
 * Step 10: every party's signature recovers its signer. Rejects as the chain does.
 * @param {AgreementEvidence} evidence
 * @param {Map<string, Json>} shown the entry's fields
 * @param {import("./trust.js").Trust|null} trust
 * @param {import("./rpc.js").JsonRpcChain|null} chain only when it was found to be the trusted one; asked
 *   about contract accounts
 * @returns {Promise<Finding>}
 */
export async function checkSignatures(evidence, shown, trust, chain) {
  if (!trust?.chain) {
    return notChecked(
      "signatures hold for one chain and contract, and no trust file names them",
      "签名只对特定的链与合约有效，而没有信任文件指明它们",
    );
  }
  const domain = domainOf(trust.chain);
  const { statement, termination, signatures } = evidence;
  const agreement = agreementDigest(statement, domain);
  const digest = termination === null ? agreement : terminationDigest(termination, domain);
  if (termination !== null && !endsThis(termination, statement, agreement)) {
    return failed(
      "the termination names another agreement or other organisations than those shown",
      "终止声明所指的协议或当事方与所示的不同",
    );
  }
  if (shown.has("digest") && shown.get("digest") !== toHex(digest)) {
    return failed(
      `the entry commits to the digest ${excerpt(written(shown.get("digest")))}, the statement's is ${toHex(digest)}`,
      `条目承诺的摘要与声明的摘要 ${toHex(digest)} 不同`,
    );
  }
  const { parties } = termination ?? statement;
  if (signatures.length !== parties.length) {
    return failed(
      `${parties.length} parties need as many signatures, here are ${signatures.length}`,
      `${parties.length} 方应有同样多的签名，这里有 ${signatures.length} 个`,
    );
  }
  return checkEach(digest, parties, signatures, chain);
}

function endsThis(termination, statement, agreement) {
  const [mine, theirs] = [termination, statement].map(({ parties }) =>
    parties.map((party) => toHex(party.organisation)).join(),
  );
  return sameBytes(termination.agreement, agreement) && mine === theirs;
}

async function checkEach(digest, parties, signatures, chain) {
  const byContract = [];
  for (const [index, { signer }] of parties.entries()) {
    const [signature, place] = [signatures[index], index + 1];
    const refusal = refusalOf(digest, signer, signature);
    if (refusal === null) continue;
    if (chain !== null && (await chain.code(signer)).length) {
      if (toHex(await chain.signatureAnswer(signer, digest, signature)) === ERC1271_ACCEPTS) {
        byContract.push(signer);
        continue;
      }
    } else if (chain === null && signature.length !== 65) {
      return notChecked(
        `party ${place} signs with a contract account (${signer}); ask its chain with --rpc`,
        `第 ${place} 方以合约账户 ${signer} 签名，需用 --rpc 查询其链`,
      );
    }
    return failed(
      `the signature of party ${place} is not by its key ${signer}: ${refusal}`,
      `第 ${place} 方的签名不是其密钥 ${signer} 所签（${refusal}）`,
    );
  }
  const accounts = byContract.join(", ");
  return passed(
    `all ${parties.length} parties signed exactly this statement` +
      (accounts && `; accepted by contract account: ${accounts}`),
    `全部 ${parties.length} 方都签署了这份声明${accounts && `；由合约账户认可：${accounts}`}`,
  );
}

/** Why a key signature is not this party's; null when it is. */
function refusalOf(digest, expected, signature) {
  try {
    const signer = recover(digest, signature);
    return signer === expected ? null : `it recovers ${signer}`;
  } catch (error) {
    if (!(error instanceof SignatureFalse || error instanceof DecodeError)) throw error;
    return error.message;
  }
}
