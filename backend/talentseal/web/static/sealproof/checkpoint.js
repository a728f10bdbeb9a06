"use strict";
/**
 * Checkpoint (C2SP tlog-checkpoint v1.0.0): origin, size and root of the log at one moment, carried by a
 * signed note. Extension lines are not read: not every kind of cosignature covers them.
 */
import { HASH_LENGTH, b64Decode, decimalDecode, sameBytes } from "./encoding.js";
import {
  BadSyntax,
  OriginMismatch,
  OutOfRange,
  RootMismatch,
  TrailingBytes,
  Truncated,
} from "./errors.js";
import { EMPTY_ROOT } from "./merkle.js";
import { checkKeyName, openNote } from "./note.js";

/**
 * Ends the first line of a promise, so no checkpoint's origin may end in it: the two can never be mistaken.
 */
export const PROMISE_SUFFIX = "/promise";

/**
 * The checkpoint of exactly three lines. Throws Truncated, TrailingBytes for extension lines, BadNumber,
 * OutOfRange, BadEncoding, BadLength, BadKey, BadText, RootMismatch for an empty tree's false root.
 * @param {string} text
 * @returns {{origin: string, size: bigint, root: Uint8Array}} root: 32 bytes
 */
export function parseCheckpoint(text) {
  const [origin, decimal, encoded] = noteLines(text, 3, "a checkpoint");
  const [size, root] = [decimalDecode(decimal), b64Decode(encoded, HASH_LENGTH)];
  checkOrigin(origin);
  if (!size && !sameBytes(root, EMPTY_ROOT)) {
    throw new RootMismatch("expected SHA-256 of nothing as the root of no entries, met another hash");
  }
  return { origin, size, root };
}

/**
 * The checkpoint of a note that the log itself signed: one of keys that bears the origin's name. Throws what
 * `openNote` and `parseCheckpoint` throw, and OriginMismatch when only keys of other names signed it.
 * @param {string} note
 * @param {import("./note.js").VerifierKey[]} keys
 * @returns {{origin: string, size: bigint, root: Uint8Array}}
 */
export function openCheckpoint(note, keys) {
  const opened = openNote(note, keys);
  const checkpoint = parseCheckpoint(opened.text);
  checkOwnKey(opened, checkpoint.origin, "checkpoint");
  return checkpoint;
}

/** Throws OriginMismatch unless a key of the origin's name is among those that signed. */
export function checkOwnKey(opened, origin, what) {
  if (opened.verified.every((key) => key.name !== origin)) {
    throw new OriginMismatch(`the ${what} of ${origin} is signed by ${opened.verified[0].name} alone`);
  }
}

/** Throws BadKey, BadText or OutOfRange unless origin can name a log. @param {string} origin */
export function checkOrigin(origin) {
  checkKeyName(origin);
  if (origin.endsWith(PROMISE_SUFFIX)) {
    throw new OutOfRange(`expected an origin that does not end in ${PROMISE_SUFFIX}`);
  }
}

/**
 * The lines of a note's text, exactly count. Throws BadSyntax, Truncated, TrailingBytes.
 * @param {string} text @param {number} count @param {string} what names the text
 * @returns {string[]}
 */
export function noteLines(text, count, what) {
  if (!text.endsWith("\n")) throw new BadSyntax(`expected ${what} to end in a newline`);
  const lines = text.slice(0, -1).split("\n");
  const Refusal = lines.length < count ? Truncated : TrailingBytes;
  if (lines.length !== count) {
    throw new Refusal(`expected ${what} of ${count} lines, met ${lines.length}`);
  }
  return lines;
}
