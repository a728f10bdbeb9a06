// A second implementation of the digests, for tests: leaves and nodes by WebCrypto (what a browser has), EIP-712 over
// any typed data with Keccak-256 from npm. Reads one JSON array of cases on standard input, writes an array of hex.
import { createRequire } from "node:module";
import { webcrypto } from "node:crypto";
import { pathToFileURL } from "node:url";

const require = createRequire(pathToFileURL(process.argv[2] + "/"));
const { keccak256 } = require("js-sha3");

const bytes = (hex) => Uint8Array.from(Buffer.from(hex.replace(/^0x/, ""), "hex"));
const hex = (array) => Buffer.from(array).toString("hex");
const keccak = (array) => bytes(keccak256(array));
const joined = (...parts) => Uint8Array.from(Buffer.concat(parts.map((part) => Uint8Array.from(part))));
const sha256 = async (array) => new Uint8Array(await webcrypto.subtle.digest("SHA-256", array));

function typeText(types, primary) {
  const found = new Set();
  const visit = (name) => {
    if (!types[name] || found.has(name)) return;
    found.add(name);
    types[name].forEach((field) => visit(field.type.replace(/\[\]$/, "")));
  };
  visit(primary);
  found.delete(primary);
  return [primary, ...[...found].sort()]
    .map((name) => `${name}(${types[name].map((field) => `${field.type} ${field.name}`).join(",")})`)
    .join("");
}

function word(types, type, value) {
  if (type.endsWith("[]")) return keccak(joined(...value.map((item) => word(types, type.slice(0, -2), item))));
  if (types[type]) return structHash(types, type, value);
  if (type === "string") return keccak(Buffer.from(value, "utf8"));
  if (type === "bytes32") return bytes(value);
  return bytes(BigInt(value).toString(16).padStart(64, "0"));
}

function structHash(types, name, value) {
  const fields = types[name].map((field) => word(types, field.type, value[field.name]));
  return keccak(joined(keccak(Buffer.from(typeText(types, name), "utf8")), ...fields));
}

function typedDigest({ types, primaryType, domain, message }) {
  const separator = structHash(types, "EIP712Domain", domain);
  return keccak(joined([0x19, 0x01], separator, structHash(types, primaryType, message)));
}

async function digest(item) {
  if (item.leaf !== undefined) return hex(await sha256(joined([0], bytes(item.leaf))));
  if (item.left !== undefined) return hex(await sha256(joined([1], bytes(item.left), bytes(item.right))));
  return hex(typedDigest(item.typed));
}

const chunks = [];
for await (const chunk of process.stdin) chunks.push(chunk);
console.log(JSON.stringify(await Promise.all(JSON.parse(Buffer.concat(chunks)).map(digest))));
