"use strict";
/**
 * Ed25519 verification (RFC 8032 §5.1.7), strict: one encoding for each point, s below the order, no
 * small-order point, and the equation without cofactor, [s]B = R + [h]A. WebCrypto's is neither everywhere
 * nor strict in the same way. Verification only: no secret passes through, so nothing needs to run in
 * constant time.
 */
import { bigOf, joined } from "./encoding.js";
import { BadLength, SignatureFalse } from "./errors.js";
import { inverse, oddMultiples, pairedDigits, power, residue } from "./scalars.js";
import { sha512 } from "./sha2.js";

const SIGNATURE_LENGTH = 64;
const EDWARDS_FIELD = 2n ** 255n - 19n;
const EDWARDS_ORDER = 2n ** 252n + 27742317777372353535851937790883648493n;
const D = residue(-121665n * inverse(121666n, EDWARDS_FIELD), EDWARDS_FIELD);
const SQRT_MINUS_ONE = power(2n, (EDWARDS_FIELD - 1n) / 4n, EDWARDS_FIELD);
const BASE_WIDTH = 8;
const OTHER_WIDTH = 5;
/** The y of the eight points whose order divides the cofactor 8; a point and its negative share one. */
const SMALL_ORDER_Y = [
  0n,
  1n,
  EDWARDS_FIELD - 1n,
  0x05fc536d880238b13933c6d305acdfd5f098eff289f4c345b027b2c28f95e826n,
  0x7a03ac9277fdc74ec6cc392cfa53202a0f67100d760b3cba4fd84d3d706a17c7n,
];
/** Extended twisted Edwards coordinates (X, Y, Z, T): x = X/Z, y = Y/Z, T = XY/Z. */
const NEUTRAL = [0n, 1n, 1n, 0n];
let baseMultiples = null;

/**
 * Return silently when the signature is a strict Ed25519 signature of the message. Throws BadLength for other
 * lengths, SignatureFalse for everything else that does not verify.
 * @param {Uint8Array} publicKey 32 bytes
 * @param {Uint8Array} message
 * @param {Uint8Array} signature 64 bytes R ‖ s
 */
export function verifyEd25519(publicKey, message, signature) {
  precheck(publicKey, signature);
  const point = decompress(littleEndian(publicKey));
  const noncePoint = signature.subarray(0, 32);
  const challenge = littleEndian(sha512(joined(noncePoint, publicKey, message))) % EDWARDS_ORDER;
  const found = combineWithBase(littleEndian(signature.subarray(32)), challenge, negative(point));
  if (compress(found) !== littleEndian(noncePoint)) {
    throw new SignatureFalse("the Ed25519 signature does not fit this key and text");
  }
}

function precheck(publicKey, signature) {
  if (publicKey.length !== 32) {
    throw new BadLength(`an Ed25519 public key has 32 bytes, this one has ${publicKey.length}`);
  }
  if (signature.length !== SIGNATURE_LENGTH) {
    throw new BadLength(`an Ed25519 signature has 64 bytes, this one has ${signature.length}`);
  }
  refuseLaxPoint(publicKey, "the public key");
  refuseLaxPoint(signature.subarray(0, 32), "R");
  if (littleEndian(signature.subarray(32)) >= EDWARDS_ORDER) {
    throw new SignatureFalse(
      "s is not below the order of the group: the same signature would have several forms",
    );
  }
}

/** Refuses what some verifiers let pass: a second encoding of a point, or a point of small order. */
function refuseLaxPoint(encoded, name) {
  const y = BigInt.asUintN(255, littleEndian(encoded));
  if (y >= EDWARDS_FIELD) throw new SignatureFalse(`${name} is not in its canonical encoding`);
  if (SMALL_ORDER_Y.includes(y)) {
    throw new SignatureFalse(`${name} is a point of small order, under which signatures prove nothing`);
  }
}

/** 2P, for any point of the curve −x² + y² = 1 + d x² y². */
function doubledEdwards([x, y, z]) {
  const [a, b] = [(x * x) % EDWARDS_FIELD, (y * y) % EDWARDS_FIELD];
  const h = a + b;
  const e = h - (((x + y) * (x + y)) % EDWARDS_FIELD);
  const g = a - b;
  const f = ((2n * z * z) % EDWARDS_FIELD) + g;
  return [(e * f) % EDWARDS_FIELD, (g * h) % EDWARDS_FIELD, (f * g) % EDWARDS_FIELD, (e * h) % EDWARDS_FIELD];
}

/** P + Q; the formula is complete, so equal, opposite and neutral points need no case of their own. */
function sumEdwards([x1, y1, z1, t1], [x2, y2, z2, t2]) {
  const a = ((y1 - x1) * (y2 - x2)) % EDWARDS_FIELD;
  const b = ((y1 + x1) * (y2 + x2)) % EDWARDS_FIELD;
  const c = (((2n * D * t1) % EDWARDS_FIELD) * t2) % EDWARDS_FIELD;
  const d = (2n * z1 * z2) % EDWARDS_FIELD;
  const [e, f, g, h] = [b - a, d - c, d + c, b + a];
  return [(e * f) % EDWARDS_FIELD, (g * h) % EDWARDS_FIELD, (f * g) % EDWARDS_FIELD, (e * h) % EDWARDS_FIELD];
}

function negative([x, y, z, t]) {
  return [-x, y, z, -t];
}

/** baseTimes · B + pointTimes · P in one pass of doublings. */
function combineWithBase(baseTimes, pointTimes, point) {
  const base = () => decompress((4n * inverse(5n, EDWARDS_FIELD)) % EDWARDS_FIELD);
  baseMultiples ??= oddMultiples(base(), BASE_WIDTH, sumEdwards, doubledEdwards);
  const pointMultiples = oddMultiples(point, OTHER_WIDTH, sumEdwards, doubledEdwards);
  let total = NEUTRAL;
  for (const [first, second] of pairedDigits(baseTimes, BASE_WIDTH, pointTimes, OTHER_WIDTH)) {
    total = doubledEdwards(total);
    if (first) total = sumEdwards(total, signedEdwards(baseMultiples, first));
    if (second) total = sumEdwards(total, signedEdwards(pointMultiples, second));
  }
  return total;
}

function signedEdwards(multiples, digit) {
  const multiple = multiples[Math.abs(digit) >> 1];
  return digit > 0 ? multiple : negative(multiple);
}

/** The point of a canonical encoding (RFC 8032 §5.1.3). Throws SignatureFalse when y is on no point. */
function decompress(encoded) {
  const [y, sign] = [BigInt.asUintN(255, encoded), encoded >> 255n];
  const [u, v] = [y * y - 1n, (D * y * y + 1n) % EDWARDS_FIELD];
  const root = power(u * v ** 7n, (EDWARDS_FIELD - 5n) / 8n, EDWARDS_FIELD);
  let x = residue(u * v ** 3n * root, EDWARDS_FIELD);
  if ((v * x * x - u) % EDWARDS_FIELD) x = (x * SQRT_MINUS_ONE) % EDWARDS_FIELD;
  if ((v * x * x - u) % EDWARDS_FIELD) throw new SignatureFalse("the public key is not a point of the curve");
  if ((x & 1n) !== sign) x = EDWARDS_FIELD - x;
  return [x, y, 1n, (x * y) % EDWARDS_FIELD];
}

/** The one encoding of a point (RFC 8032 §5.1.2), as the integer of its 32 bytes. */
function compress([x, y, z]) {
  const overZ = inverse(z, EDWARDS_FIELD);
  return residue(y * overZ, EDWARDS_FIELD) | ((residue(x * overZ, EDWARDS_FIELD) & 1n) << 255n);
}

function littleEndian(raw) {
  return bigOf(raw.slice().reverse());
}
