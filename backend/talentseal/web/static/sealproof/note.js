"use strict";
/**
 * Signed note (C2SP signed-note v1.0.0): text, a blank line, and signature lines by named keys. Only Ed25519
 * (type 01) is checked. A note says nothing until a key that the caller trusts has signed it.
 */
import { verifyEd25519 } from "./ed25519.js";
import {
  b64Decode,
  checkLength,
  excerpt,
  hexDecode,
  hexEncode,
  joined,
  sameBytes,
  utf8Encode,
} from "./encoding.js";
import {
  BadKey,
  BadLength,
  BadSyntax,
  BadText,
  MissingField,
  NoTrustedSignature,
  Oversized,
  Truncated,
  UnsupportedAlgorithm,
} from "./errors.js";
import { sha256 } from "./sha2.js";

/** Bytes of a whole note: room for a hundred post-quantum cosignatures by witnesses. */
export const NOTE_LIMIT = 512 * 1024;
const ED25519 = 0x01;
const KEY_ID_LENGTH = 4;
const PUBLIC_KEY_LENGTH = 32;
const MAX_SIGNATURES = 100;
const DASH = "\u2014 ";
/** What Python counts as white space. */
const SPACE = /[\t-\r\x1c-\x20\x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]/;

/** A public key that may sign notes. */
export class VerifierKey {
  /**
   * @param {string} name
   * @param {Uint8Array} keyId 4 bytes
   * @param {number} algorithm type byte
   * @param {Uint8Array} publicKey 32 bytes
   * Throws BadText or BadKey for a name that no note can carry, UnsupportedAlgorithm, BadLength, BadKey when
   * the identifier is not that of the name and key.
   */
  constructor(name, keyId, algorithm, publicKey) {
    checkKeyName(name);
    if (algorithm !== ED25519) {
      throw new UnsupportedAlgorithm(`expected an Ed25519 key (type 1), met type ${algorithm}`);
    }
    if (publicKey.length !== PUBLIC_KEY_LENGTH) {
      throw new BadLength(`expected a public key of ${PUBLIC_KEY_LENGTH} bytes, met ${publicKey.length}`);
    }
    if (!sameBytes(keyId, keyIdOf(name, algorithm, publicKey))) {
      throw new BadKey(`the key identifier does not belong to this name and key of ${excerpt(name)}`);
    }
    this.name = name;
    this.keyId = keyId;
    this.publicKey = publicKey;
  }

  /**
   * Key of `name+hex8(key id)+base64(type ‖ public key)`. Throws BadSyntax, BadEncoding, BadLength and as
   * above.
   * @param {string} vkey
   * @returns {VerifierKey}
   */
  static parse(vkey) {
    checkLength(vkey, 1024, "a verifier key");
    // The name has no plus; base64 may have, so the text is split at the first two only.
    const [name, id, ...rest] = vkey.split("+");
    if (!rest.length) throw new BadSyntax(`expected a verifier key of name+id+key, met ${excerpt(vkey)}`);
    const [keyId, key] = [hexDecode(id, KEY_ID_LENGTH), b64Decode(rest.join("+"))];
    if (!key.length) throw new BadLength("expected a key type and a key, met nothing");
    return new VerifierKey(name, keyId, key[0], key.subarray(1));
  }

  /** Name and identifier, by which a signature line names its key. */
  get identity() {
    return `${this.name}+${hexEncode(this.keyId)}`;
  }
}

/**
 * The text of a note, once every signature on it by one of keys is checked, and the keys that signed it, at
 * least one. Throws what `splitNote` throws, BadKey when two of keys share name and identifier,
 * SignatureFalse when a trusted key's signature is false, NoTrustedSignature when there is none.
 * @param {string} note
 * @param {VerifierKey[]} keys trusted by the caller
 * @returns {{text: string, verified: VerifierKey[]}}
 */
export function openNote(note, keys) {
  const known = new Map(keys.map((key) => [key.identity, key]));
  if (keys.some((key) => !sameBytes(key.publicKey, known.get(key.identity).publicKey))) {
    throw new BadKey("expected trusted keys that differ in name or identifier, met two that share both");
  }
  const { text, signatures } = splitNote(note);
  const verified = new Set();
  for (const signature of signatures) {
    const key = known.get(`${signature.name}+${hexEncode(signature.keyId)}`);
    if (key === undefined) continue;
    verifyEd25519(key.publicKey, utf8Encode(text), signature.value);
    verified.add(key);
  }
  if (!verified.size) {
    const names = keys.map((key) => key.name).join(", ") || "no key";
    throw new NoTrustedSignature(`expected a signature by a trusted key (${names}), met none`);
  }
  return { text, verified: [...verified] };
}

/**
 * Text and signature lines of a note, nothing verified. Throws Oversized, BadText, Truncated, MissingField
 * without signatures, BadSyntax, BadEncoding, BadLength, BadKey.
 * @param {string} note
 * @returns {{text: string, signatures: {name: string, keyId: Uint8Array, value: Uint8Array}[]}}
 */
export function splitNote(note) {
  checkLength(note, NOTE_LIMIT, "a note");
  checkNoteText(note);
  if (!note.endsWith("\n")) throw new Truncated("expected a note to end in a newline");
  // The last blank line divides: the text itself may hold blank lines.
  const blank = note.lastIndexOf("\n\n");
  if (blank < 0) throw new BadSyntax("expected a blank line between the text of a note and its signatures");
  const lines = note.slice(blank + 2);
  if (!lines) throw new MissingField("expected at least one signature on a note");
  const signatures = lines.slice(0, -1).split("\n");
  if (signatures.length > MAX_SIGNATURES) {
    throw new Oversized(`expected at most ${MAX_SIGNATURES} signatures on a note, met ${signatures.length}`);
  }
  return { text: note.slice(0, blank + 1), signatures: signatures.map(readSignatureLine) };
}

/**
 * Throws BadText or BadKey unless a note can carry name: not empty, no white space, no control character, no
 * plus.
 * @param {string} name
 */
export function checkKeyName(name) {
  checkNoteText(name);
  if (!name || name.includes("+") || SPACE.test(name)) {
    throw new BadKey(`expected a key name without spaces and '+', met ${excerpt(name)}`);
  }
}

/** Throws BadText for a lone surrogate or a control character other than a newline. @param {string} text */
export function checkNoteText(text) {
  utf8Encode(text);
  const control = /[\0-\x09\x0b-\x1f]/.exec(text);
  if (control) throw new BadText(`expected no control character but the newline, met ${excerpt(control[0])}`);
}

/** First 4 bytes of SHA-256(name ‖ LF ‖ type ‖ public key). */
function keyIdOf(name, algorithm, publicKey) {
  return sha256(joined(utf8Encode(name), Uint8Array.of(0x0a, algorithm), publicKey)).subarray(0, KEY_ID_LENGTH);
}

function readSignatureLine(line) {
  if (!line.startsWith(DASH)) {
    throw new BadSyntax(`expected a signature line that begins with an em dash, met ${excerpt(line)}`);
  }
  const space = line.indexOf(" ", DASH.length);
  if (space < 0) throw new BadSyntax(`expected a key name and a signature, met ${excerpt(line)}`);
  const name = line.slice(DASH.length, space);
  checkKeyName(name);
  const raw = b64Decode(line.slice(space + 1));
  if (raw.length <= KEY_ID_LENGTH) {
    throw new BadLength(`expected a key identifier and a signature, met ${raw.length} bytes`);
  }
  return { name, keyId: raw.subarray(0, KEY_ID_LENGTH), value: raw.subarray(KEY_ID_LENGTH) };
}
