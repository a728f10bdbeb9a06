"use strict";
/**
 * What the parties of an agreement sign: EIP-712 typed data and its digest. The structures, their order and
 * their names are those of the registry contract; the digest of an agreement is its key there.
 * @typedef {{chainId: number, contract: string}} Domain where a signature holds: a chain id and an EIP-55
 *   address
 * @typedef {{organisation: Uint8Array, signer: string, nonce: number}} Party
 * @typedef {{agreementId: Uint8Array, version: number, previous: Uint8Array, commitment: Uint8Array,
 *   stipulationsRoot: Uint8Array, stipulationCount: number, effectiveFrom: number, validThrough: number,
 *   deadline: number, parties: Party[]}} Agreement times in seconds since 1970; byte strings of 32 bytes
 * @typedef {{agreement: Uint8Array, commitment: Uint8Array, effectiveAt: number, deadline: number, parties:
 *   Party[]}} Termination
 */
import { bytesOfBig, joined, utf8Encode } from "./encoding.js";
import { OutOfRange } from "./errors.js";
import { address, elements, integer, members, prefixedHex, toHex } from "./fields.js";
import { keccak256 } from "./keccak.js";
import { parseAddress } from "./secp256k1.js";

/** Most parties of an agreement. */
export const MOST_PARTIES = 8;
const LEAST_PARTIES = 2;
const MOST_UINT32 = 2 ** 32 - 1;
const ZERO_HASH = toHex(new Uint8Array(32));
const PARTY_TYPE = "Party(bytes32 organisation,address signer,uint64 nonce)";
const AGREEMENT_TYPE =
  "Agreement(bytes32 agreementId,uint32 version,bytes32 previous,bytes32 commitment,bytes32 stipulationsRoot," +
  `uint32 stipulationCount,uint64 effectiveFrom,uint64 validThrough,uint64 deadline,Party[] parties)${PARTY_TYPE}`;
const TERMINATION_TYPE =
  "Termination(bytes32 agreement,bytes32 commitment,uint64 effectiveAt,uint64 deadline,Party[] parties)" + PARTY_TYPE;
const DOMAIN_TYPE = "EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)";
const [PARTY_HASH, AGREEMENT_HASH, TERMINATION_HASH, DOMAIN_HASH, NAME_HASH, VERSION_HASH] = [
  PARTY_TYPE,
  AGREEMENT_TYPE,
  TERMINATION_TYPE,
  DOMAIN_TYPE,
  "TalentSeal",
  "1",
].map((text) => keccak256(utf8Encode(text)));
const AGREEMENT_KEYS = [
  "agreement_id",
  "version",
  "previous",
  "commitment",
  "stipulations_root",
  "stipulation_count",
  "effective_from",
  "valid_through",
  "deadline",
  "parties",
];
const TERMINATION_KEYS = ["agreement", "commitment", "effective_at", "deadline", "parties"];

/**
 * One version of an agreement as every party signs it. Throws a DecodeError that names the field under
 * `path`.
 * @param {import("./canonical.js").Json} value @param {string} path
 * @returns {Agreement}
 */
export function readAgreement(value, path) {
  const fields = members(value, path, AGREEMENT_KEYS);
  const hash = (name) => prefixedHex(fields.get(name), `${path}.${name}`);
  const number = (name, least, most) => integer(fields.get(name), `${path}.${name}`, least, most);
  const statement = {
    agreementId: hash("agreement_id"),
    version: number("version", 1, MOST_UINT32),
    previous: hash("previous"),
    commitment: hash("commitment"),
    stipulationsRoot: hash("stipulations_root"),
    stipulationCount: number("stipulation_count", 0, MOST_UINT32),
    effectiveFrom: number("effective_from"),
    validThrough: number("valid_through"),
    deadline: number("deadline"),
    parties: readParties(fields.get("parties"), `${path}.parties`),
  };
  if ((statement.version === 1) !== (toHex(statement.previous) === ZERO_HASH)) {
    throw new OutOfRange("previous: expected zero for version 1 and the former digest for every later version");
  }
  if (statement.validThrough < statement.effectiveFrom) {
    throw new OutOfRange("valid_through: expected a time not before effective_from");
  }
  checkParties(statement.parties);
  return statement;
}

/**
 * The end of an agreement version as every party signs it. Throws a DecodeError that names the field under
 * `path`.
 * @param {import("./canonical.js").Json} value @param {string} path
 * @returns {Termination}
 */
export function readTermination(value, path) {
  const fields = members(value, path, TERMINATION_KEYS);
  const statement = {
    agreement: prefixedHex(fields.get("agreement"), `${path}.agreement`),
    commitment: prefixedHex(fields.get("commitment"), `${path}.commitment`),
    effectiveAt: integer(fields.get("effective_at"), `${path}.effective_at`),
    deadline: integer(fields.get("deadline"), `${path}.deadline`),
    parties: readParties(fields.get("parties"), `${path}.parties`),
  };
  checkParties(statement.parties);
  return statement;
}

/**
 * The 32 bytes that every party signs, and the key of this version in the registry.
 * @param {Agreement} agreement
 * @param {Domain} domain
 */
export function agreementDigest(agreement, domain) {
  return signedDigest(domain, [
    AGREEMENT_HASH,
    agreement.agreementId,
    word(agreement.version),
    agreement.previous,
    agreement.commitment,
    agreement.stipulationsRoot,
    word(agreement.stipulationCount),
    word(agreement.effectiveFrom),
    word(agreement.validThrough),
    word(agreement.deadline),
    partiesHash(agreement.parties),
  ]);
}

/** The 32 bytes that every party signs. @param {Termination} termination @param {Domain} domain */
export function terminationDigest(termination, domain) {
  return signedDigest(domain, [
    TERMINATION_HASH,
    termination.agreement,
    termination.commitment,
    word(termination.effectiveAt),
    word(termination.deadline),
    partiesHash(termination.parties),
  ]);
}

/** keccak256(0x1901 ‖ domain separator ‖ struct hash). */
function signedDigest(domain, structure) {
  const separator = keccak256(
    joined(DOMAIN_HASH, NAME_HASH, VERSION_HASH, word(domain.chainId), accountWord(domain.contract)),
  );
  return keccak256(joined(Uint8Array.of(0x19, 0x01), separator, keccak256(joined(...structure))));
}

function partiesHash(parties) {
  const hashes = parties.map((party) =>
    keccak256(joined(PARTY_HASH, party.organisation, accountWord(party.signer), word(party.nonce))),
  );
  return keccak256(joined(...hashes));
}

function readParties(value, path) {
  return elements(value, path, MOST_PARTIES).map((party, place) => {
    const where = `${path}[${place}]`;
    const fields = members(party, where, ["organisation", "signer", "nonce"]);
    return {
      organisation: prefixedHex(fields.get("organisation"), `${where}.organisation`),
      signer: address(fields.get("signer"), `${where}.signer`),
      nonce: integer(fields.get("nonce"), `${where}.nonce`),
    };
  });
}

/**
 * The registry's own rule: 2 to 8 parties, strictly ascending by organisation, none zero, each with its own
 * key.
 */
function checkParties(parties) {
  if (parties.length < LEAST_PARTIES || parties.length > MOST_PARTIES) {
    throw new OutOfRange(`parties: expected ${LEAST_PARTIES} to ${MOST_PARTIES}, met ${parties.length}`);
  }
  const names = [ZERO_HASH, ...parties.map((party) => toHex(party.organisation))];
  if (names.some((name, place) => place && name <= names[place - 1])) {
    throw new OutOfRange("parties: expected strictly ascending organisations, none of them zero");
  }
  if (new Set(parties.map((party) => party.signer)).size !== parties.length) {
    throw new OutOfRange("parties: expected a signer of its own for each party");
  }
}

function word(number) {
  return bytesOfBig(BigInt(number));
}

function accountWord(account) {
  return joined(new Uint8Array(12), parseAddress(account));
}
