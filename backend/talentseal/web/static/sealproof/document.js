"use strict";
/**
 * Digests of a document beside those that a bundle discloses: SHA-256, SM3 and size. Both digests can always
 * be computed here, so the step never ends half checked.
 * @typedef {{sha256: Uint8Array, sm3: Uint8Array, size: number}} DocumentDigests 32 bytes, 32 bytes, bytes
 */
import { sameBytes } from "./encoding.js";
import { integer, members, plainHex, text } from "./fields.js";
import { failed, passed } from "./report.js";
import { sha256 } from "./sha2.js";
import { sm3 } from "./sm3.js";

const MEDIA_TYPE_LIMIT = 255;

/**
 * Digests of a document's bytes, with the browser's own SHA-256 where it has one.
 * @param {Uint8Array} raw
 * @returns {Promise<DocumentDigests>}
 */
export async function digestsOf(raw) {
  const native = globalThis.crypto?.subtle;
  const digest = native ? new Uint8Array(await native.digest("SHA-256", raw)) : sha256(raw);
  return { sha256: digest, sm3: sm3(raw), size: raw.length };
}

/**
 * Reads the disclosed field `document`: sha256, sm3, size, media_type. Throws a DecodeError.
 * @param {import("./canonical.js").Json} value
 * @returns {DocumentDigests}
 */
export function readDigests(value) {
  const fields = members(value, "document", ["sha256", "sm3", "size", "media_type"]);
  text(fields.get("media_type"), "document.media_type", MEDIA_TYPE_LIMIT);
  return {
    sha256: plainHex(fields.get("sha256"), "document.sha256"),
    sm3: plainHex(fields.get("sm3"), "document.sm3"),
    size: integer(fields.get("size"), "document.size"),
  };
}

/**
 * Whether the given document is the disclosed one; names every digest that differs.
 * @param {DocumentDigests} given @param {DocumentDigests} disclosed
 * @returns {import("./report.js").Finding}
 */
export function compare(given, disclosed) {
  const differing = [];
  if (!sameBytes(given.sha256, disclosed.sha256)) differing.push("SHA-256");
  if (!sameBytes(given.sm3, disclosed.sm3)) differing.push("SM3");
  if (given.size !== disclosed.size) differing.push("size");
  if (differing.length) {
    const names = differing.join(", ");
    return failed(
      `the document is not the one that was recorded; different: ${names}`,
      `文件与当初记录的不同，不一致的有：${names.replace("size", "长度")}`,
    );
  }
  return passed(
    "the document is, byte for byte, the one recorded: SHA-256, SM3 and size are equal",
    "文件与当初记录的逐字节相同：SHA-256、SM3 与长度均一致",
  );
}
