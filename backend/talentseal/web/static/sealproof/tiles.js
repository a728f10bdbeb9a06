"use strict";
/**
 * Tiles (C2SP tlog-tiles v0.1.0): the tree as immutable files of 256 hashes, proofs from few of them. Level 0
 * holds leaf hashes; each hash of a higher level is the root of one full tile below. This module reads through
 * the caller's function and keeps nothing.
 * @typedef {(level: number, number: bigint, width: number) => Promise<Uint8Array>} ReadTile width × 32 bytes
 *   of one tile; the reader cuts a wider stored tile to width
 */
import { HASH_LENGTH, MAX_SIZE } from "./encoding.js";
import { BadLength, OutOfRange } from "./errors.js";
import { EMPTY_ROOT, consistencyRanges, inclusionRanges, nodeHash, rootOf } from "./merkle.js";

const HEIGHT = 8;
const TILE_WIDTH = 1 << HEIGHT;
const MAX_LEVEL = 63;
const MAX_TILE = MAX_SIZE >> BigInt(HEIGHT);

/**
 * `tile/1/x001/067` or, when partial, `tile/1/x001/067.p/9`. Throws OutOfRange.
 * @param {number} level 0 to 63
 * @param {bigint} number from 0 within the level
 * @param {number} width 1 to 256 hashes
 * @returns {string}
 */
export function tilePath(level, number, width) {
  if (level < 0 || level > MAX_LEVEL) {
    throw new OutOfRange(`expected a tile level from 0 to ${MAX_LEVEL}, met ${level}`);
  }
  if (number < 0n || number > MAX_TILE) {
    throw new OutOfRange(`expected a tile number from 0 to ${MAX_TILE}, met ${number}`);
  }
  if (width < 1 || width > TILE_WIDTH) {
    throw new OutOfRange(`expected a tile width from 1 to ${TILE_WIDTH}, met ${width}`);
  }
  const digits = String(number);
  const groups = digits.padStart(Math.ceil(digits.length / 3) * 3, "0").match(/.{3}/g);
  const last = groups.pop();
  const path = [`tile/${level}`, ...groups.map((group) => `x${group}`), last].join("/");
  return width === TILE_WIDTH ? path : `${path}.p/${width}`;
}

/**
 * Root of the tree of size, read from at most one tile a level. Throws BadLength, OutOfRange.
 * @param {ReadTile} readTile
 * @param {bigint} size
 * @returns {Promise<Uint8Array>}
 */
export async function rootFromTiles(readTile, size) {
  const tree = new TileTree(readTile, size);
  return size ? tree.root(0n, size) : EMPTY_ROOT;
}

/**
 * Audit path of one leaf, lowest sibling first, read from at most two tiles a level. Throws BadLength,
 * OutOfRange.
 * @param {ReadTile} readTile
 * @param {bigint} index
 * @param {bigint} size
 * @returns {Promise<Uint8Array[]>}
 */
export async function inclusionPathFromTiles(readTile, index, size) {
  return new TileTree(readTile, size).roots(inclusionRanges(index, size));
}

/**
 * Proof that the tree of newSize contains its first oldSize leaves unchanged, read likewise. Throws BadLength,
 * OutOfRange.
 * @param {ReadTile} readTile
 * @param {bigint} oldSize
 * @param {bigint} newSize
 * @returns {Promise<Uint8Array[]>}
 */
export async function consistencyPathFromTiles(readTile, oldSize, newSize) {
  return new TileTree(readTile, newSize).roots(consistencyRanges(oldSize, newSize));
}

/** Subtree roots of one tree, each tile read once and only when it is needed. */
class TileTree {
  constructor(readTile, size) {
    if (size < 0n || size > MAX_SIZE) {
      throw new OutOfRange(`expected a size from 0 to ${MAX_SIZE}, met ${size}`);
    }
    this.read = readTile;
    this.size = size;
    this.tiles = new Map();
  }

  async roots(ranges) {
    const found = [];
    for (const [low, high] of ranges) found.push(await this.root(low, high));
    return found;
  }

  /** Root over [low, high), a range of `merkle`'s: its whole subtrees, folded from the right. */
  async root(low, high) {
    const subtrees = [];
    for (let start = low; start < high; ) {
      const height = (high - start).toString(2).length - 1;
      subtrees.push(await this.subtree(start >> BigInt(height), height));
      start += 1n << BigInt(height);
    }
    return subtrees.reduceRight((right, left) => nodeHash(left, right));
  }

  /** Root of the whole subtree of 2^height leaves with that number, from the one tile that holds it. */
  async subtree(number, height) {
    const [level, rise] = [Math.floor(height / HEIGHT), height % HEIGHT];
    const first = number << BigInt(rise);
    const start = Number(first % BigInt(TILE_WIDTH));
    const tile = await this.tile(level, first / BigInt(TILE_WIDTH));
    return rootOf(tile.slice(start, start + (1 << rise)));
  }

  async tile(level, number) {
    const name = `${level}/${number}`;
    if (!this.tiles.has(name)) {
      const present = (this.size >> BigInt(HEIGHT * level)) - number * BigInt(TILE_WIDTH);
      const width = present < TILE_WIDTH ? Number(present) : TILE_WIDTH;
      const raw = await this.read(level, number, width);
      if (raw.length !== width * HASH_LENGTH) {
        const path = tilePath(level, number, width);
        throw new BadLength(`expected ${width * HASH_LENGTH} bytes of ${path}, met ${raw.length}`);
      }
      const hashes = Array.from({ length: width }, (_, at) => raw.subarray(at * HASH_LENGTH, (at + 1) * HASH_LENGTH));
      this.tiles.set(name, hashes);
    }
    return this.tiles.get(name);
  }
}
