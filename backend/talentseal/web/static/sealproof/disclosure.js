"use strict";
/**
 * Salted field disclosures (RFC 9901): a field is shown by its disclosure and stands in the entry by its
 * digest alone. A disclosure is base64url of the canonical JSON array [salt, name, value].
 * @typedef {import("./canonical.js").Json} Json
 */
import { decodeCanonical } from "./canonical.js";
import { b64urlDecode, b64urlEncode, checkLength, utf8Encode } from "./encoding.js";
import { DisclosureFalse, OutOfRange, WrongType } from "./errors.js";
import { at } from "./fields.js";
import { quoted } from "./quoting.js";
import { sha256 } from "./sha2.js";

/** The only algorithm of digests. */
export const ALGORITHM = "sha-256";
const SALT_LENGTH = 16;
const DISCLOSURE_LIMIT = 65_535;
const RESERVED = ["", "_sd", "_sd_alg", "..."];

/**
 * base64url of SHA-256 over the disclosure's text, as it stands in `_sd` (RFC 9901 §4.2.3). Checks nothing
 * else; throws BadText.
 * @param {string} disclosure
 * @returns {string}
 */
function digestOf(disclosure) {
  return b64urlEncode(sha256(utf8Encode(disclosure)));
}

/**
 * The field that a disclosure shows; only its one canonical text is read. Throws Oversized, BadEncoding,
 * WrongType, BadLength, OutOfRange, and what `decodeCanonical` throws.
 * @param {string} disclosure
 * @returns {{salt: Uint8Array, name: string, value: Json}} salt: 16 bytes
 */
export function readDisclosure(disclosure) {
  checkLength(disclosure, DISCLOSURE_LIMIT, "a disclosure");
  const array = decodeCanonical(b64urlDecode(disclosure), DISCLOSURE_LIMIT);
  if (!Array.isArray(array) || array.length !== 3) {
    throw new WrongType("expected a disclosure of three parts: salt, name, value");
  }
  const [salt, name, value] = array;
  if (typeof salt !== "string" || typeof name !== "string") {
    throw new WrongType("expected the salt and the name of a disclosure to be strings");
  }
  // RFC 9901 §7.1: a disclosure under one of its own keys would be read as structure.
  if (RESERVED.includes(name)) {
    throw new OutOfRange(`expected a field name, met the empty or reserved name ${quoted(name)}`);
  }
  return { salt: b64urlDecode(salt, SALT_LENGTH), name, value };
}

/**
 * Name → value of every disclosure (RFC 9901 §7.1). Throws DisclosureFalse for one that belongs to something
 * else, is given twice, or gives a field a second value; a DecodeError, with `path` in front, for one that
 * cannot be read.
 * @param {string[]} disclosures
 * @param {string[]} digests what the entry or the terms commit to
 * @param {string} path
 * @returns {Map<string, Json>}
 */
export function disclosedFields(disclosures, digests, path) {
  const [committed, seen, shown] = [new Set(digests), new Set(), new Map()];
  disclosures.forEach((disclosure, place) => {
    const where = `${path}[${place}]`;
    const mine = at(where, () => digestOf(disclosure));
    if (!committed.has(mine)) {
      throw new DisclosureFalse(`${where}: its digest ${mine} is not among those committed to`);
    }
    if (seen.has(mine)) throw new DisclosureFalse(`${where}: the same disclosure is given twice`);
    const field = at(where, () => readDisclosure(disclosure));
    if (shown.has(field.name)) {
      throw new DisclosureFalse(`${where}: a second value for the field ${quoted(field.name)}`);
    }
    seen.add(mine);
    shown.set(field.name, field.value);
  });
  return shown;
}
