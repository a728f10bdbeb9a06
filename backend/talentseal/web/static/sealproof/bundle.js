"use strict";
/**
 * The proof bundle `*.seal.json`, version 1: everything about one entry that can be carried away and checked
 * elsewhere. Form only: `loadBundle` says whether the file is well-formed, `verify` whether it is true.
 * @typedef {import("./canonical.js").Json} Json
 * @typedef {import("./trust.js").ChainIdentity & {block_number: number, block_hash: string, transaction_hash:
 *   string}} Anchor
 * @typedef {{terms: string, disclosures: string[], stipulations: (string|{leaf: Uint8Array})[], statement:
 *   import("./eip712.js").Agreement, termination: import("./eip712.js").Termination|null, signatures:
 *   Uint8Array[], transactionHash: string|null}} AgreementEvidence for a termination, `statement` is the
 *   version that it ends, and the rest is the termination's own
 * @typedef {{entry: string, disclosures: string[], index: number, size: number, path: Uint8Array[],
 *   checkpoint: string, anchor: Anchor|null, agreement: AgreementEvidence|null}} Bundle
 */
import { MAX_INTEGER, parseJson } from "./canonical.js";
import { MOST_PARTIES, readAgreement, readTermination } from "./eip712.js";
import { ENTRY_LIMIT } from "./entry.js";
import { OutOfRange, UnknownVersion } from "./errors.js";
import { base64Hash, elements, hashText, integer, members, prefixedHex, text } from "./fields.js";
import { NOTE_LIMIT } from "./note.js";
import { IDENTITY_NAMES, readIdentity } from "./trust.js";

const BUNDLE_LIMIT = 1024 * 1024;
const FORMAT = "talentseal.bundle";
const BUNDLE_VERSION = 1;
const MOST_DISCLOSURES = 1024;
const MOST_STIPULATIONS = 4096;
const LONGEST_PATH = 63;
const TEXT_LIMIT = 65_535;
const SIGNATURE_LIMIT = 4096; // bytes: 65 for a key, more for a contract account (ERC-1271)
const TOP_NAMES = "v format entry disclosures index size path checkpoint anchor agreement".split(" ");
const ANCHOR_NAMES = [...IDENTITY_NAMES, "block_number", "block_hash", "transaction_hash"];
const EVIDENCE_NAMES =
  "terms disclosures stipulations statement termination signatures transaction_hash".split(" ");

/**
 * The bundle of a file of at most 1 MiB, in any JSON spelling. Throws a DecodeError (Oversized, BadEncoding,
 * BadSyntax, DuplicateKey, UnknownVersion, MissingField, UnknownField, WrongType, OutOfRange, BadLength …)
 * that names the field.
 * @param {Uint8Array} raw
 * @returns {Bundle}
 */
export function loadBundle(raw) {
  const value = parseJson(raw, BUNDLE_LIMIT);
  if (value instanceof Map && value.get("format") === FORMAT && !isVersion(value.get("v"))) {
    throw new UnknownVersion(`v: expected a bundle of version ${BUNDLE_VERSION}; use a newer sealproof`);
  }
  const fields = members(value, "bundle", TOP_NAMES);
  if (text(fields.get("format"), "format", 64) !== FORMAT) throw new UnknownVersion(`format: expected '${FORMAT}'`);
  integer(fields.get("v"), "v", BUNDLE_VERSION, BUNDLE_VERSION);
  return {
    entry: text(fields.get("entry"), "entry", ENTRY_LIMIT),
    disclosures: readDisclosures(fields.get("disclosures"), "disclosures"),
    index: integer(fields.get("index"), "index", 0, MAX_INTEGER),
    size: integer(fields.get("size"), "size", 1, MAX_INTEGER),
    path: elements(fields.get("path"), "path", LONGEST_PATH).map((sibling, place) =>
      base64Hash(sibling, `path[${place}]`),
    ),
    checkpoint: text(fields.get("checkpoint"), "checkpoint", NOTE_LIMIT),
    anchor: fields.get("anchor") === null ? null : readAnchor(fields.get("anchor")),
    agreement: fields.get("agreement") === null ? null : readEvidence(fields.get("agreement")),
  };
}

/** A version that is `true` is refused as of the wrong type, not as another version. */
function isVersion(value) {
  return value === BUNDLE_VERSION || value === true;
}

function readAnchor(value) {
  const fields = members(value, "anchor", ANCHOR_NAMES);
  return {
    ...readIdentity(fields, "anchor"),
    block_number: integer(fields.get("block_number"), "anchor.block_number"),
    block_hash: hashText(fields.get("block_hash"), "anchor.block_hash"),
    transaction_hash: hashText(fields.get("transaction_hash"), "anchor.transaction_hash"),
  };
}

function readEvidence(value) {
  const fields = members(value, "agreement", EVIDENCE_NAMES);
  const [termination, transaction] = [fields.get("termination"), fields.get("transaction_hash")];
  const stipulations = elements(fields.get("stipulations"), "agreement.stipulations", MOST_STIPULATIONS);
  const signatures = elements(fields.get("signatures"), "agreement.signatures", MOST_PARTIES);
  return {
    terms: text(fields.get("terms"), "agreement.terms", TEXT_LIMIT),
    disclosures: readDisclosures(fields.get("disclosures"), "agreement.disclosures"),
    stipulations: stipulations.map((item, place) => readStipulation(item, `agreement.stipulations[${place}]`)),
    statement: readAgreement(fields.get("statement"), "agreement.statement"),
    termination: termination === null ? null : readTermination(termination, "agreement.termination"),
    signatures: signatures.map((item, place) => readPartySignature(item, `agreement.signatures[${place}]`)),
    transactionHash: transaction === null ? null : hashText(transaction, "agreement.transaction_hash"),
  };
}

function readDisclosures(value, path) {
  return elements(value, path, MOST_DISCLOSURES).map((item, place) => text(item, `${path}[${place}]`, TEXT_LIMIT));
}

/** A stipulation's disclosure, or its leaf hash when it is withheld. */
function readStipulation(value, path) {
  if (typeof value === "string") return text(value, path, TEXT_LIMIT);
  return { leaf: base64Hash(members(value, path, ["leaf"]).get("leaf"), `${path}.leaf`) };
}

function readPartySignature(value, path) {
  const signature = prefixedHex(value, path, null, SIGNATURE_LIMIT);
  if (!signature.length) throw new OutOfRange(`${path}: expected a signature, met no bytes`);
  return signature;
}
