"use strict";
/**
 * Keccak-256 as Ethereum uses it (padding byte 0x01; not NIST's SHA3-256, which pads with 0x06). Each lane of
 * 64 bits is two 32-bit words, the lower first: whole numbers of that size are fast in every browser, BigInts
 * are not.
 */

const RATE_BYTES = 136; // 1600 bits of state less twice the 256 bits of security
const LANES = 25;
const CONSTANTS = roundConstants();
const MOVES = moves();

/**
 * The 32-byte Keccak-256 digest of a message of any length.
 * @param {Uint8Array} message
 * @returns {Uint8Array}
 */
export function keccak256(message) {
  const padded = new Uint8Array(message.length + RATE_BYTES - (message.length % RATE_BYTES));
  padded.set(message);
  padded[message.length] ^= 0x01;
  padded[padded.length - 1] ^= 0x80;
  const view = new DataView(padded.buffer);
  const lanes = new Int32Array(2 * LANES);
  for (let start = 0; start < padded.length; start += RATE_BYTES) {
    for (let word = 0; word < RATE_BYTES / 4; word++) lanes[word] ^= view.getInt32(start + 4 * word, true);
    permute(lanes);
  }
  const digest = new DataView(new ArrayBuffer(32));
  for (let word = 0; word < 8; word++) digest.setInt32(4 * word, lanes[word], true);
  return new Uint8Array(digest.buffer);
}

/** Keccak-f[1600] in place. */
function permute(lanes) {
  const parity = new Int32Array(10);
  const moved = new Int32Array(2 * LANES);
  for (const constant of CONSTANTS) {
    mixColumns(lanes, parity);
    turnAndMove(lanes, parity, moved);
    for (let row = 0; row < 2 * LANES; row += 10) {
      for (let word = 0; word < 10; word++) {
        lanes[row + word] = moved[row + word] ^ (~moved[row + ((word + 2) % 10)] & moved[row + ((word + 4) % 10)]);
      }
    }
    lanes[0] ^= constant[0];
    lanes[1] ^= constant[1];
  }
}

/** Step theta: what each column is to be mixed with. */
function mixColumns(lanes, parity) {
  const column = (word) => lanes[word] ^ lanes[word + 10] ^ lanes[word + 20] ^ lanes[word + 30] ^ lanes[word + 40];
  for (let x = 0; x < 5; x++) {
    const [before, after] = [2 * ((x + 4) % 5), 2 * ((x + 1) % 5)];
    const [low, high] = [column(after), column(after + 1)];
    parity[2 * x] = column(before) ^ ((low << 1) | (high >>> 31));
    parity[2 * x + 1] = column(before + 1) ^ ((high << 1) | (low >>> 31));
  }
}

/** Steps theta, rho and pi. */
function turnAndMove(lanes, parity, moved) {
  for (let target = 0; target < LANES; target++) {
    const { source, column, turn } = MOVES[target];
    const low = lanes[2 * source] ^ parity[2 * column];
    const high = lanes[2 * source + 1] ^ parity[2 * column + 1];
    const [one, other] = turn < 32 ? [low, high] : [high, low];
    const by = turn % 32;
    moved[2 * target] = by ? (one << by) | (other >>> (32 - by)) : one;
    moved[2 * target + 1] = by ? (other << by) | (one >>> (32 - by)) : other;
  }
}

/**
 * The 24 constants of step iota, from the linear feedback register x^8 + x^6 + x^5 + x^4 + 1 (FIPS 202
 * §3.2.5).
 */
function roundConstants() {
  let register = 1;
  return Array.from({ length: 24 }, () => {
    const constant = [0, 0];
    for (let power = 0; power < 7; power++) {
      const bit = (1 << power) - 1;
      if (register & 1) constant[bit >> 5] |= 1 << (bit & 31);
      register = (register << 1) ^ (register & 0x80 ? 0x171 : 0);
    }
    return constant;
  });
}

/** Steps rho and pi for each target lane in order: source lane, its column, left rotation in bits. */
function moves() {
  const found = [{ source: 0, column: 0, turn: 0 }];
  let [x, y] = [1, 0];
  for (let step = 0; step < 24; step++) {
    const [nextX, nextY] = [y, (2 * x + 3 * y) % 5];
    found[nextX + 5 * nextY] = { source: x + 5 * y, column: x, turn: (((step + 1) * (step + 2)) / 2) % 64 };
    [x, y] = [nextX, nextY];
  }
  return found;
}
