"use strict";
/**
 * What was recorded, as a person reads it.
 * @typedef {import("./reading.js").Shown} Shown
 * @typedef {import("./texts.js").Texts} Texts
 */
import { cardTable, codeText, factList, make } from "./elements.js";

const OF_AGREEMENT = ["number", "title", "category", "effective_from", "valid_through"];
const OF_TERMINATION = ["reason", "notice", "effective_at"];
const LAID_OUT = ["parties", "document", ...OF_AGREEMENT, ...OF_TERMINATION];

function kindText(kind, texts) {
  return texts.sayOr(`kind.${kind}`, texts.say("kind.other", { kind }));
}

/** A record in a few words. @param {import("./reading.js").RecordShown|null} record @param {Texts} texts */
export function summaryText(record, texts) {
  return record ? `${kindText(record.kind, texts)} · ${texts.beijing(record.recordedAt)}` : texts.say("unknown");
}

/** Where and when the record stands in the log. @param {Shown} shown @param {Texts} texts */
export function recordFacts({ record, origin, anchor }, texts) {
  if (record === null) return null;
  const { kind, relation, refersTo } = record;
  const related = relation && make("span", {}, texts.sayOr(`relation.${relation}`, relation), " ", codeText(refersTo));
  const anchored = anchor && { chain: anchor.chain_id, block: anchor.block_number };
  return factList([
    [texts.say("record.kind"), kindText(kind, texts)],
    [texts.say("record.time"), texts.beijing(record.recordedAt)],
    [texts.say("record.id"), codeText(record.id)],
    [texts.say("record.relation"), related],
    [texts.say("record.place"), texts.say("record.place-of", { index: record.index, size: record.size })],
    [texts.say("record.log"), origin && codeText(origin)],
    [texts.say("record.leaf"), codeText(record.leaf)],
    [texts.say("record.anchor"), anchored && texts.say("record.anchor-of", anchored)],
    [texts.say("record.transaction"), anchor && codeText(anchor.transaction_hash)],
  ]);
}

/**
 * What was disclosed, part by part; nothing when the bundle shows no content.
 * @param {Shown} shown @param {Texts} texts
 */
export function disclosedParts(shown, texts) {
  const { terms, fields, stipulations } = shown;
  const names = namesOf(terms.get("parties"));
  const rest = [...terms, ...fields].filter(([name]) => !LAID_OUT.includes(name) || !terms.has(name));
  const titled = (name, isThere, body) => (isThere ? [make("h3", {}, texts.say(name)), body()] : []);
  return [
    ...(terms.size ? agreementParts(shown, names, texts) : []),
    ...titled("stipulations", stipulations.length, () => stipulationTable(stipulations, names, texts)),
    ...titled("fields", rest.length, () => fieldList(rest, texts)),
  ];
}

function agreementParts({ terms, version, isTermination, signers }, names, texts) {
  const wanted = isTermination ? OF_TERMINATION : OF_AGREEMENT;
  const facts = wanted.map((name) => [texts.say(`terms.${name}`), termText(name, terms.get(name), texts)]);
  const document = terms.get("document");
  const parties = terms.get("parties");
  return [
    make("h3", {}, texts.say(isTermination ? "termination" : "agreement")),
    factList([...facts, [texts.say("terms.version"), version === null ? null : String(version)]]),
    ...(Array.isArray(parties) || signers.length
      ? [make("h3", {}, texts.say("parties")), partyTable(Array.isArray(parties) ? parties : [], signers, names, texts)]
      : []),
    ...(document instanceof Map ? [make("h3", {}, texts.say("document")), documentFacts(document, texts)] : []),
  ];
}

function termText(name, value, texts) {
  if (value === undefined) return null;
  if (name === "category") return texts.sayOr(`category.${value}`, String(value));
  return name === "effective_at" ? texts.beijing(value) : readable(value);
}

/** Digests and length of the document, from a field `document` or from a file. @param {Map<string, any>} document */
export function documentFacts(document, texts) {
  const count = Number(document.get("size")).toLocaleString("en");
  return factList([
    ["SHA-256", codeText(String(document.get("sha256")))],
    ["SM3", codeText(String(document.get("sm3")))],
    [texts.say("document.size"), texts.say("document.bytes", { count })],
  ]);
}

function partyTable(parties, signers, names, texts) {
  const keyOf = new Map(signers.map(({ organisation, signer }) => [organisation, signer]));
  const known = parties.filter((party) => party instanceof Map);
  const rows = known.length ? known : signers.map(({ organisation }) => new Map([["organisation", organisation]]));
  const heads = ["name", "role", "credit_code", "signer"].map((name) => texts.say(`party.${name}`));
  return cardTable(
    texts.say("parties"),
    heads,
    rows.map((party) => {
      const organisation = party.get("organisation");
      const signer = keyOf.get(organisation);
      return [
        names.get(organisation) ?? codeText(String(organisation)),
        readable(party.get("role") ?? ""),
        readable(party.get("credit_code") ?? ""),
        signer === undefined ? texts.say("unknown") : codeText(signer),
      ];
    }),
  );
}

function stipulationTable(stipulations, names, texts) {
  const parts = ["clause", "duty_holder", "beneficiary_tiers", "measure", "period", "threshold", "remedy"];
  const heads = parts.map((part) => texts.say(`stipulation.${part}`));
  const rows = stipulations.map((item) =>
    item === null
      ? [texts.say("withheld"), ...parts.slice(1).map(() => "—")]
      : parts.map((part) => stipulationText(part, item.get(part), names, texts)),
  );
  return cardTable(texts.say("stipulations"), heads, rows);
}

function stipulationText(part, value, names, texts) {
  if (part === "duty_holder") return names.get(value) ?? readable(value);
  if (part === "period") return texts.sayOr(`period.${value}`, readable(value));
  if (part !== "beneficiary_tiers" || !Array.isArray(value)) return readable(value);
  return value.map((tier) => texts.sayOr(`tier.${tier}`, readable(tier))).join(texts.say("comma"));
}

/** Organisation id → name, as the terms say. */
function namesOf(parties) {
  const known = Array.isArray(parties) ? parties.filter((party) => party instanceof Map) : [];
  const nameOf = (party) => readable(party.get("name") ?? party.get("organisation"));
  return new Map(known.map((party) => [party.get("organisation"), nameOf(party)]));
}

function fieldList(fields, texts) {
  return factList(fields.map(([name, value]) => [texts.sayOr(`field.${name}`, name), codeText(readable(value))]));
}

/** Any JSON value as text. */
function readable(value) {
  return typeof value === "string" ? value : JSON.stringify(bare(value));
}

function bare(value) {
  if (Array.isArray(value)) return value.map(bare);
  return value instanceof Map ? Object.fromEntries([...value].map(([key, member]) => [key, bare(member)])) : value;
}
