"use strict";
/**
 * Reads an EVM chain over JSON-RPC, for verification only: identity, blocks, receipts, and the registry's
 * views. The node is not trusted to be well-behaved: replies are bounded in size and time, and read strictly.
 * That it tells the truth is the verifier's choice of node. Nothing is ever sent that could change a chain.
 * @typedef {import("./canonical.js").Json} Json
 * @typedef {{number: bigint, hash: string, timestamp: bigint}} Block timestamp: seconds since 1970 by the
 *   chain's clock
 * @typedef {{blockNumber: bigint, blockHash: string, succeeded: boolean, events: {contract: Uint8Array,
 *   topics: Uint8Array[]}[]}} Receipt
 * @typedef {{state: number, version: bigint, concludedAt: bigint, endedAt: bigint, effectiveFrom: bigint,
 *   endedBy: Uint8Array}} AgreementOnChain state: one of AGREEMENT_STATE; times in seconds since 1970
 */
import { encodeCanonical, parseJson } from "./canonical.js";
import { bigOf, bytesOfBig, bytesOfHex, excerpt, joined, sameBytes, utf8Encode } from "./encoding.js";
import { OutOfRange, ProofError } from "./errors.js";
import { toHex } from "./fields.js";
import { keccak256 } from "./keccak.js";
import { written } from "./quoting.js";
import { parseAddress } from "./secp256k1.js";

/** First topics of the registry's events. */
export const [CHECKPOINT_ANCHORED, AGREEMENT_CONCLUDED, AGREEMENT_TERMINATED] = [
  "CheckpointAnchored(uint64,bytes32,uint64,bytes32,uint64,uint64)",
  "AgreementConcluded(bytes32,bytes32,uint32,bytes32,uint64,uint64,uint64)",
  "AgreementTerminated(bytes32,bytes32,bytes32,uint64,uint64)",
].map((signature) => keccak256(utf8Encode(signature)));
/** Where an agreement version stands in the registry; the numbers are those of the contract. */
export const AGREEMENT_STATE = { NONE: 0, CONCLUDED: 1, AMENDED: 2, TERMINATED: 3 };

const TIMEOUT_SECONDS = 5;
const REPLY_LIMIT = 1024 * 1024;
const [HEAD_AT, AGREEMENT_AT, DEPLOYMENT_ID, IS_VALID_SIGNATURE] = [
  "headAt(uint64)",
  "agreementAt(bytes32)",
  "deploymentId()",
  "isValidSignature(bytes32,bytes)",
].map((signature) => keccak256(utf8Encode(signature)).subarray(0, 4));

/** The node gave no answer: no connection, a time-out, or an HTTP error. It proves nothing either way. */
export class ChainUnreachable extends ProofError {
  static code = "chain-unreachable";
}

/** The node answered, but not with what was asked for. It proves nothing either way. */
export class ChainAnswerGarbled extends ProofError {
  static code = "chain-answer-garbled";
}

/** What verification asks of a chain. Each call rejects with ChainUnreachable or ChainAnswerGarbled. */
export class JsonRpcChain {
  /**
   * @param {(body: Uint8Array) => Promise<Uint8Array>} post carries a request to the node and gives its
   *   reply.
   */
  constructor(post) {
    this.post = post;
  }

  /** The chain id (EIP-155). @returns {Promise<bigint>} */
  async chainId() {
    return quantity(await this.ask("eth_chainId"), "eth_chainId");
  }

  /**
   * The canonical block of a number, or of the tag `latest` or `finalized`; null when there is none.
   * @param {bigint|string} which
   * @returns {Promise<Block|null>}
   */
  async block(which) {
    const isNumber = typeof which === "bigint";
    const name = isNumber ? `0x${which.toString(16)}` : which;
    const block = readBlock(await this.ask("eth_getBlockByNumber", name, false));
    if (block !== null && isNumber && block.number !== which) {
      throw new ChainAnswerGarbled(`asked for block ${which}, the node answered with block ${block.number}`);
    }
    return block;
  }

  /** The block of a 0x hash, canonical or not; null when the node does not know it. @param {string} hash */
  async blockOfHash(hash) {
    const block = readBlock(await this.ask("eth_getBlockByHash", hash, false));
    if (block !== null && block.hash !== hash) {
      throw new ChainAnswerGarbled(`asked for block ${hash}, the node answered with ${block.hash}`);
    }
    return block;
  }

  /**
   * The code at an address; empty when it is no contract.
   * @param {string} account
   * @returns {Promise<Uint8Array>}
   */
  async code(account) {
    return readBytes(await this.ask("eth_getCode", account, "latest"), "eth_getCode");
  }

  /** The registry's `deploymentId()`: 32 bytes. @param {string} contract @returns {Promise<Uint8Array>} */
  async deploymentId(contract) {
    return (await this.view(contract, DEPLOYMENT_ID, 1))[0];
  }

  /**
   * The root anchored for a size: 32 bytes, zero when none was.
   * @param {string} contract
   * @param {bigint} size
   */
  async headAt(contract, size) {
    return (await this.view(contract, joined(HEAD_AT, bytesOfBig(size)), 1))[0];
  }

  /**
   * What the registry knows of an agreement version.
   * @param {string} contract @param {Uint8Array} digest 32 bytes
   * @returns {Promise<AgreementOnChain>}
   */
  async agreementAt(contract, digest) {
    const words = await this.view(contract, joined(AGREEMENT_AT, digest), 7);
    const [state, version, concludedAt, endedAt, effectiveFrom] = words.map(bigOf);
    if (state > 3n) throw new ChainAnswerGarbled(`the registry answered with the unknown state ${state}`);
    return { state: Number(state), version, concludedAt, endedAt, effectiveFrom, endedBy: words[6] };
  }

  /**
   * The receipt of a transaction; null when the node knows none in a block.
   * @param {string} hash
   * @returns {Promise<Receipt|null>}
   */
  async receipt(hash) {
    return readReceipt(await this.ask("eth_getTransactionReceipt", hash), hash);
  }

  /**
   * What a contract account answers to `isValidSignature` (ERC-1271): 4 bytes; empty when it refuses.
   * @param {string} account @param {Uint8Array} digest 32 bytes @param {Uint8Array} signature
   * @returns {Promise<Uint8Array>}
   */
  async signatureAnswer(account, digest, signature) {
    const length = bytesOfBig(BigInt(signature.length));
    const padding = new Uint8Array((32 - (signature.length % 32)) % 32);
    const call = joined(IS_VALID_SIGNATURE, digest, bytesOfBig(64n), length, signature, padding);
    try {
      return (await this.view(account, call, 1))[0].subarray(0, 4);
    } catch (error) {
      if (!(error instanceof ChainAnswerGarbled)) throw error;
      return new Uint8Array(0); // the account reverted or is of another kind: it does not accept
    }
  }

  /** The answer of a view function, as 32-byte words. */
  async view(contract, call, words) {
    const question = new Map([["to", contract], ["data", toHex(call)]]);
    const raw = readBytes(await this.ask("eth_call", question, "latest"), "eth_call");
    if (raw.length !== 32 * words) {
      throw new ChainAnswerGarbled(
        `the contract answered with ${raw.length} bytes where ${32 * words} were due: it is not the registry`,
      );
    }
    return Array.from({ length: words }, (_, place) => raw.subarray(32 * place, 32 * place + 32));
  }

  /** The result of one call. */
  async ask(method, ...parameters) {
    const request = Object.entries({ jsonrpc: "2.0", id: 1, method, params: parameters });
    const reply = readReply(await this.post(encodeCanonical(new Map(request))), method);
    // `true` is a 1 to Python, and what one reader takes the other must take.
    const isOurs = reply instanceof Map && reply.get("jsonrpc") === "2.0" && [1, true].includes(reply.get("id"));
    if (!isOurs) throw new ChainAnswerGarbled(`${method}: the reply is not the answer to this question`);
    const refusal = reply.get("error") ?? null;
    if (refusal !== null) {
      throw new ChainAnswerGarbled(`${method}: the node refused: ${excerpt(written(refusal))}`);
    }
    if (!reply.has("result")) throw new ChainAnswerGarbled(`${method}: the reply has no result`);
    return reply.get("result");
  }
}

/**
 * A way to the node at an http or https address, for `JsonRpcChain`. Throws OutOfRange for another address.
 * What it gives rejects with ChainUnreachable for no connection, another status than 200 or too late,
 * ChainAnswerGarbled for too long.
 * @param {string} url
 * @param {number} [timeoutSeconds]
 * @returns {(body: Uint8Array) => Promise<Uint8Array>}
 */
export function overHttp(url, timeoutSeconds = TIMEOUT_SECONDS) {
  const { host } = checkedUrl(url);
  return async (body) => {
    const limit = new AbortController();
    const timer = setTimeout(() => limit.abort(), 1000 * timeoutSeconds);
    try {
      return await exchange(url, host, body, limit.signal);
    } catch (error) {
      const isLate = limit.signal.aborted;
      limit.abort(); // an answer that is too long is not read to its end
      if (error instanceof ProofError) throw error;
      if (isLate) throw new ChainUnreachable(`no whole answer within ${timeoutSeconds} seconds`);
      throw new ChainUnreachable(`${host} gave no answer: ${excerpt(String(error?.message ?? error))}`);
    } finally {
      clearTimeout(timer);
    }
  };
}

/** Whether the contract emitted, in this transaction, an event whose first topics are these. */
export function emitted(receipt, contract, topics) {
  const account = parseAddress(contract);
  const begins = (shown) => topics.every((topic, place) => shown[place] && sameBytes(topic, shown[place]));
  return receipt.events.some((event) => sameBytes(event.contract, account) && begins(event.topics));
}

function checkedUrl(url) {
  const isPlain = /^https?:\/\/[^/?#\\]+/i.test(url) && /^[!-~]+$/.test(url);
  try {
    if (isPlain) return new URL(url);
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
  }
  throw new OutOfRange(`expected an address that begins with http:// or https://, met ${excerpt(url)}`);
}

async function exchange(url, host, body, signal) {
  const reply = await fetch(url, {
    method: "POST",
    headers: { "Content-Type": "application/json", Accept: "application/json" },
    body,
    signal,
    redirect: "manual",
    credentials: "omit",
    cache: "no-store",
    referrerPolicy: "no-referrer",
  });
  if (reply.type === "opaqueredirect") throw new ChainUnreachable(`${host} answered with a redirect`);
  if (reply.status !== 200) throw new ChainUnreachable(`${host} answered with HTTP status ${reply.status}`);
  const [parts, reader] = [[], reply.body.getReader()];
  let length = 0;
  for (let part = await reader.read(); !part.done; part = await reader.read()) {
    parts.push(part.value);
    length += part.value.length;
    if (length > REPLY_LIMIT) throw new ChainAnswerGarbled(`the answer has more than ${REPLY_LIMIT} bytes`);
  }
  return joined(...parts);
}

function readReply(raw, method) {
  try {
    return parseJson(raw, REPLY_LIMIT);
  } catch (error) {
    if (!(error instanceof ProofError)) throw error;
    throw new ChainAnswerGarbled(`${method}: the node's reply is no JSON-RPC: ${error.message}`);
  }
}

/** The value itself when it is text of this form. */
function matching(value, form, what, expected) {
  if (typeof value === "string" && form.test(value)) return value;
  throw new ChainAnswerGarbled(`${what}: expected ${expected}, met ${excerpt(written(value))}`);
}

function quantity(value, what) {
  return BigInt(matching(value, /^0x[0-9a-f]{1,16}$/, what, "a 0x number"));
}

function readBytes(value, what) {
  return bytesOfHex(matching(value, /^0x(?:[0-9a-fA-F]{2})*$/, what, "0x bytes").slice(2));
}

function readHash(value, what) {
  return matching(value, /^0x[0-9a-f]{64}$/, what, "a 0x hash");
}

function readMembers(value, what) {
  if (value instanceof Map) return value;
  throw new ChainAnswerGarbled(`${what}: expected an object, met ${excerpt(written(value))}`);
}

function readArray(value, what) {
  if (Array.isArray(value)) return value;
  throw new ChainAnswerGarbled(`${what}: expected an array`);
}

function readBlock(value) {
  if (value === null) return null;
  const fields = readMembers(value, "block");
  return {
    number: quantity(fields.get("number"), "block.number"),
    hash: readHash(fields.get("hash"), "block.hash"),
    timestamp: quantity(fields.get("timestamp"), "block.timestamp"),
  };
}

function readReceipt(value, hash) {
  if (value === null) return null;
  const fields = readMembers(value, "receipt");
  if (fields.get("transactionHash") !== hash) {
    throw new ChainAnswerGarbled(`asked for transaction ${hash}, the node answered with another`);
  }
  const logs = readArray(fields.get("logs"), "receipt.logs");
  return {
    blockNumber: quantity(fields.get("blockNumber"), "receipt.blockNumber"),
    blockHash: readHash(fields.get("blockHash"), "receipt.blockHash"),
    succeeded: quantity(fields.get("status"), "receipt.status") === 1n,
    events: logs.map((log) => readEvent(readMembers(log, "receipt.logs"))),
  };
}

function readEvent(fields) {
  const topics = readArray(fields.get("topics"), "receipt.logs.topics");
  return {
    contract: readBytes(fields.get("address"), "receipt.logs.address"),
    topics: topics.map((topic) => readBytes(topic, "receipt.logs.topics")),
  };
}
