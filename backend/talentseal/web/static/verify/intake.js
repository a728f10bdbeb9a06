"use strict";
/**
 * What a file is that somebody drops here, told by its content and not by its name alone.
 * @typedef {{kind: "bundle"|"trust"|"inclusion"|"document", name: string, raw: Uint8Array, remark: string|null,
 *   from: string|null, proofs: {name: string, raw: Uint8Array}[]}} Piece from: the certificate that a bundle was
 *   taken out of; proofs: all that it holds; remark: code of what the visitor should know about a document
 */
import { PdfRefused, isPdf, proofsInside } from "./attachment.js";

/** Bytes of a file; the service records no larger document. */
export const FILE_LIMIT = 10 * 1024 * 1024;
const JSON_FILE_LIMIT = 1024 * 1024;
const INCLUSION_MARK = "c2sp.org/tlog-proof@";

/** A file that nothing can be done with. code: `file-empty`, `file-oversized`, `file-unreadable`. */
export class FileRefused extends Error {
  /** @param {string} code */
  constructor(code) {
    super(code);
    this.name = "FileRefused";
    this.code = code;
  }
}

/**
 * The file's bytes and what they are. Rejects with FileRefused.
 * @param {File} file
 * @returns {Promise<Piece>}
 */
export async function taken(file) {
  if (file.size > FILE_LIMIT) throw new FileRefused("file-oversized");
  const raw = await bytesOfFile(file);
  if (!raw.length) throw new FileRefused("file-empty");
  return { name: file.name, remark: null, from: null, proofs: [], ...(await recognised(file.name, raw)) };
}

/** A folder, or a file that was moved away since, cannot be read. */
async function bytesOfFile(file) {
  try {
    return new Uint8Array(await file.arrayBuffer());
  } catch {
    throw new FileRefused("file-unreadable");
  }
}

async function recognised(name, raw) {
  if (isPdf(raw)) return certificateOrDocument(name, raw);
  const beginning = new TextDecoder().decode(raw.subarray(0, INCLUSION_MARK.length));
  if (beginning === INCLUSION_MARK) return { kind: "inclusion", raw, remark: "tlog-proof" };
  const keys = keysOfJson(raw);
  if (name.endsWith(".seal.json") || keys.includes("format") || keys.includes("checkpoint")) {
    return { kind: "bundle", raw };
  }
  if (keys.includes("finality") || /^trust.*\.json$/i.test(name)) return { kind: "trust", raw };
  return { kind: "document", raw, remark: name.endsWith(".json") ? "json-unknown" : null };
}

/** A PDF with a proof inside is a certificate; any other is a document, and is told why it is no certificate. */
async function certificateOrDocument(name, raw) {
  try {
    const proofs = await proofsInside(raw);
    return { kind: "bundle", ...proofs[0], from: name, proofs };
  } catch (error) {
    if (!(error instanceof PdfRefused)) throw error;
    return { kind: "document", raw, remark: error.code };
  }
}

/** Keys of the JSON object that a file holds; none when it holds something else. */
function keysOfJson(raw) {
  if (raw.length > JSON_FILE_LIMIT) return [];
  try {
    const value = JSON.parse(new TextDecoder().decode(raw));
    return value !== null && typeof value === "object" ? Object.keys(value) : [];
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return [];
  }
}
