// Runs the browser's verifier over jobs. First argument: the folder of its modules, or one file with all of them. Reads a
// JSON job a line on standard input, writes a JSON answer a line: what came out, or the name and text of the refusal.
// With `--insecure` it pretends to be a page without WebCrypto.
import { readdirSync } from "node:fs";
import { createInterface } from "node:readline";
import { pathToFileURL } from "node:url";

const place = process.argv[2];
if (process.argv.includes("--insecure")) {
  Object.defineProperty(globalThis, "crypto", { value: undefined });
}
const files = place.endsWith("js") ? [place] : readdirSync(place).map((name) => `${place}/${name}`);
const all = Object.assign({}, ...(await Promise.all(files.map((file) => import(pathToFileURL(file))))));

const bytes = (base64) => new Uint8Array(Buffer.from(base64, "base64"));
const base64 = (raw) => Buffer.from(raw).toString("base64");
const hex = (text) => new Uint8Array(Buffer.from(text, "hex"));
const tables = new Map();
const trusts = new Map();

function asJson(value) {
  if (Array.isArray(value)) return value.map(asJson);
  if (value === null || typeof value !== "object") return value;
  return new Map(Object.entries(value).map(([key, member]) => [key, asJson(member)]));
}

const keysOf = (given) => (given.keys ?? [given.key]).map((key) => all.VerifierKey.parse(key));
const tree = (size, root) => ({ size: BigInt(size), root: bytes(root) });

const topics = {
  table: ({ id, replies }) => void tables.set(id, replies),
  trees(given) {
    const leaves = given.entries.map((entry) => all.leafHash(bytes(entry)));
    const size = BigInt(leaves.length);
    all.checkConsistency({ size, root: all.rootOf(leaves) }, { size, root: bytes(given.root) }, []);
  },
  inclusion(given) {
    const path = given.path.map(bytes);
    all.checkInclusion(bytes(given.leaf), BigInt(given.index), BigInt(given.size), path, bytes(given.root));
  },
  consistency(given) {
    const [old, later] = [tree(given.old_size, given.old_root), tree(given.new_size, given.new_root)];
    all.checkConsistency(old, later, given.path.map(bytes));
  },
  "tile-path": (given) => all.tilePath(given.level, BigInt(given.number), given.width),
  async tiles(given) {
    const read = [];
    const reader = async (level, number, width) => {
      const path = all.tilePath(level, number, width);
      read.push(path);
      return bytes(given.tiles[path] ?? "");
    };
    const [old, size] = [BigInt(given.old), BigInt(given.size)];
    const root = await all.rootFromTiles(reader, size);
    const consistency = await all.consistencyPathFromTiles(reader, old, size);
    const inclusion = await all.inclusionPathFromTiles(reader, BigInt(given.index), size);
    all.checkConsistency({ size: old, root: await all.rootFromTiles(reader, old) }, { size, root }, consistency);
    return { root: base64(root), consistency: consistency.map(base64), inclusion: inclusion.map(base64), read };
  },
  canonical: (given) => base64(all.encodeCanonical(all.decodeCanonical(bytes(given.raw), 65_535))),
  json: (given) => base64(all.encodeCanonical(all.parseJson(bytes(given.raw), 1_000_000))),
  disclosures(given) {
    all.readDisclosure(given.text);
    return [...all.disclosedFields([given.text], [given.digest], "disclosures").keys()];
  },
  entries(given) {
    const raw = bytes(given.raw);
    all.decodeEntry(raw);
    return base64(all.leafHash(raw));
  },
  notes: (given) => all.openNote(given.note, keysOf(given)).text,
  checkpoints(given) {
    const { origin, size, root } = all.openCheckpoint(given.note, keysOf(given));
    return [origin, String(size), base64(root)];
  },
  promises: (given) => all.openPromise(given.note, keysOf(given)).deadline,
  "tlog-proofs": (given) => void all.openProof(given.proof, bytes(given.leaf), keysOf(given)),
  signatures(given) {
    const signature = hex(given.signature);
    if (given.algorithm !== "ed25519") return all.recover(hex(given.digest), signature);
    return all.verifyEd25519(hex(given.public), hex(given.message), signature) ?? null;
  },
  eip712(given) {
    const domain = { chainId: given.chain_id, contract: given.contract };
    if (given.type === "Agreement") {
      return all.toHex(all.agreementDigest(all.readAgreement(asJson(given.statement), "statement"), domain));
    }
    return all.toHex(all.terminationDigest(all.readTermination(asJson(given.statement), "statement"), domain));
  },
  digests: async (given) =>
    Object.values(await all.digestsOf(bytes(given.raw))).map((value) => (value.length ? base64(value) : value)),
  keccak: (given) => base64(all.keccak256(bytes(given.raw))),
  said: (given) => all.said(new all[given.name]("why")),
  text(given) {
    const found = all[given.read](given.text);
    return found instanceof Uint8Array ? base64(found) : typeof found === "string" ? found : null;
  },
  utf8: (given) => all.utf8Decode(bytes(given.raw)),
  trust(given) {
    const { log, chain, finality, label } = all.loadTrust(bytes(given.raw));
    return { log: log.identity, chain, finality, label };
  },
  async bundle(given) {
    if (!trusts.has(given.trust)) trusts.set(given.trust, given.trust && all.loadTrust(bytes(given.trust)));
    const table = tables.get(given.table);
    const document = given.document === null ? null : bytes(given.document);
    let asked = 0;
    const post = async (body) => {
      asked += 1;
      const reply = table[new TextDecoder().decode(body)];
      if (reply === undefined) throw new Error(`sealproof did not ask ${new TextDecoder().decode(body)}`);
      return bytes(reply);
    };
    const chain = table ? new all.JsonRpcChain(post) : null;
    const report = await all.verify(bytes(given.raw), { trust: trusts.get(given.trust), document, chain });
    return { asked, report };
  },
  async attachment(given) {
    const proofs = await all.proofsInside(bytes(given.raw));
    return Object.fromEntries(proofs.map(({ name, raw }) => [name, base64(raw)]));
  },
  http: async (given) => String(await new all.JsonRpcChain(all.overHttp(given.url, given.seconds)).chainId()),
};

for await (const line of createInterface({ input: process.stdin })) {
  const { topic, given } = JSON.parse(line);
  let answer;
  try {
    answer = { found: (await topics[topic](given)) ?? null };
  } catch (error) {
    answer = { refused: error.name, why: error.message, code: error.code ?? error.stack };
  }
  process.stdout.write(`${JSON.stringify(answer)}\n`);
}
