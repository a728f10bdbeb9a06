"use strict";
/**
 * The report on the page, and the same as text to be copied.
 * @typedef {import("./desk.js").Outcome} Outcome
 * @typedef {import("./texts.js").Texts} Texts
 */
import { disclosedParts, recordFacts } from "./content.js";
import { make } from "./elements.js";

const GLYPHS = { passed: "✓", failed: "×", "not-checked": "?" };
const MANNERS = { passed: "passed", failed: "failed", malformed: "failed", incomplete: "not-checked" };
const FIRST_OF_THE_CHAIN = 11;

/**
 * One word for it all: `passed`, `failed`, `malformed`, `incomplete` as the report, or `other-record` when it is
 * about another record than the QR code.
 * @param {Outcome} outcome
 */
function standing({ report, sameAsArrival }) {
  return sameAsArrival === false ? "other-record" : report.outcome;
}

/** The verdict in one sentence. @param {Outcome} outcome @param {Texts} texts */
export function sentence(outcome, texts) {
  const { steps } = outcome.report;
  const numbered = (verdict) => steps.filter((step) => step.verdict === verdict).map((step) => step.number);
  return texts.say(`overall.${standing(outcome)}`, {
    count: steps.length,
    passed: numbered("passed").length,
    unchecked: numbered("not-checked").length,
    numbers: numbered("failed").join(texts.say("comma")),
  });
}

/** On whose word the report rests, a sentence each. @param {Outcome} outcome @param {Texts} texts */
function grounds({ report, trustFrom, trustLabel, epoch, chainBy, node }, texts) {
  const isSilent = report.steps.some((step) => step.number === FIRST_OF_THE_CHAIN && step.verdict === "not-checked");
  return [
    texts.say(`trust.${trustFrom ?? "none"}`, { label: trustLabel ?? "", epoch: epoch ?? "" }),
    texts.say(`chain.${chainBy !== null && isSilent ? "silent" : (chainBy ?? "none")}`, { node }),
  ];
}

/** What could still be given. @param {Outcome} outcome @param {Texts} texts */
function missing({ report, trustFrom, chainBy, isArrival }, texts) {
  const open = new Set(report.steps.filter((step) => step.verdict === "not-checked").map((step) => step.number));
  if (!open.size) return [];
  return [
    isArrival && texts.say("missing.bundle"),
    trustFrom === null && texts.say("missing.trust"),
    open.has(7) && !isArrival && texts.say("missing.document"),
    chainBy === null && open.has(11) && texts.say("missing.chain"),
  ].filter(Boolean);
}

/** All but the banner. @param {Outcome} outcome @param {Texts} texts @returns {Node[]} */
export function resultNodes(outcome, texts) {
  const { report, shown, files } = outcome;
  const facts = shown && recordFacts(shown, texts);
  const content = shown ? disclosedParts(shown, texts) : [];
  const isDoubtful = report.outcome === "failed" || outcome.sameAsArrival === false;
  const doubt = isDoubtful ? make("p", { class: "doubt" }, texts.say("doubt")) : null;
  const limits = report.not_proved.map((limit) => make("li", {}, texts.plain(limit)));
  return [
    sheet(texts.say("head.steps"), stepList(outcome, texts)),
    facts && sheet(texts.say("head.record"), doubt, facts, ...content),
    sheet(texts.say("head.limits"), make("ul", { class: "limits" }, ...limits)),
    files.length ? make("p", { class: "checked" }, checkedText(files, texts)) : null,
  ].filter((node) => node !== null);
}

/** The verdict at a glance. @param {Outcome} outcome @param {Texts} texts */
export function bannerNode(outcome, texts) {
  const word = standing(outcome);
  const manner = MANNERS[word] ?? "failed";
  const hints = missing(outcome, texts);
  return make(
    "div",
    { class: `verdict-banner verdict-${manner}` },
    make("span", { class: "verdict-mark", "aria-hidden": "true" }, GLYPHS[manner]),
    make(
      "div",
      {},
      make("h2", { tabindex: "-1", "data-verdict": word }, texts.say(`word.${word}`)),
      make("p", { class: "verdict-sentence" }, sentence(outcome, texts)),
      ...grounds(outcome, texts).map((ground) => make("p", { class: "ground" }, ground)),
      hints.length ? make("p", { class: "ground" }, make("b", {}, texts.say("missing"))) : null,
      hints.length ? make("ul", { class: "missing" }, ...hints.map((hint) => make("li", {}, hint))) : null,
    ),
  );
}

function sheet(title, ...children) {
  return make("section", { class: "sheet" }, make("h2", {}, title), ...children);
}

function stepList(outcome, texts) {
  return make("ol", { class: "verdicts" }, ...outcome.report.steps.map((step) => stepItem(step, outcome, texts)));
}

function stepItem(step, outcome, texts) {
  const { number, verdict } = step;
  return make(
    "li",
    { class: `verdict-${verdict}`, value: String(number) },
    make("span", { class: "verdict-number" }, String(number)),
    make("span", { class: "verdict-name" }, texts.plain({ zh: step.name_zh, en: step.name })),
    make(
      "span",
      { class: "verdict-word" },
      make("span", { class: "verdict-mark", "aria-hidden": "true" }, GLYPHS[verdict]),
      texts.say(`verdict.${verdict}`),
    ),
    make(
      "span",
      { class: "verdict-why" },
      texts.plain({ zh: step.why_zh, en: step.why }),
      isRelayed(step, outcome) ? make("span", { class: "relayed" }, texts.say("relayed")) : null,
    ),
  );
}

/** Step 10 asks the chain about contract accounts alone, and says so. */
function isRelayed({ number, verdict, why }, { chainBy }) {
  const isAsked = number >= FIRST_OF_THE_CHAIN || (number === 10 && why.includes("contract account"));
  return chainBy === "service" && isAsked && verdict !== "not-checked";
}

function checkedText(files, texts) {
  const time = texts.beijing(new Date().toISOString());
  const listed = files.map(({ name, sha256 }) => `${name} (SHA-256 ${sha256})`).join("; ");
  return texts.say("checked", { time, files: listed });
}

/** The report as text. @param {Outcome} outcome @param {Texts} texts */
export function resultText(outcome, texts) {
  const { report: found, files } = outcome;
  const lines = found.steps.map((step) => {
    const relayed = isRelayed(step, outcome) ? ` (${texts.say("relayed")})` : "";
    const name = texts.plain({ zh: step.name_zh, en: step.name });
    const why = texts.plain({ zh: step.why_zh, en: step.why });
    return `${step.number}. ${name} [${texts.say(`verdict.${step.verdict}`)}] ${why}${relayed}`;
  });
  return [
    `${texts.say(`word.${standing(outcome)}`)} · ${sentence(outcome, texts)}`,
    ...grounds(outcome, texts),
    "",
    ...lines,
    "",
    texts.say("head.limits"),
    ...found.not_proved.map((limit) => `- ${texts.plain(limit)}`),
    ...(files.length ? ["", checkedText(files, texts)] : []),
    "",
  ].join("\n");
}
