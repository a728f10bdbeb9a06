"use strict";
/**
 * SHA-256 and SHA-512 (FIPS 180-4) for short inputs, without waiting. `crypto.subtle` is missing on insecure
 * origins and answers only later; a Merkle path of many short hashes is walked faster here.
 */
import { bytesOfWords, forEachBlock } from "./blocks.js";

const PRIMES = firstPrimes(80);
/**
 * The first 64 bits of the fractional parts of the cube roots of the first 80 primes; SHA-256 takes half of
 * each.
 */
const ROUNDS = PRIMES.map((prime) => BigInt.asUintN(64, root(prime << 192n, 3n)));
const STARTS = PRIMES.slice(0, 8).map((prime) => BigInt.asUintN(64, root(prime << 128n, 2n)));
const ROUNDS_256 = Int32Array.from(ROUNDS.slice(0, 64), (constant) => Number(constant >> 32n));
const STARTS_256 = Int32Array.from(STARTS, (constant) => Number(constant >> 32n));

/** SHA-256 of a message: 32 bytes. @param {Uint8Array} message @returns {Uint8Array} */
export function sha256(message) {
  const state = STARTS_256.slice();
  const words = new Int32Array(64);
  forEachBlock(message, 64, (view, start) => compress256(state, words, view, start));
  return bytesOfWords(state);
}

/** SHA-512 of a message: 64 bytes. @param {Uint8Array} message @returns {Uint8Array} */
export function sha512(message) {
  const state = BigUint64Array.from(STARTS);
  const words = new BigUint64Array(80);
  forEachBlock(message, 128, (view, start) => compress512(state, words, view, start));
  const digest = new DataView(new ArrayBuffer(64));
  state.forEach((word, place) => digest.setBigUint64(8 * place, word));
  return new Uint8Array(digest.buffer);
}

function compress256(state, w, view, start) {
  for (let t = 0; t < 16; t++) w[t] = view.getInt32(start + 4 * t);
  for (let t = 16; t < 64; t++) {
    const [x, y] = [w[t - 15], w[t - 2]];
    const early = ((x >>> 7) | (x << 25)) ^ ((x >>> 18) | (x << 14)) ^ (x >>> 3);
    const late = ((y >>> 17) | (y << 15)) ^ ((y >>> 19) | (y << 13)) ^ (y >>> 10);
    w[t] = w[t - 16] + early + w[t - 7] + late;
  }
  let [a, b, c, d, e, f, g, h] = state;
  for (let t = 0; t < 64; t++) {
    const high = ((e >>> 6) | (e << 26)) ^ ((e >>> 11) | (e << 21)) ^ ((e >>> 25) | (e << 7));
    const first = (h + high + ((e & f) ^ (~e & g)) + ROUNDS_256[t] + w[t]) | 0;
    const low = ((a >>> 2) | (a << 30)) ^ ((a >>> 13) | (a << 19)) ^ ((a >>> 22) | (a << 10));
    const second = (low + ((a & b) ^ (a & c) ^ (b & c))) | 0;
    h = g;
    g = f;
    f = e;
    e = (d + first) | 0;
    d = c;
    c = b;
    b = a;
    a = (first + second) | 0;
  }
  const ended = [a, b, c, d, e, f, g, h];
  for (let place = 0; place < 8; place++) state[place] += ended[place];
}

function compress512(state, w, view, start) {
  const turned = (x, right) => (x >> right) | BigInt.asUintN(64, x << (64n - right));
  for (let t = 0; t < 16; t++) w[t] = view.getBigUint64(start + 8 * t);
  for (let t = 16; t < 80; t++) {
    const [x, y] = [w[t - 15], w[t - 2]];
    const early = turned(x, 1n) ^ turned(x, 8n) ^ (x >> 7n);
    const late = turned(y, 19n) ^ turned(y, 61n) ^ (y >> 6n);
    w[t] = w[t - 16] + early + w[t - 7] + late; // the array keeps the lowest 64 bits
  }
  let [a, b, c, d, e, f, g, h] = state;
  for (let t = 0; t < 80; t++) {
    const high = turned(e, 14n) ^ turned(e, 18n) ^ turned(e, 41n);
    const first = h + high + (g ^ (e & (f ^ g))) + ROUNDS[t] + w[t];
    const low = turned(a, 28n) ^ turned(a, 34n) ^ turned(a, 39n);
    const second = low + ((a & b) ^ (a & c) ^ (b & c));
    [h, g, f, e] = [g, f, e, BigInt.asUintN(64, d + first)];
    [d, c, b, a] = [c, b, a, BigInt.asUintN(64, first + second)];
  }
  [a, b, c, d, e, f, g, h].forEach((word, place) => {
    state[place] += word;
  });
}

function firstPrimes(count) {
  const primes = [];
  for (let number = 2n; primes.length < count; number++) {
    if (primes.every((prime) => number % prime)) primes.push(number);
  }
  return primes;
}

/** The whole part of the root of a number, by halving what is left between two bounds. */
function root(number, degree) {
  let [low, high] = [0n, 1n << 80n];
  while (high - low > 1n) {
    const middle = (low + high) >> 1n;
    if (middle ** degree <= number) low = middle;
    else high = middle;
  }
  return low;
}
