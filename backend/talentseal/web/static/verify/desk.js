"use strict";
/**
 * What a visitor has laid on the table, and the verification of it.
 * @typedef {import("../sealproof/report.js").Report} Report
 * @typedef {{chain: "none"|"direct"|"service", node: string, trust: "own"|"service", epoch: string|null}}
 *   Choices epoch: of the service's trust statement, null for the one that the bundle asks for
 * @typedef {{code: string, name: string, detail: import("../sealproof/report.js").Said|null}} Refusal
 * @typedef {{report: Report, shown: import("./reading.js").Shown|null, trustLabel: string|null, trustFrom:
 *   "own"|"service"|null, epoch: string|null, chainBy: "node"|"service"|null, node: string, sameAsArrival:
 *   boolean|null, isArrival: boolean, files: {name: string, sha256: string}[], refusals: Refusal[]}} Outcome
 */
import { digestsOf } from "../sealproof/document.js";
import { hexEncode } from "../sealproof/encoding.js";
import { ProofError } from "../sealproof/errors.js";
import { JsonRpcChain, overHttp } from "../sealproof/rpc.js";
import { loadTrust } from "../sealproof/trust.js";
import { verify } from "../sealproof/verify.js";
import { said } from "../sealproof/wording.js";
import { FileRefused, taken } from "./intake.js";
import { leafOf, shownBy, summaryOf } from "./reading.js";

/** The visitor's table. Pieces by kind: `bundle`, `document`, `trust`, `inclusion`. */
export class Desk {
  /** @param {import("./service.js").Service|null} service that the page came from; null for the lone file */
  constructor(service) {
    this.service = service;
    this.pieces = new Map();
    this.trust = null;
    /** @type {Choices} */
    this.choices = { chain: "none", node: "", trust: "own", epoch: null };
    /** @type {{record: string, leaf: string|null, raw: Uint8Array|null}|null} what a QR code led here */
    this.arrival = null;
  }

  /**
   * Take in what was dropped; a later piece of a kind takes the place of an earlier one.
   * @param {Iterable<File>} files
   * @returns {Promise<Refusal[]>}
   */
  async take(files) {
    const refusals = [];
    for (const file of files) {
      try {
        this.lay(await taken(file));
      } catch (error) {
        if (!(error instanceof FileRefused || error instanceof ProofError)) throw error;
        const detail = error instanceof ProofError ? said(error) : null;
        refusals.push({ code: detail ? "trust-unreadable" : error.code, name: file.name, detail });
      }
    }
    return refusals;
  }

  lay(piece) {
    if (piece.kind === "trust") {
      this.trust = loadTrust(piece.raw);
      this.choices.trust = "own";
    }
    this.pieces.set(piece.kind, piece);
    if (piece.proofs.length) this.layProofs(piece);
  }

  /** A certificate's proofs in the order of the log; looked at is the one of the QR code, else the last. */
  layProofs(piece) {
    const place = ({ raw }) => summaryOf(raw)?.index ?? 0;
    piece.proofs.sort((one, other) => place(one) - place(other));
    const named = piece.proofs.findIndex(({ name }) => name === `${this.arrival?.record}.seal.json`);
    this.pick(named < 0 ? piece.proofs.length - 1 : named);
  }

  /** Look at another proof of the certificate. @param {number} place */
  pick(place) {
    const piece = this.pieces.get("bundle");
    Object.assign(piece, piece.proofs[place], { place, digests: undefined });
  }

  /** Take a piece off the table. @param {string} kind */
  remove(kind) {
    this.pieces.delete(kind);
    if (kind === "trust") this.trust = null;
  }

  /** The bundle that is looked at: the dropped one, else what the log says of the QR code's record. */
  get bundle() {
    return this.pieces.get("bundle")?.raw ?? this.arrival?.raw ?? null;
  }

  /** SHA-256, SM3 and length of the document, in hex; null without one. */
  async documentDigests() {
    const piece = this.pieces.get("document");
    if (piece === undefined) return null;
    piece.digests ??= await digestsOf(piece.raw);
    const { sha256, sm3, size } = piece.digests;
    return { name: piece.name, sha256: hexEncode(sha256), sm3: hexEncode(sm3), size };
  }

  /** The report on the bundle with everything that goes with it. @returns {Promise<Outcome|null>} */
  async check() {
    if (this.bundle === null) return null;
    await this.documentDigests();
    const refusals = [];
    const trusted = await this.trusted(refusals);
    const asked = this.chain(trusted.trust, refusals);
    const document = this.pieces.get("document")?.digests ?? null;
    const report = await verify(this.bundle, { trust: trusted.trust, document, chain: asked.chain });
    return {
      report,
      shown: shownBy(this.bundle, report),
      trustLabel: trusted.trust?.label ?? null,
      trustFrom: trusted.from,
      epoch: trusted.epoch,
      chainBy: asked.by,
      node: asked.node,
      sameAsArrival: this.sameAsArrival(),
      isArrival: !this.pieces.has("bundle"),
      files: await this.fileDigests(),
      refusals,
    };
  }

  async trusted(refusals) {
    if (this.choices.trust === "own" || this.service === null) {
      return { trust: this.trust, from: this.trust && "own", epoch: null };
    }
    try {
      return await this.trustedFromService();
    } catch (error) {
      if (!(error instanceof ProofError)) throw error;
      refusals.push({ code: "trust-not-served", name: "", detail: said(error) });
      return { trust: null, from: null, epoch: null };
    }
  }

  /** The chosen epoch's statement, else the newest under which nothing fails: parties signed for one contract. */
  async trustedFromService() {
    const chosen = this.choices.epoch;
    const found = [];
    for (const epoch of chosen === null ? this.service.epochsOf(this.bundle) : [chosen]) {
      const trust = loadTrust(await this.service.trust(epoch));
      found.push({ trust, from: "service", epoch });
      if ((await verify(this.bundle, { trust })).outcome !== "failed") return found.at(-1);
    }
    return found[0];
  }

  /** The node to ask, if there is one and the trust names a chain to compare it with. */
  chain(trust, refusals) {
    const { chain, node } = this.choices;
    const address = chain === "service" ? this.service.relay : node.trim();
    if (chain === "none" || !address || !trust?.chain) return { chain: null, by: null, node: "" };
    try {
      const by = chain === "service" ? "service" : "node";
      return { chain: new JsonRpcChain(overHttp(address)), by, node: address };
    } catch (error) {
      if (!(error instanceof ProofError)) throw error;
      refusals.push({ code: "node-address", name: address, detail: said(error) });
      return { chain: null, by: null, node: "" };
    }
  }

  /** Whether this is the record that the QR code names; null when there is nothing to compare. */
  sameAsArrival() {
    return this.arrival?.leaf ? leafOf(this.bundle) === this.arrival.leaf : null;
  }

  async fileDigests() {
    const found = [];
    for (const kind of ["bundle", "document"]) {
      const piece = this.pieces.get(kind);
      if (piece === undefined) continue;
      const digests = piece.digests ?? (await digestsOf(piece.raw));
      found.push({ name: piece.name, sha256: hexEncode(digests.sha256) });
    }
    return found;
  }
}
