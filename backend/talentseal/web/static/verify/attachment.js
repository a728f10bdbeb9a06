"use strict";
/**
 * The proofs inside a certificate: the attachments `<record id>.seal.json` of a PDF.
 *
 * Reads what typst writes (a plain cross-reference table, one revision, Flate) and nothing else: a file that
 * other software has saved anew is refused by name, so that nobody is shown a proof by guessing.
 * @typedef {null|boolean|number|string|{text: string}|{reference: number}|PdfValue[]|Map<string, PdfValue>}
 *   PdfValue a string is a name and begins with "/"; {text} is a PDF string, one character a byte
 */

const PROOF_NAME = /^[0-9a-f]{32}\.seal\.json$/;
const PROOF_LIMIT_BYTES = 1024 * 1024;
const MOST_OBJECTS = 100_000;
const DEEPEST_VALUE = 32;
const MOST_NAMES = 1000;
const MOST_PROOFS = 100;
const PDF_SPACE = /(?:[\0\t\n\f\r ]|%[^\r\n]*)*/y;
const PDF_NAME = /\/([^\0\t\n\f\r ()<>[\]{}/%]*)/y;
const REFERENCE = /(\d{1,10})[\0\t\n\f\r ]+\d{1,5}[\0\t\n\f\r ]+R(?![A-Za-z0-9])/y;
const NUMERAL = /[+-]?(?:\d+\.?\d*|\.\d+)/y;
const WORD = /(?:true|false|null)(?![A-Za-z0-9])/y;
const HEX_STRING = /<([0-9A-Fa-f\0\t\n\f\r ]*)>/y;
const ESCAPE = /\\([0-7]{1,3}|\r\n|[^])/g;
const TABLE_LINE = /^(\d{10}) \d{5} ([fn])[ \r][\r\n]$/;

/** A PDF out of which no proof comes. code: `pdf-` and why. */
export class PdfRefused extends Error {
  /** @param {"pdf-no-proof"|"pdf-saved-anew"|"pdf-encrypted"|"pdf-broken"|"pdf-oversized"} code */
  constructor(code) {
    super(code);
    this.name = "PdfRefused";
    this.code = code;
  }
}

/** Whether a file calls itself a PDF. @param {Uint8Array} raw */
export function isPdf(raw) {
  return latin1(raw.subarray(0, 5)) === "%PDF-";
}

/**
 * The attachments named `<record id>.seal.json`, at least one. Rejects with PdfRefused: `pdf-no-proof` for a sound
 * PDF without any, `pdf-saved-anew` for one in a form that the certificate's typesetter does not write.
 * @param {Uint8Array} raw
 * @returns {Promise<{name: string, raw: Uint8Array}[]>}
 */
export async function proofsInside(raw) {
  const pdf = new PdfFile(latin1(raw));
  const files = pdf.attachments().filter(({ name }) => PROOF_NAME.test(name));
  if (!files.length) throw new PdfRefused("pdf-no-proof");
  if (files.length > MOST_PROOFS) throw new PdfRefused("pdf-oversized");
  const proofs = [];
  for (const { name, specification } of files) {
    proofs.push({ name, raw: await unpacked(raw, pdf.embedded(specification)) });
  }
  return proofs;
}

async function unpacked(raw, { start, length, isPacked, size }) {
  const content = raw.subarray(start, start + length);
  const proof = isPacked ? await inflated(content) : content;
  if (proof.length > PROOF_LIMIT_BYTES) throw new PdfRefused("pdf-oversized");
  if (size !== null && size !== proof.length) throw new PdfRefused("pdf-broken");
  return proof;
}

/** One character a byte. */
function latin1(raw) {
  const parts = [];
  for (let at = 0; at < raw.length; at += 32_768) {
    parts.push(String.fromCharCode(...raw.subarray(at, at + 32_768)));
  }
  return parts.join("");
}

async function inflated(content) {
  const reader = new Blob([content]).stream().pipeThrough(new DecompressionStream("deflate")).getReader();
  const parts = [];
  let length = 0;
  try {
    for (let part = await reader.read(); !part.done; part = await reader.read()) {
      parts.push(part.value);
      length += part.value.length;
      if (length > PROOF_LIMIT_BYTES) throw new PdfRefused("pdf-oversized");
    }
  } catch (error) {
    await reader.cancel().catch(() => null);
    throw error instanceof PdfRefused ? error : new PdfRefused("pdf-broken");
  }
  const whole = new Uint8Array(length);
  parts.reduce((at, part) => (whole.set(part, at), at + part.length), 0);
  return whole;
}

class PdfFile {
  /** @param {string} body one character a byte */
  constructor(body) {
    this.body = body;
    const start = /startxref\s+(\d{1,10})\s+%%EOF\s*$/.exec(body.slice(-1024));
    if (start === null) throw new PdfRefused("pdf-broken");
    const table = new PdfScanner(body, this.readTable(Number(start[1])));
    table.expect("trailer");
    this.trailer = dictionary(table.value());
    if (this.trailer.has("/Encrypt")) throw new PdfRefused("pdf-encrypted");
    if (this.trailer.has("/Prev") || this.trailer.has("/XRefStm")) throw new PdfRefused("pdf-saved-anew");
  }

  /** Fills `places` with where each object begins; gives where the table ends. */
  readTable(start) {
    const head = /^xref\r?\n0 (\d{1,6})\r?\n/.exec(this.body.slice(start, start + 32));
    if (head === null) throw new PdfRefused("pdf-saved-anew");
    const count = Number(head[1]);
    if (count > MOST_OBJECTS) throw new PdfRefused("pdf-oversized");
    const first = start + head[0].length;
    this.places = new Map();
    for (let number = 0; number < count; number += 1) {
      const line = TABLE_LINE.exec(this.body.slice(first + 20 * number, first + 20 * number + 20));
      if (line === null) throw new PdfRefused("pdf-broken");
      if (line[2] === "n") this.places.set(number, Number(line[1]));
    }
    return first + 20 * count;
  }

  /** A scanner behind the head of that object. */
  object(number) {
    const place = this.places.get(number);
    if (place === undefined) throw new PdfRefused("pdf-broken");
    const scanner = new PdfScanner(this.body, place);
    scanner.expect(`${number} 0 obj`);
    return scanner;
  }

  /** The value itself, or the one that it points to. */
  resolved(value) {
    return value?.reference === undefined ? value : this.object(value.reference).value();
  }

  /** @returns {{name: string, specification: Map<string, PdfValue>}[]} */
  attachments() {
    const names = dictionary(this.resolved(this.trailer.get("/Root"))).get("/Names") ?? new Map();
    const files = dictionary(this.resolved(names)).get("/EmbeddedFiles");
    if (files === undefined) return [];
    const found = [];
    const visit = (node, depth) => {
      const branch = dictionary(this.resolved(node));
      const listed = this.resolved(branch.get("/Names")) ?? [];
      if (depth > DEEPEST_VALUE || listed.length > 2 * MOST_NAMES) throw new PdfRefused("pdf-oversized");
      for (let at = 0; at + 1 < listed.length; at += 2) {
        const specification = dictionary(this.resolved(listed[at + 1]));
        const name = (specification.get("/UF") ?? specification.get("/F"))?.text ?? "";
        found.push({ name, specification });
        if (found.length > MOST_NAMES) throw new PdfRefused("pdf-oversized");
      }
      for (const child of this.resolved(branch.get("/Kids")) ?? []) visit(child, depth + 1);
    };
    visit(files, 0);
    return found;
  }

  /** Where the bytes of an attachment lie. size: of the unpacked file, null when it is not said. */
  embedded(specification) {
    const held = dictionary(this.resolved(specification.get("/EF"))).get("/F");
    if (held?.reference === undefined) throw new PdfRefused("pdf-broken");
    const scanner = this.object(held.reference);
    const about = dictionary(scanner.value());
    scanner.skip();
    const opening = /^stream\r?\n/.exec(this.body.slice(scanner.at, scanner.at + 8));
    const length = this.resolved(about.get("/Length"));
    if (opening === null || !Number.isInteger(length) || length < 0) throw new PdfRefused("pdf-broken");
    const start = scanner.at + opening[0].length;
    const behind = this.body.slice(start + length, start + length + 16);
    if (!/^\r?\n?endstream/.test(behind)) throw new PdfRefused("pdf-broken");
    const filter = about.get("/Filter") ?? null;
    if ((filter !== null && filter !== "/FlateDecode") || about.has("/DecodeParms")) {
      throw new PdfRefused("pdf-saved-anew");
    }
    const size = this.resolved(about.get("/Params"))?.get?.("/Size") ?? null;
    return { start, length, isPacked: filter !== null, size };
  }
}

function dictionary(value) {
  if (!(value instanceof Map)) throw new PdfRefused("pdf-broken");
  return value;
}

/** Reads the values of PDF syntax, one after another. */
class PdfScanner {
  constructor(body, at) {
    this.body = body;
    this.at = at;
  }

  skip() {
    this.take(PDF_SPACE);
  }

  /** What the pattern matches here, behind which the scanner then stands; null when it does not match. */
  take(pattern) {
    pattern.lastIndex = this.at;
    const found = pattern.exec(this.body);
    if (found !== null) this.at = pattern.lastIndex;
    return found;
  }

  expect(word) {
    this.skip();
    if (!this.body.startsWith(word, this.at)) throw new PdfRefused("pdf-broken");
    this.at += word.length;
  }

  /** @returns {PdfValue} */
  value(depth = 0) {
    if (depth > DEEPEST_VALUE) throw new PdfRefused("pdf-broken");
    this.skip();
    if (this.body.startsWith("<<", this.at)) return this.members(depth);
    if (this.body[this.at] === "[") return this.elements(depth);
    if (this.body[this.at] === "(") return { text: this.literal() };
    const hex = this.take(HEX_STRING);
    if (hex !== null) return { text: hexText(hex[1]) };
    const name = this.take(PDF_NAME);
    if (name !== null) return name[0];
    const reference = this.take(REFERENCE);
    if (reference !== null) return { reference: Number(reference[1]) };
    const number = this.take(NUMERAL);
    if (number !== null) return Number(number[0]);
    const word = this.take(WORD);
    if (word === null) throw new PdfRefused("pdf-broken");
    return { true: true, false: false, null: null }[word[0]];
  }

  members(depth) {
    const found = new Map();
    this.at += 2;
    for (this.skip(); !this.body.startsWith(">>", this.at); this.skip()) {
      const name = this.take(PDF_NAME);
      if (name === null || found.has(name[0])) throw new PdfRefused("pdf-broken");
      found.set(name[0], this.value(depth + 1));
    }
    this.at += 2;
    return found;
  }

  elements(depth) {
    const found = [];
    this.at += 1;
    for (this.skip(); this.body[this.at] !== "]"; this.skip()) found.push(this.value(depth + 1));
    this.at += 1;
    return found;
  }

  /** A string in parentheses, which may nest. */
  literal() {
    const start = this.at + 1;
    let open = 0;
    for (; this.at < this.body.length; this.at += 1) {
      const mark = this.body[this.at];
      if (mark === "\\") this.at += 1;
      else if (mark === "(") open += 1;
      else if (mark === ")" && (open -= 1) === 0) {
        this.at += 1;
        return decodedText(this.body.slice(start, this.at - 1).replace(ESCAPE, unescaped));
      }
    }
    throw new PdfRefused("pdf-broken");
  }
}

function unescaped(_, mark) {
  if (/[0-7]/.test(mark)) return String.fromCharCode(parseInt(mark, 8) & 0xff);
  return { n: "\n", r: "\r", t: "\t", b: "\b", f: "\f" }[mark] ?? mark.replace(/[\r\n]+/, "");
}

function hexText(digits) {
  const pairs = digits.replace(/[^0-9A-Fa-f]/g, "").match(/..?/g) ?? [];
  return decodedText(pairs.map((pair) => String.fromCharCode(parseInt(pair.padEnd(2, "0"), 16))).join(""));
}

/** UTF-16 behind its mark, else one character a byte. */
function decodedText(bytes) {
  if (!bytes.startsWith("\xfe\xff")) return bytes;
  const units = bytes.slice(2).match(/[^]{2}/g) ?? [];
  return units.map((unit) => String.fromCharCode(256 * unit.charCodeAt(0) + unit.charCodeAt(1))).join("");
}
