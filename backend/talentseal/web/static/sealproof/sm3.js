"use strict";
/** SM3 (GB/T 32905-2016), which no browser brings along. */
import { bytesOfWords, forEachBlock } from "./blocks.js";

const SM3_START = [
  0x7380166f, 0x4914b2b9, 0x172442d7, 0xda8a0600, 0xa96f30bc, 0x163138aa, 0xe38dee4d, 0xb0fb0e4e,
];

/** SM3 of a message: 32 bytes. @param {Uint8Array} message @returns {Uint8Array} */
export function sm3(message) {
  const state = Int32Array.from(SM3_START, (word) => word | 0);
  const words = new Int32Array(68);
  forEachBlock(message, 64, (view, start) => compressSm3(state, words, view, start));
  return bytesOfWords(state);
}

/** Left rotation of 32 bits. */
function turnedLeft(x, by) {
  return (x << by) | (x >>> (32 - by));
}

function expand(w, view, start) {
  for (let j = 0; j < 16; j++) w[j] = view.getInt32(start + 4 * j);
  for (let j = 16; j < 68; j++) {
    const x = w[j - 16] ^ w[j - 9] ^ turnedLeft(w[j - 3], 15);
    w[j] = x ^ turnedLeft(x, 15) ^ turnedLeft(x, 23) ^ turnedLeft(w[j - 13], 7) ^ w[j - 6];
  }
}

function compressSm3(state, w, view, start) {
  expand(w, view, start);
  let [a, b, c, d, e, f, g, h] = state;
  for (let j = 0; j < 64; j++) {
    const early = j < 16;
    const a12 = turnedLeft(a, 12);
    const constant = turnedLeft(early ? 0x79cc4519 : 0x7a879d8a, j % 32);
    const ss1 = turnedLeft((a12 + e + constant) | 0, 7);
    const ff = early ? a ^ b ^ c : (a & b) | (a & c) | (b & c);
    const gg = early ? e ^ f ^ g : (e & f) | (~e & g);
    const tt1 = (ff + d + (ss1 ^ a12) + (w[j] ^ w[j + 4])) | 0;
    const tt2 = (gg + h + ss1 + w[j]) | 0;
    d = c;
    c = turnedLeft(b, 9);
    b = a;
    a = tt1;
    h = g;
    g = turnedLeft(f, 19);
    f = e;
    e = tt2 ^ turnedLeft(tt2, 9) ^ turnedLeft(tt2, 17);
  }
  const ended = [a, b, c, d, e, f, g, h];
  for (let place = 0; place < 8; place++) state[place] ^= ended[place];
}
