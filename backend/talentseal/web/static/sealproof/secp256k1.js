"use strict";
/**
 * Signer recovery on secp256k1 (SEC 1 v2 §4.1.6), as Ethereum's `ecrecover` does it but strict: low s, v of
 * 27 or 28 only. Verification only: no secret ever passes through, so nothing needs to run in constant time.
 */
import { bigOf, bytesOfBig, bytesOfHex, hexEncode, joined, utf8Encode } from "./encoding.js";
import { BadEncoding, BadLength, SignatureFalse } from "./errors.js";
import { keccak256 } from "./keccak.js";
import { quoted } from "./quoting.js";
import { inverse, oddMultiples, pairedDigits, power, residue } from "./scalars.js";

const FIELD = 2n ** 256n - 2n ** 32n - 977n;
const ORDER = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n;
const GENERATOR = [
  0x79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798n,
  0x483ada7726a3c4655da4fbfc0e1108a8fd17b448a68554199c47d08ffb10d4b8n,
  1n,
];
const GENERATOR_WIDTH = 8;
const POINT_WIDTH = 5;
/** Jacobian coordinates (X, Y, Z): the point (X/Z², Y/Z³); Z = 0 is the point at infinity. */
const INFINITY = [1n, 1n, 0n];
let generatorMultiples = null;

/**
 * EIP-55 text of a 20-byte account: 0x and 40 hex digits whose letter case carries a checksum.
 * @param {Uint8Array} account
 */
function checksumAddress(account) {
  const digits = hexEncode(account);
  const nibbles = hexEncode(keccak256(utf8Encode(digits)));
  const cased = Array.from(digits, (digit, place) => (nibbles[place] >= "8" ? digit.toUpperCase() : digit));
  return `0x${cased.join("")}`;
}

/**
 * The 20 bytes of an address in its EIP-55 form; any other spelling throws BadEncoding, so that each account
 * has one.
 * @param {string} text
 * @returns {Uint8Array}
 */
export function parseAddress(text) {
  if (!/^0x[0-9a-fA-F]{40}$/.test(text)) {
    const begun = Array.from(text).slice(0, 60).join("");
    throw new BadEncoding(`expected an address (0x and 40 hex digits), met ${quoted(begun)}`);
  }
  const account = bytesOfHex(text.slice(2));
  const due = checksumAddress(account);
  if (due !== text) {
    throw new BadEncoding(`address ${text} is not in its EIP-55 form ${due}; a digit may be wrong`);
  }
  return account;
}

/**
 * The checksummed address whose key signed a digest. Any signature in range recovers some address: the caller
 * must compare it with the one expected. Throws BadLength, and SignatureFalse for anything out of range or
 * without a key.
 * @param {Uint8Array} digest 32 bytes
 * @param {Uint8Array} signature 65 bytes r ‖ s ‖ v with 0 < r < n, 0 < s ≤ n/2 and v of 27 or 28
 * @returns {string}
 */
export function recover(digest, signature) {
  const [r, s, v] = readSignature(digest, signature);
  const overR = inverse(r, ORDER);
  const key = combine(residue(-bigOf(digest) * overR, ORDER), (s * overR) % ORDER, lift(r, v === 28));
  if (!key[2]) throw new SignatureFalse("the signature recovers the point at infinity, which is no public key");
  const overZ = inverse(key[2], FIELD);
  const x = residue(key[0] * overZ * overZ, FIELD);
  const y = residue(key[1] * overZ ** 3n, FIELD);
  return checksumAddress(keccak256(joined(bytesOfBig(x), bytesOfBig(y))).subarray(12));
}

function readSignature(digest, signature) {
  if (digest.length !== 32) throw new BadLength(`a digest has 32 bytes, this one has ${digest.length}`);
  if (signature.length !== 65) {
    throw new BadLength(`a signature has 65 bytes (r, s, v), this one has ${signature.length}`);
  }
  const [r, s, v] = [bigOf(signature.subarray(0, 32)), bigOf(signature.subarray(32, 64)), signature[64]];
  if (v !== 27 && v !== 28) throw new SignatureFalse(`v must be 27 or 28, met ${v}`);
  if (!r || r >= ORDER) throw new SignatureFalse("r is zero or not below the order of the curve");
  if (!s || s > ORDER / 2n) {
    throw new SignatureFalse(
      "s is zero or in the upper half: the same signature has a second form, which is refused (EIP-2)",
    );
  }
  return [r, s, v];
}

/** 2P on y² = x³ + 7, which has no point of order two, so only infinity stays at infinity. */
function doubled([x, y, z]) {
  const square = (y * y) % FIELD;
  const chord = (4n * x * square) % FIELD;
  const slope = (3n * x * x) % FIELD;
  const out = (slope * slope - 2n * chord) % FIELD;
  return [out, (slope * (chord - out) - 8n * square * square) % FIELD, (2n * y * z) % FIELD];
}

/**
 * P + Q for any two points, equal, opposite or at infinity. Coordinates may be negative, below the field in
 * size.
 */
function sum(left, right) {
  const [[x1, y1, z1], [x2, y2, z2]] = [left, right];
  if (!z1) return right;
  if (!z2) return left;
  const [zz1, zz2] = [(z1 * z1) % FIELD, (z2 * z2) % FIELD];
  const [u1, u2] = [(x1 * zz2) % FIELD, (x2 * zz1) % FIELD];
  const [s1, s2] = [(((y1 * z2) % FIELD) * zz2) % FIELD, (((y2 * z1) % FIELD) * zz1) % FIELD];
  const [run, rise] = [residue(u2 - u1, FIELD), residue(s2 - s1, FIELD)];
  if (!run) return rise ? INFINITY : doubled(left);
  const runSquared = (run * run) % FIELD;
  const runCubed = (run * runSquared) % FIELD;
  const base = (u1 * runSquared) % FIELD;
  const x3 = (rise * rise - runCubed - 2n * base) % FIELD;
  return [x3, (rise * (base - x3) - s1 * runCubed) % FIELD, (((z1 * z2) % FIELD) * run) % FIELD];
}

/** generatorTimes · G + pointTimes · P in one pass of doublings. */
function combine(generatorTimes, pointTimes, point) {
  generatorMultiples ??= oddMultiples(GENERATOR, GENERATOR_WIDTH, sum, doubled);
  const pointMultiples = oddMultiples(point, POINT_WIDTH, sum, doubled);
  let total = INFINITY;
  for (const [first, second] of pairedDigits(generatorTimes, GENERATOR_WIDTH, pointTimes, POINT_WIDTH)) {
    total = doubled(total);
    if (first) total = sum(total, signedMultiple(generatorMultiples, first));
    if (second) total = sum(total, signedMultiple(pointMultiples, second));
  }
  return total;
}

function signedMultiple(multiples, digit) {
  const [x, y, z] = multiples[Math.abs(digit) >> 1];
  return digit > 0 ? [x, y, z] : [x, -y, z];
}

/** The curve point with this x and parity of y. Throws SignatureFalse when x is on no point. */
function lift(x, odd) {
  const square = (x ** 3n + 7n) % FIELD;
  const y = power(square, (FIELD + 1n) / 4n, FIELD);
  if ((y * y) % FIELD !== square) {
    throw new SignatureFalse(
      `r = 0x${x.toString(16)} is not the x of any point of secp256k1; the signature was altered`,
    );
  }
  return [x, (y & 1n) === (odd ? 1n : 0n) ? y : FIELD - y, 1n];
}
