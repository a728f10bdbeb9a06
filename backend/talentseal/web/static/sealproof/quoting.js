"use strict";
/**
 * How Python writes values into its messages (`repr`, `ascii`, `str`): the sentences of a report must be the
 * same wherever it is made.
 */

const SHORT = new Map([["\\", "\\\\"], ["\n", "\\n"], ["\r", "\\r"], ["\t", "\\t"]]);
const UNPRINTABLE = /[\p{C}\p{Z}]/u;

/** Text in quotes, with everything but printable ASCII escaped. @param {string} text @returns {string} */
export function asciiQuoted(text) {
  return inQuotes(text, (character) => character < " " || character > "~");
}

/** Text in quotes, with everything escaped that cannot be seen. @param {string} text @returns {string} */
export function quoted(text) {
  return inQuotes(text, (character) => character !== " " && UNPRINTABLE.test(character));
}

/**
 * A JSON value as Python's `str` writes it: strings as they are, the rest as Python's own literals.
 * @param {import("./canonical.js").Json|undefined} value undefined, for a key that is not there, is written
 *   as None.
 * @returns {string}
 */
export function written(value) {
  return typeof value === "string" ? value : literal(value);
}

function literal(value) {
  if (value === null || value === undefined) return "None";
  if (typeof value === "boolean") return value ? "True" : "False";
  if (typeof value === "string") return quoted(value);
  if (Array.isArray(value)) return `[${value.map(literal).join(", ")}]`;
  if (!(value instanceof Map)) return String(value);
  return `{${[...value].map(([key, member]) => `${quoted(key)}: ${literal(member)}`).join(", ")}}`;
}

function inQuotes(text, isHidden) {
  const quote = text.includes("'") && !text.includes('"') ? '"' : "'";
  const escaped = (character) => {
    if (character === quote) return `\\${quote}`;
    return SHORT.get(character) ?? (isHidden(character) ? numbered(character.codePointAt(0)) : character);
  };
  return quote + Array.from(text, escaped).join("") + quote;
}

function numbered(point) {
  const digits = point.toString(16);
  if (point < 0x100) return `\\x${digits.padStart(2, "0")}`;
  return point < 0x10000 ? `\\u${digits.padStart(4, "0")}` : `\\U${digits.padStart(8, "0")}`;
}
