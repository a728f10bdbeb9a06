"use strict";
/**
 * What a verifier trusts: one log key, one chain with one registry on it, and when a block there counts as
 * final. `trust.json` comes to the verifier by his own way and never out of a bundle.
 * @typedef {{chain_id: number, genesis_hash: string, contract: string, code_hash: string, deployment_id:
 *   string, deployment_block_hash: string}} ChainIdentity hashes and ids: 0x and 64 hex digits; contract:
 *   EIP-55
 * @typedef {{log: VerifierKey, chain: ChainIdentity|null, finality: {policy: string, depth: number}, label:
 *   string}} Trust policy: instant, depth or tag; depth: blocks on top, at least 1 under depth and 0
 *   otherwise
 */
import { MAX_INTEGER, parseJson } from "./canonical.js";
import { OutOfRange, UnknownVersion } from "./errors.js";
import { address, at, hashText, integer, members, text } from "./fields.js";
import { VerifierKey } from "./note.js";
import { quoted } from "./quoting.js";

/** Fields of a chain's identity, in their order. */
export const IDENTITY_NAMES = [
  "chain_id",
  "genesis_hash",
  "contract",
  "code_hash",
  "deployment_id",
  "deployment_block_hash",
];
const TRUST_LIMIT = 64 * 1024;
const TRUST_VERSION = 1;
const LABEL_LIMIT = 200;

/**
 * Reads a trust file strictly, in any JSON spelling. Throws a DecodeError that names the field.
 * @param {Uint8Array} raw
 * @returns {Trust}
 */
export function loadTrust(raw) {
  const fields = members(parseJson(raw, TRUST_LIMIT), "trust", ["v", "log", "chain", "finality", "label"]);
  if (integer(fields.get("v"), "v") !== TRUST_VERSION) {
    throw new UnknownVersion(`v: expected a trust file of version ${TRUST_VERSION}; use a newer sealproof`);
  }
  const vkey = text(fields.get("log"), "log", 1024);
  const given = fields.get("chain");
  if (given !== null) members(given, "chain", IDENTITY_NAMES);
  return {
    log: at("log", () => VerifierKey.parse(vkey)),
    chain: given === null ? null : readIdentity(given, "chain"),
    finality: readFinality(fields.get("finality")),
    label: text(fields.get("label"), "label", LABEL_LIMIT),
  };
}

/**
 * The identity of a chain from fields that are there. Throws a DecodeError that names the field under `path`.
 * @param {Map<string, import("./canonical.js").Json>} fields @param {string} path
 * @returns {ChainIdentity}
 */
export function readIdentity(fields, path) {
  const hash = (name) => hashText(fields.get(name), `${path}.${name}`);
  return {
    chain_id: integer(fields.get("chain_id"), `${path}.chain_id`, 1, MAX_INTEGER),
    genesis_hash: hash("genesis_hash"),
    contract: address(fields.get("contract"), `${path}.contract`),
    code_hash: hash("code_hash"),
    deployment_id: hash("deployment_id"),
    deployment_block_hash: hash("deployment_block_hash"),
  };
}

/**
 * Where signatures of agreements hold.
 * @param {ChainIdentity} identity
 * @returns {import("./eip712.js").Domain}
 */
export function domainOf(identity) {
  return { chainId: identity.chain_id, contract: identity.contract };
}

function readFinality(value) {
  const fields = members(value, "finality", ["policy", "depth"]);
  const policy = text(fields.get("policy"), "finality.policy", 16);
  if (!["instant", "depth", "tag"].includes(policy)) {
    throw new OutOfRange(`finality.policy: expected instant, depth or tag, met ${quoted(policy)}`);
  }
  const depth = integer(fields.get("depth"), "finality.depth", 0, 1_000_000);
  if (depth > 0 !== (policy === "depth")) {
    throw new OutOfRange("finality.depth: expected 1 or more with the policy 'depth', 0 with any other");
  }
  return { policy, depth };
}
