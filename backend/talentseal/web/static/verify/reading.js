"use strict";
/**
 * What a bundle shows, as values that a page can lay out. Nothing here judges them: the report does, and what
 * it did not find true is left out by whoever asks with that report.
 * @typedef {{id: string, kind: number, recordedAt: string, relation: string|null, refersTo: string|null,
 *   index: number, size: number, leaf: string}} RecordShown leaf: hash as 64 hex digits; recordedAt: UTC
 * @typedef {{record: RecordShown|null, origin: string|null, anchor: import("../sealproof/bundle.js").Anchor|null,
 *   fields: Map<string, any>, terms: Map<string, any>, version: number|null, isTermination: boolean,
 *   stipulations: (Map<string, any>|null)[], signers: {organisation: string, signer: string}[]}} Shown
 *   null among the stipulations: withheld
 */
import { readTerms } from "../sealproof/agreement.js";
import { loadBundle } from "../sealproof/bundle.js";
import { parseJson } from "../sealproof/canonical.js";
import { parseCheckpoint } from "../sealproof/checkpoint.js";
import { disclosedFields, readDisclosure } from "../sealproof/disclosure.js";
import { hexEncode, utf8Encode } from "../sealproof/encoding.js";
import { ENTRY_LIMIT, decodeEntry } from "../sealproof/entry.js";
import { ProofError } from "../sealproof/errors.js";
import { toHex } from "../sealproof/fields.js";
import { leafHash } from "../sealproof/merkle.js";
import { splitNote } from "../sealproof/note.js";

/**
 * @param {Uint8Array} raw of a bundle
 * @param {import("../sealproof/report.js").Report} report on it
 * @returns {Shown|null} null when it cannot be read at all
 */
export function shownBy(raw, report) {
  const bundle = orNull(() => loadBundle(raw));
  if (bundle === null) return null;
  const holds = (number) => report.steps.every((step) => step.number !== number || step.verdict !== "failed");
  const evidence = holds(8) ? bundle.agreement : null;
  return {
    record: holds(2) ? orNull(() => recordOf(bundle)) : null,
    origin: orNull(() => parseCheckpoint(splitNote(bundle.checkpoint).text).origin),
    anchor: bundle.anchor,
    fields: (holds(3) && orNull(() => entryFields(bundle))) || new Map(),
    terms: (evidence && orNull(() => readTerms(evidence).shown)) || new Map(),
    version: evidence?.statement.version ?? null,
    isTermination: Boolean(evidence?.termination),
    stipulations: (evidence && holds(9) && orNull(() => stipulationsOf(evidence))) || [],
    signers: evidence && holds(10) ? signersOf(evidence) : [],
  };
}

/** The hash of the entry that a bundle is about, as 64 hex digits; null when the bundle cannot be read. */
export function leafOf(raw) {
  return orNull(() => hexEncode(leafHash(utf8Encode(loadBundle(raw).entry))));
}

/** What a proof is about, to choose among several; null when it cannot be read. @param {Uint8Array} raw */
export function summaryOf(raw) {
  return orNull(() => recordOf(loadBundle(raw)));
}

/** The identity of the chain that a bundle says it is anchored on; null when it says nothing. */
export function anchorOf(raw) {
  return orNull(() => loadBundle(raw).anchor);
}

function orNull(read) {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof ProofError)) throw error;
    return null;
  }
}

function recordOf(bundle) {
  const raw = utf8Encode(bundle.entry);
  const { id, kind } = decodeEntry(raw);
  const fields = parseJson(raw, ENTRY_LIMIT);
  return {
    id,
    kind,
    recordedAt: fields.get("recorded_at"),
    relation: fields.get("relation") ?? null,
    refersTo: fields.get("refers_to") ?? null,
    index: bundle.index,
    size: bundle.size,
    leaf: hexEncode(leafHash(raw)),
  };
}

function entryFields(bundle) {
  return disclosedFields(bundle.disclosures, decodeEntry(utf8Encode(bundle.entry)).digests, "disclosures");
}

function stipulationsOf(evidence) {
  return evidence.stipulations.map((item) => (typeof item === "string" ? readDisclosure(item).value : null));
}

function signersOf({ statement, termination }) {
  const { parties } = termination ?? statement;
  return parties.map(({ organisation, signer }) => ({ organisation: toHex(organisation), signer }));
}
