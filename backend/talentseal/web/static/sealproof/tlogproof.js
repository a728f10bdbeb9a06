"use strict";
/**
 * Transparency-log proof (C2SP tlog-proof@v1): one text file with index, audit path and signed checkpoint.
 * What stands in its `extra` line is signed by nobody; it is read and not believed.
 */
import { openCheckpoint } from "./checkpoint.js";
import { HASH_LENGTH, b64Decode, checkLength, decimalDecode, excerpt } from "./encoding.js";
import { BadSyntax, Oversized, UnknownVersion } from "./errors.js";
import { checkInclusion } from "./merkle.js";
import { checkNoteText, splitNote } from "./note.js";

const HEADER = "c2sp.org/tlog-proof@v1";
const MAX_PATH = 63;
const PROOF_LIMIT = 1024 * 1024;

/**
 * The checkpoint under which a leaf is proved to lie, signed by the log's own key. Throws Oversized, BadText,
 * UnknownVersion, BadSyntax, BadNumber, OutOfRange, BadEncoding, BadLength, what `openCheckpoint` throws,
 * InclusionFalse.
 * @param {string} text of the proof
 * @param {Uint8Array} leaf hash of 32 bytes
 * @param {import("./note.js").VerifierKey[]} keys
 * @returns {{origin: string, size: bigint, root: Uint8Array}}
 */
export function openProof(text, leaf, keys) {
  const { index, path, note } = parseProof(text);
  const checkpoint = openCheckpoint(note, keys);
  checkInclusion(leaf, index, checkpoint.size, path, checkpoint.root);
  return checkpoint;
}

function parseProof(text) {
  checkLength(text, PROOF_LIMIT, "a proof");
  checkNoteText(text);
  const blank = text.indexOf("\n\n");
  const [header, ...lines] = (blank < 0 ? text : text.slice(0, blank)).split("\n");
  if (header !== HEADER) throw new UnknownVersion(`expected a first line ${HEADER}, met ${excerpt(header)}`);
  if (blank < 0) throw new BadSyntax("expected a blank line between the path and the checkpoint");
  if (lines[0]?.startsWith("extra ")) b64Decode(lines.shift().slice("extra ".length));
  if (!lines[0]?.startsWith("index ")) throw new BadSyntax("expected a line 'index <number>'");
  const index = decimalDecode(lines.shift().slice("index ".length));
  if (lines.length > MAX_PATH) {
    throw new Oversized(`expected a path of at most ${MAX_PATH} hashes, met ${lines.length}`);
  }
  const path = lines.map((line) => b64Decode(line, HASH_LENGTH));
  const note = text.slice(blank + 2);
  splitNote(note);
  return { index, path, note };
}
