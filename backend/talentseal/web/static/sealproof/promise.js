"use strict";
/**
 * Promise: the log's signed word that a leaf will be under a checkpoint by a deadline. With it and a later
 * checkpoint that lacks the leaf, anyone can show that the word was broken.
 */
import { PROMISE_SUFFIX, checkOrigin, checkOwnKey, noteLines } from "./checkpoint.js";
import { HASH_LENGTH, b64Decode, checkInstant, decimalDecode, excerpt } from "./encoding.js";
import { MAX_KIND } from "./entry.js";
import { BadSyntax, OutOfRange } from "./errors.js";
import { openNote } from "./note.js";

/**
 * The promise of a note that the log itself signed: one of keys that bears the origin's name. Throws what
 * `openNote` throws, Truncated, TrailingBytes, BadSyntax, BadNumber, OutOfRange, BadEncoding, BadLength,
 * BadKey, BadText, and OriginMismatch when only keys of other names signed it.
 * @param {string} note
 * @param {import("./note.js").VerifierKey[]} keys
 * @returns {{origin: string, kind: number, leafHash: Uint8Array, deadline: string}} deadline: RFC 3339, UTC
 */
export function openPromise(note, keys) {
  const opened = openNote(note, keys);
  const promise = parsePromise(opened.text);
  checkOwnKey(opened, promise.origin, "promise");
  return promise;
}

function parsePromise(text) {
  const [title, number, leaf, deadline] = noteLines(text, 4, "a promise");
  if (!title.endsWith(PROMISE_SUFFIX)) {
    throw new BadSyntax(`expected a first line that ends in ${PROMISE_SUFFIX}, met ${excerpt(title)}`);
  }
  const origin = title.slice(0, -PROMISE_SUFFIX.length);
  const kind = Number(decimalDecode(number, BigInt(MAX_KIND)));
  const leafHash = b64Decode(leaf, HASH_LENGTH);
  checkInstant(deadline);
  checkOrigin(origin);
  if (!kind) throw new OutOfRange(`expected a kind from 1 to ${MAX_KIND}, met ${kind}`);
  return { origin, kind, leafHash, deadline };
}
