"use strict";
/**
 * Arithmetic that the two elliptic curves share. Public values only: nothing here runs in constant time.
 */

/** Remainder 0 ≤ r < modulus, of a number of either sign. @param {bigint} number @param {bigint} modulus */
export function residue(number, modulus) {
  const rest = number % modulus;
  return rest < 0n ? rest + modulus : rest;
}

/**
 * number^exponent mod modulus.
 * @param {bigint} number
 * @param {bigint} exponent ≥ 0
 * @param {bigint} modulus
 */
export function power(number, exponent, modulus) {
  let [result, base] = [1n, residue(number, modulus)];
  for (let rest = exponent; rest; rest >>= 1n) {
    if (rest & 1n) result = (result * base) % modulus;
    base = (base * base) % modulus;
  }
  return result;
}

/**
 * The inverse of a number that is no multiple of the prime modulus.
 * @param {bigint} number
 * @param {bigint} modulus
 */
export function inverse(number, modulus) {
  let [rest, last] = [residue(number, modulus), modulus];
  let [factor, lastFactor] = [1n, 0n];
  while (rest > 1n) {
    const times = last / rest;
    [rest, last] = [last - times * rest, rest];
    [factor, lastFactor] = [lastFactor - times * factor, factor];
  }
  return residue(factor, modulus);
}

/**
 * Signed digits of two scalars side by side, highest first, for one pass of doublings over both (Straus).
 * @param {bigint} first ≥ 0 @param {number} firstWidth @param {bigint} second ≥ 0 @param {number} secondWidth
 * @returns {[number, number][]} each digit 0 or odd, of less than 2^(width-1) in size.
 */
export function pairedDigits(first, firstWidth, second, secondWidth) {
  const [low, high] = [signedDigits(first, firstWidth), signedDigits(second, secondWidth)];
  const length = Math.max(low.length, high.length);
  return Array.from({ length }, (_, place) => [low[length - 1 - place] ?? 0, high[length - 1 - place] ?? 0]);
}

/** P, 3P, 5P … up to (2^(width-1) − 1)P: what signed digits of that width can ask for. */
export function oddMultiples(point, width, add, double) {
  const multiples = [point];
  const step = double(point);
  while (multiples.length < 1 << (width - 2)) multiples.push(add(multiples[multiples.length - 1], step));
  return multiples;
}

/** The width-w non-adjacent form of a scalar, lowest digit first. */
function signedDigits(scalar, width) {
  const window = 1 << width;
  const digits = [];
  let rest = scalar;
  while (rest) {
    let digit = 0;
    if (rest & 1n) {
      digit = Number(BigInt.asUintN(width, rest));
      if (digit >= window / 2) digit -= window;
      rest -= BigInt(digit);
    }
    digits.push(digit);
    rest >>= 1n;
  }
  return digits;
}
