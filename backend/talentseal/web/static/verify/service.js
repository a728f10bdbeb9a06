"use strict";
/** What the verification page may ask of the service that it came from; it sends no file. */
import { ChainUnreachable } from "../sealproof/rpc.js";
import { anchorOf } from "./reading.js";

const ANSWER_LIMIT = 1024 * 1024;
const PATIENCE_MS = 10_000;

/** The service refused. statement: its own words. */
export class ServiceRefused extends Error {
  /** @param {string} code @param {import("../sealproof/report.js").Said} statement */
  constructor(code, statement) {
    super(statement.en);
    this.name = "ServiceRefused";
    this.code = code;
    this.statement = statement;
  }
}

/** The service behind the page. */
export class Service {
  /** @param {{epoch: string, contract: string, deployment: string}[]} epochs newest first */
  constructor(epochs) {
    this.epochs = epochs;
    this.relay = new URL("/verify/chain", location.href).href;
  }

  /**
   * The epochs whose statement may fit a bundle: the one on whose registry it says it is anchored, else all.
   * @param {Uint8Array} raw
   * @returns {(string|null)[]} at least one; null for the statement that is served before the first epoch
   */
  epochsOf(raw) {
    const anchor = anchorOf(raw);
    const isNamed = ({ contract, deployment }) =>
      contract === anchor?.contract && deployment === anchor?.deployment_block_hash;
    const named = this.epochs.filter(isNamed);
    const fitting = (named.length ? named : this.epochs).map(({ epoch }) => epoch);
    return fitting.length ? fitting : [null];
  }

  /** The service's own trust statement. Rejects with ChainUnreachable. @param {string|null} epoch */
  async trust(epoch) {
    const reply = await asked(epoch === null ? "/trust.json" : `/trust.json?epoch=${epoch}`);
    if (!reply.ok) throw new ChainUnreachable(`the service answered with HTTP status ${reply.status}`);
    return bytesOf(reply);
  }

  /**
   * What the log says of a record, without any disclosure. Rejects with ServiceRefused, ChainUnreachable.
   * @param {string} record 32 hex digits
   */
  async record(record) {
    const reply = await asked(`/verify/records/${record}.seal.json`);
    if (reply.ok) return bytesOf(reply);
    const problem = await reply.json().catch(() => null);
    if (problem?.code === undefined) {
      throw new ChainUnreachable(`the service answered with HTTP status ${reply.status}`);
    }
    throw new ServiceRefused(problem.code, { zh: problem.zh, en: problem.en });
  }
}

async function asked(path) {
  try {
    const signal = AbortSignal.timeout(PATIENCE_MS);
    return await fetch(path, { headers: { Accept: "application/json" }, cache: "no-store", signal });
  } catch (error) {
    throw new ChainUnreachable(`the service gave no answer: ${error.message}`);
  }
}

async function bytesOf(reply) {
  const raw = new Uint8Array(await reply.arrayBuffer());
  if (raw.length > ANSWER_LIMIT) throw new ChainUnreachable(`the answer has more than ${ANSWER_LIMIT} bytes`);
  return raw;
}
