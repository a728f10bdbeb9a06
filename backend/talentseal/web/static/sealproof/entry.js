"use strict";
/**
 * Entry: what the log holds about one record. Canonical JSON that carries digests of disclosures and nothing
 * personal.
 */
import { decodeCanonical } from "./canonical.js";
import { ALGORITHM } from "./disclosure.js";
import { HASH_LENGTH, b64urlDecode, byCharacters, checkInstant, excerpt } from "./encoding.js";
import {
  BadEncoding,
  MissingField,
  NotCanonical,
  OutOfRange,
  UnknownField,
  UnknownVersion,
  UnsupportedAlgorithm,
  WrongType,
} from "./errors.js";
import { quoted } from "./quoting.js";

/** Bytes of one entry. */
export const ENTRY_LIMIT = 65_535;
/** Largest kind of a record. */
export const MAX_KIND = 65_535;
const ENTRY_VERSION = 1;
const ENTRY_REQUIRED = ["_sd", "_sd_alg", "id", "kind", "recorded_at", "v"]; // in the order of their names
const ENTRY_OPTIONAL = ["relation", "refers_to"];
const RELATIONS =
  "AMENDS SUPERSEDES CORRECTS RETRACTS REVERSES CURES RESOLVES DECLARES ERASES".split(" ");

/**
 * The entry of exactly these bytes. Throws what `decodeCanonical` throws, and MissingField, UnknownField,
 * UnknownVersion, UnsupportedAlgorithm, WrongType, OutOfRange, BadEncoding, BadLength, NotCanonical.
 * @param {Uint8Array} raw
 * @returns {{kind: number, id: string, digests: string[]}} kind: 1 to 65535; digests: base64url, ascending
 */
export function decodeEntry(raw) {
  const fields = decodeCanonical(raw, ENTRY_LIMIT);
  if (!(fields instanceof Map)) throw new WrongType("expected an entry to be a JSON object");
  checkFields(fields);
  const relation = fields.has("relation") ? textOf(fields, "relation") : null;
  const kind = numberOf(fields, "kind");
  const id = textOf(fields, "id");
  checkInstant(textOf(fields, "recorded_at"));
  if (relation !== null && !RELATIONS.includes(relation)) {
    throw new OutOfRange(`expected a known relation, met ${excerpt(relation)}`);
  }
  const refersTo = fields.has("refers_to") ? textOf(fields, "refers_to") : null;
  const digests = listedDigests(fields.get("_sd"));
  if (kind < 1 || kind > MAX_KIND) throw new OutOfRange(`expected a kind from 1 to ${MAX_KIND}, met ${kind}`);
  checkId(id);
  if ((relation === null) !== (refersTo === null)) {
    throw new MissingField("expected relation and refers_to together, met one alone");
  }
  if (refersTo !== null) checkId(refersTo);
  checkDigests(digests);
  return { kind, id, digests };
}

function checkFields(fields) {
  // The version comes first: another version may well have other fields, and that is the thing to say.
  if (fields.has("v") && fields.get("v") !== ENTRY_VERSION) {
    throw new UnknownVersion(`expected an entry of version ${ENTRY_VERSION}, met another; use a newer sealproof`);
  }
  const missing = ENTRY_REQUIRED.find((name) => !fields.has(name));
  if (missing !== undefined) throw new MissingField(`expected the field ${quoted(missing)} in an entry`);
  const known = [...ENTRY_REQUIRED, ...ENTRY_OPTIONAL];
  const [unknown] = [...fields.keys()].filter((name) => !known.includes(name)).sort(byCharacters);
  if (unknown !== undefined) throw new UnknownField(`expected no field ${excerpt(unknown)} in an entry`);
  if (fields.get("_sd_alg") !== ALGORITHM) {
    throw new UnsupportedAlgorithm(`expected digests made with ${ALGORITHM}`);
  }
}

function numberOf(fields, name) {
  const value = fields.get(name);
  if (typeof value !== "number") throw new WrongType(`expected the entry's ${name} to be an integer`);
  return value;
}

function textOf(fields, name) {
  const value = fields.get(name);
  if (typeof value !== "string") throw new WrongType(`expected the entry's ${name} to be a string`);
  return value;
}

function listedDigests(values) {
  if (!Array.isArray(values)) throw new WrongType("expected the entry's _sd to be an array of strings");
  if (values.some((value) => typeof value !== "string")) {
    throw new WrongType("expected the entry's _sd to hold strings only");
  }
  return values;
}

function checkId(value) {
  if (!/^[0-9a-f]{32}$/.test(value)) {
    throw new BadEncoding(`expected an id of 32 lower-case hexadecimal digits, met ${excerpt(value)}`);
  }
}

function checkDigests(digests) {
  for (const value of digests) b64urlDecode(value, HASH_LENGTH);
  if (digests.some((value, place) => place && byCharacters(digests[place - 1], value) >= 0)) {
    throw new NotCanonical("expected the digests of an entry in ascending order, each once");
  }
}
