"use strict";
/**
 * Canonical JSON (RFC 8785) without fractions: one value, one text, and a strict JSON reader.
 *
 * `JSON.parse` is not used: it takes the last of two equal keys, rounds integers of 2**53 and more, and lets
 * lone surrogates through. Objects are read as Maps, so that no key has a meaning of its own.
 * @typedef {null|boolean|number|string|Json[]|Map<string, Json>} Json
 */
import { characters, excerpt, sameBytes, utf8Decode, utf8Encode } from "./encoding.js";
import {
  BadNumber,
  BadSyntax,
  DuplicateKey,
  NotCanonical,
  Oversized,
  TooDeep,
  TrailingBytes,
} from "./errors.js";

/** Largest integer of the profile. */
export const MAX_INTEGER = 2 ** 53 - 1;
const MAX_DEPTH = 32;
const WORDS = [["null", null], ["true", true], ["false", false]];
const NO_NUMBERS = ["NaN", "Infinity", "-Infinity"];
const NUMBER = /-?(?:0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?/y;
const ESCAPES = new Map([..."\"\\/"].map((same) => [same, same]));
for (const [letter, control] of ["b\b", "f\f", "n\n", "r\r", "t\t"]) ESCAPES.set(letter, control);

/**
 * The one text of a value, as UTF-8. The value must be one that `parseJson` may give, of at most 32 levels.
 * @param {Json} value
 * @returns {Uint8Array}
 */
export function encodeCanonical(value) {
  return utf8Encode(canonicalText(value));
}

/**
 * The value of a canonical text of at most limit bytes. Throws what `parseJson` throws, and NotCanonical when
 * the bytes are another spelling of their value.
 * @param {Uint8Array} raw
 * @param {number} limit bytes
 * @returns {Json}
 */
export function decodeCanonical(raw, limit) {
  const value = parseJson(raw, limit);
  if (!sameBytes(encodeCanonical(value), raw)) {
    throw new NotCanonical("expected canonical JSON (RFC 8785): sorted keys, no spaces, shortest escapes");
  }
  return value;
}

/**
 * The value of one strict JSON text (RFC 8259) of at most limit bytes and 32 levels, in any spelling. Throws
 * Oversized, BadEncoding, BadSyntax, TrailingBytes, DuplicateKey, BadNumber, BadText, TooDeep.
 * @param {Uint8Array} raw
 * @param {number} limit bytes
 * @returns {Json}
 */
export function parseJson(raw, limit) {
  if (raw.length > limit) throw new Oversized(`expected JSON of at most ${limit} bytes, met ${raw.length}`);
  const text = utf8Decode(raw);
  checkLevels(text);
  const reader = new JsonReader(text);
  reader.skipSpace();
  const value = reader.value();
  const end = reader.at;
  reader.skipSpace();
  if (reader.at < text.length) {
    throw new TrailingBytes(`expected one JSON value, met ${excerpt(text.slice(end))} after it`);
  }
  checkText(value);
  return value;
}

/** Refuse deep nesting before the reader recurses into it. */
function checkLevels(text) {
  let [level, inString] = [0, false];
  for (let at = 0; at < text.length; at++) {
    const character = text[at];
    if (inString) {
      if (character === "\\") at++;
      else if (character === '"') inString = false;
    } else if (character === '"') inString = true;
    else if (character === "]" || character === "}") level--;
    else if ((character === "[" || character === "{") && ++level > MAX_DEPTH) {
      throw new TooDeep(`expected at most ${MAX_DEPTH} levels of JSON, met more`);
    }
  }
}

/** Reads one value from a text; `at` is the place of the next unread unit. */
class JsonReader {
  constructor(text) {
    this.text = text;
    this.at = 0;
  }

  skipSpace() {
    while (" \t\n\r".includes(this.text[this.at] ?? "x")) this.at++;
  }

  value() {
    const first = this.text[this.at];
    if (first === '"') return this.string();
    if (first === "{") return this.object();
    if (first === "[") return this.array();
    for (const [word, meaning] of WORDS) {
      if (this.text.startsWith(word, this.at)) {
        this.at += word.length;
        return meaning;
      }
    }
    const other = NO_NUMBERS.find((name) => this.text.startsWith(name, this.at));
    if (other !== undefined) refuseNumber(other);
    return this.number();
  }

  number() {
    NUMBER.lastIndex = this.at;
    const match = NUMBER.exec(this.text);
    if (!match) this.refuse("Expecting value", this.at);
    const [digits, fraction, exponent] = match;
    if (fraction || exponent) refuseNumber(digits);
    this.at += digits.length;
    // 17 characters hold every allowed integer, and the next beyond each is still exact as a double.
    if (digits === "-0" || digits.length > 17 || Math.abs(Number(digits)) > MAX_INTEGER) {
      throw new BadNumber(`expected an integer below 2**53 in size, met ${excerpt(digits)}`);
    }
    return Number(digits);
  }

  array() {
    const members = [];
    this.at++;
    this.skipSpace();
    if (this.text[this.at] !== "]") {
      do {
        this.skipSpace();
        members.push(this.value());
      } while (this.goesOn("]"));
    }
    this.at++;
    return members;
  }

  object() {
    const pairs = [];
    this.at++;
    this.skipSpace();
    if (this.text[this.at] !== "}") {
      do {
        pairs.push(this.member());
      } while (this.goesOn("}"));
    }
    this.at++;
    return mapOnce(pairs);
  }

  member() {
    this.skipSpace();
    if (this.text[this.at] !== '"') this.refuse("Expecting property name enclosed in double quotes", this.at);
    const key = this.string();
    this.skipSpace();
    if (this.text[this.at] !== ":") this.refuse("Expecting ':' delimiter", this.at);
    this.at++;
    this.skipSpace();
    return [key, this.value()];
  }

  /** Whether a comma follows, which is read, and not the closing bracket, which is left. */
  goesOn(closing) {
    this.skipSpace();
    if (this.text[this.at] === closing) return false;
    if (this.text[this.at] !== ",") this.refuse("Expecting ',' delimiter", this.at);
    this.at++;
    return true;
  }

  string() {
    const begun = this.at;
    let [whole, from] = ["", begun + 1];
    for (let next = from; ; next++) {
      const unit = this.text.charCodeAt(next);
      if (Number.isNaN(unit)) this.refuse("Unterminated string starting at", begun);
      if (unit < 0x20) this.refuse("Invalid control character at", next);
      if (unit === 0x22) {
        this.at = next + 1;
        return whole + this.text.slice(from, next);
      }
      if (unit === 0x5c) {
        whole += this.text.slice(from, next) + this.escape(next, begun);
        next += this.text[next + 1] === "u" ? 5 : 1;
        from = next + 1;
      }
    }
  }

  /** The character or the half of a pair that the escape at this place stands for. */
  escape(place, begun) {
    const letter = this.text[place + 1];
    if (letter === undefined) this.refuse("Unterminated string starting at", begun);
    if (letter !== "u") return ESCAPES.get(letter) ?? this.refuse("Invalid \\escape", place);
    const digits = this.text.slice(place + 2, place + 6);
    if (!/^[0-9a-fA-F]{4}$/.test(digits) || place + 6 >= this.text.length) {
      this.refuse("Invalid \\uXXXX escape", place + 1);
    }
    return String.fromCharCode(parseInt(digits, 16));
  }

  refuse(what, place) {
    const before = this.text.slice(0, place);
    const lines = before.split("\n");
    const column = characters(lines[lines.length - 1]) + 1;
    throw new BadSyntax(
      `expected JSON: ${what}: line ${lines.length} column ${column} (char ${characters(before)})`,
    );
  }
}

function refuseNumber(text) {
  throw new BadNumber(`expected an integer without fraction or exponent, met ${excerpt(text)}`);
}

function mapOnce(pairs) {
  const members = new Map(pairs);
  if (members.size === pairs.length) return members;
  const times = new Map();
  for (const [key] of pairs) times.set(key, (times.get(key) ?? 0) + 1);
  const most = Math.max(...times.values());
  const twice = [...times.keys()].find((key) => times.get(key) === most);
  throw new DuplicateKey(`expected each key once, met ${excerpt(twice)} again`);
}

/** Refuse what the reader lets through: lone surrogates from escapes. */
function checkText(value) {
  if (typeof value === "string") utf8Encode(value);
  else if (Array.isArray(value)) value.forEach(checkText);
  else if (value instanceof Map) {
    for (const key of value.keys()) utf8Encode(key);
    for (const member of value.values()) checkText(member);
  }
}

function canonicalText(value) {
  if (Array.isArray(value)) return `[${value.map(canonicalText).join(",")}]`;
  if (!(value instanceof Map)) return JSON.stringify(value);
  // RFC 8785 §3.2.3 sorts by UTF-16 units, as JavaScript does of itself.
  const keys = [...value.keys()].sort();
  return `{${keys.map((key) => `${JSON.stringify(key)}:${canonicalText(value.get(key))}`).join(",")}}`;
}
