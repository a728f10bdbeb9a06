"use strict";
/**
 * Text forms of bytes, numbers and times: strict, one form for each value.
 *
 * Base64 and base64url (RFC 4648 §4 and §5), hexadecimal, decimal integers, RFC 3339 instants, UTF-8. What is
 * counted or cut is counted in Unicode characters, as sealproof does, never in JavaScript's UTF-16 units.
 */
import { BadEncoding, BadLength, BadNumber, BadText, OutOfRange, Oversized } from "./errors.js";
import { asciiQuoted } from "./quoting.js";

/** Bytes of a SHA-256 digest. */
export const HASH_LENGTH = 32;
/** Largest tree size and index: what a signed 64-bit integer holds. */
export const MAX_SIZE = 2n ** 63n - 1n;

const BASE64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const BASE64_VALUES = new Map([...BASE64].map((character, value) => [character.charCodeAt(0), value]));
const INSTANT = /^([0-9]{4})-([0-9]{2})-([0-9]{2})T([0-9]{2}):([0-9]{2}):([0-9]{2})\.[0-9]{6}Z$/;
const LONE_SURROGATE = /[\ud800-\udfff]/u;
const SURROGATE_PAIRS = /[\ud800-\udbff][\udc00-\udfff]/g;
const PAD = 0x3d;

/** Padded base64 of the standard alphabet. @param {Uint8Array} raw @returns {string} */
function b64Encode(raw) {
  let text = "";
  for (let at = 0; at < raw.length; at += 3) {
    const three = (raw[at] << 16) | ((raw[at + 1] ?? 0) << 8) | (raw[at + 2] ?? 0);
    text += BASE64[three >> 18] + BASE64[(three >> 12) & 63];
    text += at + 1 < raw.length ? BASE64[(three >> 6) & 63] : "=";
    text += at + 2 < raw.length ? BASE64[three & 63] : "=";
  }
  return text;
}

/**
 * Bytes of padded standard base64. Throws BadEncoding when it is not the one form of its bytes, BadLength
 * when they are too few or too many.
 * @param {string} text
 * @param {number|null} [length] number of bytes it must give, null for any.
 * @returns {Uint8Array}
 */
export function b64Decode(text, length = null) {
  return exactLength(decodedOnce(text, text, b64Encode), length);
}

/** Unpadded base64url, the form of RFC 9901. @param {Uint8Array} raw @returns {string} */
export function b64urlEncode(raw) {
  return b64Encode(raw).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

/**
 * Bytes of unpadded base64url; throws as `b64Decode`.
 * @param {string} text
 * @param {number|null} [length] number of bytes it must give, null for any.
 * @returns {Uint8Array}
 */
export function b64urlDecode(text, length = null) {
  if (text.includes("+") || text.includes("/")) {
    throw new BadEncoding("expected base64url, which writes '-' and '_' for '+' and '/'");
  }
  const missing = (4 - (text.length % 4)) % 4;
  const padded = text.replaceAll("-", "+").replaceAll("_", "/") + "=".repeat(missing);
  return exactLength(decodedOnce(text, padded, b64urlEncode), length);
}

/** Lower-case hexadecimal without prefix. @param {Uint8Array} raw @returns {string} */
export function hexEncode(raw) {
  return Array.from(raw, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/**
 * Bytes of lower-case hexadecimal without prefix. Throws BadEncoding, BadLength.
 * @param {string} text
 * @param {number|null} [length] number of bytes it must give, null for any.
 * @returns {Uint8Array}
 */
export function hexDecode(text, length = null) {
  if (!/^[0-9a-f]*$/.test(text) || text.length % 2) {
    throw new BadEncoding(`expected lower-case hexadecimal, met ${excerpt(text)}`);
  }
  return exactLength(bytesOfHex(text), length);
}

/**
 * Bytes of hexadecimal digits of either case that the caller has checked.
 * @param {string} digits
 * @returns {Uint8Array}
 */
export function bytesOfHex(digits) {
  return Uint8Array.from({ length: digits.length / 2 }, (_, at) => parseInt(digits.slice(2 * at, 2 * at + 2), 16));
}

/**
 * Integer 0 ≤ n ≤ maximum of ASCII digits without sign or leading zeros. Throws BadNumber, OutOfRange.
 * @param {string} text
 * @param {bigint} [maximum]
 * @returns {bigint}
 */
export function decimalDecode(text, maximum = MAX_SIZE) {
  if (!/^(?:0|[1-9][0-9]*)$/.test(text)) {
    throw new BadNumber(`expected a decimal number without sign or leading zeros, met ${excerpt(text)}`);
  }
  // The length is bounded first: turning millions of digits into an integer takes long.
  if (text.length > String(maximum).length || BigInt(text) > maximum) {
    throw new OutOfRange(`expected a number of at most ${maximum}, met ${excerpt(text)}`);
  }
  return BigInt(text);
}

/**
 * Return when text is an instant of the one form, like `2026-11-23T08:00:00.000000Z`. Throws BadEncoding,
 * OutOfRange for a day or hour that does not exist.
 * @param {string} text
 */
export function checkInstant(text) {
  const match = INSTANT.exec(text);
  if (!match) {
    throw new BadEncoding(`expected a time like 2026-11-23T08:00:00.000000Z, met ${excerpt(text)}`);
  }
  const [year, month, day, hour, minute, second] = match.slice(1).map(Number);
  if (dayNumber(year, month, day) === null || hour > 23 || minute > 59 || second > 59) {
    throw new OutOfRange(`expected a time that exists, met ${text}`);
  }
}

/**
 * Days from 1970-01-01 to a day of the years 1 to 9999; null when there is no such day.
 * @param {number} year @param {number} month from 1 @param {number} day from 1
 * @returns {number|null}
 */
export function dayNumber(year, month, day) {
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  const exists = date.getUTCFullYear() === year && date.getUTCMonth() === month - 1 && date.getUTCDate() === day;
  return year >= 1 && exists ? date.getTime() / 86_400_000 : null;
}

/**
 * Date and time of a second since 1970 in UTC, as in `2026-11-23` and `08:00:00`; null beyond the year 9999.
 * @param {bigint} seconds ≥ 0
 * @returns {{date: string, time: string}|null}
 */
export function utcOf(seconds) {
  if (seconds > 253_402_300_799n) return null;
  const text = new Date(Number(seconds) * 1000).toISOString();
  return { date: text.slice(0, 10), time: text.slice(11, 19) };
}

/**
 * Text of strict UTF-8; a byte order mark is a character. Throws BadEncoding.
 * @param {Uint8Array} raw
 * @returns {string}
 */
export function utf8Decode(raw) {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(raw);
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    throw new BadEncoding(`expected UTF-8, met a broken sequence at byte ${brokenAt(raw)}`);
  }
}

/**
 * UTF-8 of text. Throws BadText for a lone surrogate, which has no UTF-8 form.
 * @param {string} text
 * @returns {Uint8Array}
 */
export function utf8Encode(text) {
  const lone = text.search(LONE_SURROGATE);
  if (lone >= 0) {
    throw new BadText(`expected Unicode text, met a lone surrogate at character ${characters(text.slice(0, lone))}`);
  }
  return new TextEncoder().encode(text);
}

/**
 * Throws Oversized when text has more than limit bytes of UTF-8, BadText when it has none.
 * @param {string} text @param {number} limit @param {string} what names the text
 */
export function checkLength(text, limit, what) {
  if (characters(text) > limit || utf8Encode(text).length > limit) {
    throw new Oversized(`expected ${what} of at most ${limit} bytes, met more`);
  }
}

/** Number of Unicode characters of a text. @param {string} text @returns {number} */
export function characters(text) {
  return text.length - (text.match(SURROGATE_PAIRS)?.length ?? 0);
}

/**
 * Order of two texts by Unicode characters, for `sort`: negative, 0 or positive.
 * @param {string} left
 * @param {string} right
 */
export function byCharacters(left, right) {
  const length = Math.min(left.length, right.length);
  for (let at = 0; at < length; at++) {
    const [one, other] = [left.charCodeAt(at), right.charCodeAt(at)];
    if (one !== other) return rank(one) - rank(other);
  }
  return left.length - right.length;
}

/**
 * At most 40 characters of foreign text, escaped, for an error message.
 * @param {string} text
 * @returns {string}
 */
export function excerpt(text) {
  if (text.length <= 40 || characters(text) <= 40) return asciiQuoted(text);
  return asciiQuoted(`${[...text.slice(0, 74)].slice(0, 37).join("")}...`);
}

/**
 * Whether two byte strings are equal.
 * @param {Uint8Array} left
 * @param {Uint8Array} right
 * @returns {boolean}
 */
export function sameBytes(left, right) {
  return left.length === right.length && left.every((byte, at) => byte === right[at]);
}

/** Byte strings one after the other. @param {...Uint8Array} parts @returns {Uint8Array} */
export function joined(...parts) {
  const whole = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** The integer of big-endian bytes. @param {Uint8Array} raw @returns {bigint} */
export function bigOf(raw) {
  return raw.length ? BigInt(`0x${hexEncode(raw)}`) : 0n;
}

/**
 * Big-endian bytes of an integer 0 ≤ n < 256^length.
 * @param {bigint} number
 * @param {number} [length]
 * @returns {Uint8Array}
 */
export function bytesOfBig(number, length = 32) {
  return bytesOfHex(number.toString(16).padStart(2 * length, "0"));
}

/** A surrogate stands for a character beyond all that need only one unit. */
function rank(unit) {
  return unit >= 0xd800 && unit <= 0xdfff ? unit + 0x10000 : unit;
}

/** Index of the first byte of the first sequence that is no UTF-8. */
function brokenAt(raw) {
  let at = 0;
  while (at < raw.length) {
    const length = sequenceLength(raw, at);
    if (!length) return at;
    at += length;
  }
  return at;
}

/** Bytes of the well-formed sequence at this place; 0 when it is none (Unicode 15, table 3-7). */
function sequenceLength(raw, at) {
  const first = raw[at];
  if (first < 0x80) return 1;
  const length = first < 0xc2 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : first < 0xf5 ? 4 : 0;
  const least = { 0xe0: 0xa0, 0xf0: 0x90 }[first] ?? 0x80;
  const most = { 0xed: 0x9f, 0xf4: 0x8f }[first] ?? 0xbf;
  const isTail = (byte, from, to) => byte >= from && byte <= to;
  if (!length || !isTail(raw[at + 1], least, most)) return 0;
  for (let next = at + 2; next < at + length; next++) {
    if (!isTail(raw[next], 0x80, 0xbf)) return 0;
  }
  return length;
}

/**
 * The reader below skips the bits after the last byte, so several texts give the same bytes: only ours is
 * accepted.
 */
function decodedOnce(text, padded, encode) {
  const raw = laxBase64(padded);
  if (raw === null) throw new BadEncoding(`expected base64, met ${excerpt(text)}`);
  if (encode(raw) !== text) {
    throw new BadEncoding(`expected the one base64 form of its bytes, met ${excerpt(text)}`);
  }
  return raw;
}

/** Bytes of base64 whose padding fits or is too long; null when it is none. */
function laxBase64(text) {
  let length = text.length;
  while (length && text.charCodeAt(length - 1) === PAD) length--;
  const rest = length % 4;
  const pads = text.length - length;
  if (rest ? rest === 1 || pads !== 4 - rest : pads && !length) return null;
  const raw = new Uint8Array((length * 3) >> 2);
  let [bits, held, at] = [0, 0, 0];
  for (let place = 0; place < length; place++) {
    const value = BASE64_VALUES.get(text.charCodeAt(place));
    if (value === undefined) return null;
    bits = ((bits << 6) | value) & 0xffff;
    held += 6;
    if (held >= 8) {
      held -= 8;
      raw[at++] = bits >> held;
    }
  }
  return raw;
}

function exactLength(raw, length) {
  if (length !== null && raw.length !== length) throw new BadLength(`expected ${length} bytes, met ${raw.length}`);
  return raw;
}
