// Shows that the entry on this page is in the log: leaf hash from its text, audit path from the log's public tiles.
import { Checking, Differs } from "./explorer-checking.js";
import { hexEncode, utf8Encode } from "./sealproof/encoding.js";
import { checkInclusion, leafHash } from "./sealproof/merkle.js";
import { inclusionPathFromTiles } from "./sealproof/tiles.js";

const section = document.querySelector("#check");
const checking = new Checking(section);
const index = BigInt(section.dataset.index);
let head;
let leaf;

async function takeLeaf() {
  leaf = leafHash(utf8Encode(document.querySelector("#entry").textContent));
  const met = hexEncode(leaf);
  if (met !== section.dataset.leaf) throw new Differs(checking.say("leafDiffers", { leaf: met }));
  return checking.say("leaf", { leaf: met });
}

async function takeInclusion() {
  const path = await inclusionPathFromTiles(checking.tileReader(), index, head.size);
  checkInclusion(leaf, index, head.size, path, head.root);
  return checking.say("inclusion", { hashes: path.length, index });
}

await checking.start([
  ["key", () => checking.takeKey()],
  ["signed", () => checking.takeCheckpoint(section.dataset.size, (found) => { head = found; })],
  ["leaf", takeLeaf],
  ["inclusion", takeInclusion],
]);
