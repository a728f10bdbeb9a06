// Holds two checkpoints of the log against each other: signatures, roots and the proof, all made here from public files.
import { Checking, Differs } from "./explorer-checking.js";
import { hexEncode, sameBytes } from "./sealproof/encoding.js";
import { checkConsistency } from "./sealproof/merkle.js";
import { consistencyPathFromTiles, rootFromTiles } from "./sealproof/tiles.js";

const section = document.querySelector("#check");
const checking = new Checking(section);
const heads = {};
let reader;

async function takeRoots() {
  reader = checking.tileReader();
  for (const head of [heads.later, heads.older]) {
    const met = await rootFromTiles(reader, head.size);
    if (!sameBytes(met, head.root)) {
      const [size, root] = [head.size, hexEncode(head.root)];
      throw new Differs(checking.say("rootDiffers", { size, met: hexEncode(met), root }));
    }
  }
  return checking.say("roots", { tiles: reader.tiles, bytes: reader.bytes });
}

async function takeProof() {
  const { older, later } = heads;
  const path = await consistencyPathFromTiles(reader, older.size, later.size);
  checkConsistency(older, later, path);
  if (older.size === later.size) return checking.say("same");
  return checking.say("proof", { hashes: path.length, size: older.size });
}

await checking.start([
  ["key", () => checking.takeKey()],
  ["older", () => checking.takeCheckpoint(section.dataset.from, (head) => { heads.older = head; })],
  ["later", () => checking.takeCheckpoint(section.dataset.to, (head) => { heads.later = head; })],
  ["roots", takeRoots],
  ["proof", takeProof],
]);
