"use strict";
/**
 * Reading JSON objects field by field: exact keys, exact types, one spelling, and errors that name the place.
 * Every reader throws a DecodeError whose message begins with the path of the field, such as
 * `agreement.statement.version`.
 * @typedef {import("./canonical.js").Json} Json
 */
import { MAX_INTEGER } from "./canonical.js";
import { HASH_LENGTH, b64Decode, characters, excerpt, hexDecode, hexEncode } from "./encoding.js";
import { BadEncoding, DecodeError, MissingField, OutOfRange, Oversized, UnknownField, WrongType } from "./errors.js";
import { quoted } from "./quoting.js";
import { parseAddress } from "./secp256k1.js";

/**
 * The object at `path`, which must have exactly these keys. Throws WrongType, MissingField, UnknownField.
 * @param {Json} value @param {string} path @param {string[]} names
 * @returns {Map<string, Json>}
 */
export function members(value, path, names) {
  if (!(value instanceof Map)) throw new WrongType(`${path}: expected an object, met ${kindOf(value)}`);
  const missing = names.find((name) => !value.has(name));
  if (missing !== undefined) throw new MissingField(`${path}: the field ${quoted(missing)} is missing`);
  const unknown = [...value.keys()].find((name) => !names.includes(name));
  if (unknown !== undefined) {
    throw new UnknownField(`${path}: the field ${excerpt(unknown)} is not part of this format`);
  }
  return value;
}

/**
 * The array at `path`. Throws WrongType, Oversized.
 * @param {Json} value
 * @param {string} path
 * @param {number} limit elements
 */
export function elements(value, path, limit) {
  if (!Array.isArray(value)) throw new WrongType(`${path}: expected an array, met ${kindOf(value)}`);
  if (value.length > limit) {
    throw new Oversized(`${path}: expected at most ${limit} elements, met ${value.length}`);
  }
  return value;
}

/**
 * The string at `path`. Throws WrongType, Oversized.
 * @param {Json} value
 * @param {string} path
 * @param {number} limit characters
 */
export function text(value, path, limit) {
  if (typeof value !== "string") throw new WrongType(`${path}: expected a string, met ${kindOf(value)}`);
  const length = characters(value);
  if (length > limit) throw new Oversized(`${path}: expected at most ${limit} characters, met ${length}`);
  return value;
}

/**
 * The integer at `path`, least ≤ n ≤ most. Throws WrongType, OutOfRange.
 * @param {Json} value @param {string} path @param {number} [least] @param {number} [most]
 * @returns {number}
 */
export function integer(value, path, least = 0, most = MAX_INTEGER) {
  if (typeof value !== "number") throw new WrongType(`${path}: expected an integer, met ${kindOf(value)}`);
  if (value < least || value > most) {
    throw new OutOfRange(`${path}: expected ${least} to ${most}, met ${value}`);
  }
  return value;
}

/**
 * Bytes written as 0x and lower-case hex. Throws WrongType, Oversized, BadEncoding, BadLength.
 * @param {Json} value @param {string} path
 * @param {number|null} [length] bytes, null for any up to `limit` @param {number} [limit] bytes
 * @returns {Uint8Array}
 */
export function prefixedHex(value, path, length = HASH_LENGTH, limit = HASH_LENGTH) {
  const digits = text(value, path, 2 + 2 * (length ?? limit));
  if (!digits.startsWith("0x")) {
    throw new BadEncoding(`${path}: expected 0x and lower-case hexadecimal, met ${excerpt(digits)}`);
  }
  return at(path, () => hexDecode(digits.slice(2), length));
}

/**
 * A 32-byte hash as 0x and lower-case hex: the text itself, checked.
 * @param {Json} value
 * @param {string} path
 */
export function hashText(value, path) {
  prefixedHex(value, path);
  return value;
}

/** 32 bytes as lower-case hex without prefix, as document digests are. Throws as `prefixedHex`. */
export function plainHex(value, path) {
  const digits = text(value, path, 2 * HASH_LENGTH);
  return at(path, () => hexDecode(digits, HASH_LENGTH));
}

/** A 32-byte hash in padded base64. Throws WrongType, Oversized, BadEncoding, BadLength. */
export function base64Hash(value, path) {
  const encoded = text(value, path, 44);
  return at(path, () => b64Decode(encoded, HASH_LENGTH));
}

/** An account in its EIP-55 form: the text itself, checked. Throws WrongType, Oversized, BadEncoding. */
export function address(value, path) {
  const spelled = text(value, path, 42);
  at(path, () => parseAddress(spelled));
  return spelled;
}

/** 0x and lower-case hex. @param {Uint8Array} raw @returns {string} */
export function toHex(raw) {
  return `0x${hexEncode(raw)}`;
}

/**
 * What `read` gives; a DecodeError from it is thrown again with `path` in front.
 * @template Value
 * @param {string} path @param {() => Value} read
 * @returns {Value}
 */
export function at(path, read) {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
    throw new error.constructor(`${path}: ${error.message}`);
  }
}

function kindOf(value) {
  if (value === null) return "null";
  if (Array.isArray(value)) return "an array";
  return { boolean: "a boolean", number: "a number", string: "a string" }[typeof value] ?? "an object";
}
