"use strict";
/**
 * Merkle tree over evidence entries: roots and proofs (RFC 9162 §2.1). Sizes and indexes are BigInts, because
 * a log may have more entries than a double can count.
 */
import { HASH_LENGTH, MAX_SIZE, joined, sameBytes } from "./encoding.js";
import {
  BadLength,
  ConsistencyFalse,
  InclusionFalse,
  OutOfRange,
  RootMismatch,
  TreeShrank,
} from "./errors.js";
import { sha256 } from "./sha2.js";

/** Root of a tree without entries: SHA-256 of nothing. */
export const EMPTY_ROOT = sha256(new Uint8Array(0));
const LEAF_PREFIX = Uint8Array.of(0);
const NODE_PREFIX = Uint8Array.of(1);

/** SHA-256(0x00 ‖ entry), 32 bytes. @param {Uint8Array} entry @returns {Uint8Array} */
export function leafHash(entry) {
  return sha256(joined(LEAF_PREFIX, entry));
}

/** Root over leaf hashes of 32 bytes in log order; EMPTY_ROOT over none. @param {Uint8Array[]} leafHashes */
export function rootOf(leafHashes) {
  let level = leafHashes;
  while (level.length > 1) {
    const parents = [];
    for (let at = 0; at + 1 < level.length; at += 2) parents.push(nodeHash(level[at], level[at + 1]));
    // An odd last node moves up, which is RFC 9162's split.
    if (level.length % 2) parents.push(level[level.length - 1]);
    level = parents;
  }
  return level[0] ?? EMPTY_ROOT;
}

/**
 * Leaf ranges [low, high) whose roots form the audit path of one leaf, lowest sibling first. Throws OutOfRange.
 * @param {bigint} index
 * @param {bigint} size
 * @returns {[bigint, bigint][]}
 */
export function inclusionRanges(index, size) {
  if (index < 0n || index >= size) {
    throw new OutOfRange(`expected an index from 0 to below the size ${size}, met ${index}`);
  }
  const ranges = [];
  let [low, high] = [0n, size];
  while (high - low > 1n) {
    const middle = low + splitOf(high - low);
    if (index < middle) {
      ranges.push([middle, high]);
      high = middle;
    } else {
      ranges.push([low, middle]);
      low = middle;
    }
  }
  return ranges.reverse();
}

/**
 * Leaf ranges [low, high) whose roots form the consistency proof, in proof order. Throws OutOfRange.
 * @param {bigint} oldSize
 * @param {bigint} newSize
 * @returns {[bigint, bigint][]}
 */
export function consistencyRanges(oldSize, newSize) {
  if (oldSize < 0n || oldSize > newSize) {
    throw new OutOfRange(`expected an old size from 0 to the new size ${newSize}, met ${oldSize}`);
  }
  if (!oldSize || oldSize === newSize) return [];
  const ranges = [];
  let [low, high] = [0n, newSize];
  while (high !== oldSize) {
    const middle = low + splitOf(high - low);
    if (oldSize <= middle) {
      ranges.push([middle, high]);
      high = middle;
    } else {
      ranges.push([low, middle]);
      low = middle;
    }
  }
  // The old tree's own last subtree is left out when it is the whole old tree: its root is known already.
  if (low) ranges.push([low, high]);
  return ranges.reverse();
}

/**
 * Return when the path leads from the leaf at index to the root of size leaves (RFC 9162 §2.1.3.2). Throws
 * InclusionFalse when it does not, BadLength or OutOfRange when a hash or number is malformed.
 * @param {Uint8Array} leaf 32 bytes
 * @param {bigint} index
 * @param {bigint} size
 * @param {Uint8Array[]} path hashes of 32 bytes, lowest sibling first
 * @param {Uint8Array} root 32 bytes
 */
export function checkInclusion(leaf, index, size, path, root) {
  checkHashes([leaf, root, ...path]);
  checkSize(size);
  checkSize(index);
  if (index >= size) throw new InclusionFalse(`expected an index below the size ${size}, met ${index}`);
  let [node, position, last] = [leaf, index, size - 1n];
  const expected = (what) =>
    new InclusionFalse(`expected a ${what} path for index ${index} of ${size}, met ${path.length} hashes`);
  for (const sibling of path) {
    if (!last) throw expected("shorter");
    if (position & 1n || position === last) {
      node = nodeHash(sibling, node);
      // A last node without sibling moves up unchanged to the level where it is a right child.
      while (!(position & 1n)) [position, last] = [position >> 1n, last >> 1n];
    } else {
      node = nodeHash(node, sibling);
    }
    [position, last] = [position >> 1n, last >> 1n];
  }
  if (last) throw expected("longer");
  if (!sameBytes(node, root)) {
    throw new InclusionFalse(`the path of index ${index} leads to another root than that of the ${size} entries`);
  }
}

/**
 * Return when the new tree contains the old one unchanged (RFC 9162 §2.1.4.2). Throws TreeShrank,
 * RootMismatch (equal sizes or an empty tree with a wrong root), ConsistencyFalse, BadLength, OutOfRange.
 * @param {{size: bigint, root: Uint8Array}} old
 * @param {{size: bigint, root: Uint8Array}} later
 * @param {Uint8Array[]} path hashes of 32 bytes
 */
export function checkConsistency(old, later, path) {
  checkHashes([old.root, later.root, ...path]);
  checkSize(old.size);
  checkSize(later.size);
  if (old.size > later.size) {
    throw new TreeShrank(
      `the later tree has ${later.size} entries but the earlier had ${old.size}; keep both checkpoints`,
    );
  }
  checkEmpty(old);
  checkEmpty(later);
  if (old.size && old.size !== later.size) {
    walkConsistency(old, later, path);
    return;
  }
  if (path.length) {
    throw new ConsistencyFalse(
      `expected no proof from ${old.size} to ${later.size}, met ${path.length} hashes`,
    );
  }
  if (old.size === later.size && !sameBytes(old.root, later.root)) {
    throw new RootMismatch(`two different roots for the same ${old.size} entries; keep both checkpoints`);
  }
}

function walkConsistency(old, later, path) {
  // A power of two is a whole subtree of the new tree, so its root, already known, opens the proof.
  const hashes = old.size & (old.size - 1n) ? path : [old.root, ...path];
  let [position, last] = [old.size - 1n, later.size - 1n];
  while (position & 1n) [position, last] = [position >> 1n, last >> 1n];
  if (!hashes.length) throw consistencyFalse(old, later, "a proof", "none");
  let [oldNode, newNode] = [hashes[0], hashes[0]];
  for (const sibling of hashes.slice(1)) {
    if (!last) throw consistencyFalse(old, later, "a shorter proof", `${path.length} hashes`);
    if (position & 1n || position === last) {
      [oldNode, newNode] = [nodeHash(sibling, oldNode), nodeHash(sibling, newNode)];
      while (position && !(position & 1n)) [position, last] = [position >> 1n, last >> 1n];
    } else {
      newNode = nodeHash(newNode, sibling);
    }
    [position, last] = [position >> 1n, last >> 1n];
  }
  if (last) throw consistencyFalse(old, later, "a longer proof", `${path.length} hashes`);
  if (!sameBytes(oldNode, old.root) || !sameBytes(newNode, later.root)) {
    throw new ConsistencyFalse(
      `the proof does not lead from the root of ${old.size} to the root of ${later.size} entries`,
    );
  }
}

function consistencyFalse(old, later, expected, met) {
  return new ConsistencyFalse(`expected ${expected} from ${old.size} to ${later.size}, met ${met}`);
}

/** SHA-256(0x01 ‖ left ‖ right), 32 bytes. @param {Uint8Array} left @param {Uint8Array} right */
export function nodeHash(left, right) {
  return sha256(joined(NODE_PREFIX, left, right));
}

/** Largest power of two below size, for size ≥ 2. */
function splitOf(size) {
  return 1n << BigInt((size - 1n).toString(2).length - 1);
}

function checkHashes(hashes) {
  const wrong = hashes.find((hash) => hash.length !== HASH_LENGTH);
  if (wrong) throw new BadLength(`expected hashes of ${HASH_LENGTH} bytes, met one of ${wrong.length}`);
}

function checkSize(size) {
  if (size < 0n || size > MAX_SIZE) {
    throw new OutOfRange(`expected a size or index from 0 to ${MAX_SIZE}, met ${size}`);
  }
}

function checkEmpty({ size, root }) {
  if (!size && !sameBytes(root, EMPTY_ROOT)) {
    throw new RootMismatch("expected SHA-256 of nothing as the root of no entries, met another hash");
  }
}
