"use strict";
/**
 * The frame that SHA-2 and SM3 share: whole blocks, then the rest behind a one bit and before the length in
 * bits.
 */

/**
 * Call `compress` with every block of a padded message, in order.
 * @param {Uint8Array} message
 * @param {number} size bytes of a block: 64 or 128; the length takes an eighth of it.
 * @param {(view: DataView, start: number) => void} compress takes the block that starts there.
 */
export function forEachBlock(message, size, compress) {
  const rest = message.length % size;
  const whole = new DataView(message.buffer, message.byteOffset, message.length);
  for (let start = 0; start < message.length - rest; start += size) compress(whole, start);
  const end = new Uint8Array(rest + 1 + size / 8 > size ? 2 * size : size);
  end.set(message.subarray(message.length - rest));
  end[rest] = 0x80;
  const view = new DataView(end.buffer);
  view.setUint32(end.length - 8, Math.floor(message.length / 2 ** 29));
  view.setUint32(end.length - 4, (message.length % 2 ** 29) * 8);
  for (let start = 0; start < end.length; start += size) compress(view, start);
}

/** Big-endian bytes of 32-bit words. @param {Iterable<number>} words @returns {Uint8Array} */
export function bytesOfWords(words) {
  const numbers = [...words];
  const view = new DataView(new ArrayBuffer(4 * numbers.length));
  numbers.forEach((word, place) => view.setInt32(4 * place, word));
  return new Uint8Array(view.buffer);
}
