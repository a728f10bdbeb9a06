"use strict";
/**
 * The result of a verification: numbered steps, each with a verdict and a reason in plain words, and an exit
 * code.
 * @typedef {{en: string, zh: string}} Said one statement in both languages
 * @typedef {{verdict: "passed"|"failed"|"not-checked", why: Said}} Finding a verdict and why
 * @typedef {{number: number, name: string, name_zh: string, verdict: string, why: string, why_zh: string}}
 *   Step
 * @typedef {{v: 1, outcome: "passed"|"failed"|"malformed"|"incomplete", exit_code: 0|1|2|3, steps: Step[],
 *   not_proved: Said[]}} Report as `sealproof verify --json` prints it
 */

const OUTCOMES = ["passed", "failed", "malformed", "incomplete"];

/** A finding that what was claimed holds. @param {string} en @param {string} zh @returns {Finding} */
export function passed(en, zh) {
  return { verdict: "passed", why: { en, zh } };
}

/** A finding that what was claimed is false. @param {string} en @param {string} zh @returns {Finding} */
export function failed(en, zh) {
  return { verdict: "failed", why: { en, zh } };
}

/**
 * A finding that a step could not be carried out.
 * @param {string} en
 * @param {string} zh
 * @returns {Finding}
 */
export function notChecked(en, zh) {
  return { verdict: "not-checked", why: { en, zh } };
}

/**
 * The report of these findings by number of step; of a malformed input there is the first alone.
 * @param {Map<number, Finding>} findings
 * @param {Map<number, Said>} names of the steps
 * @param {Said[]} limits what is not proved even when all passed
 * @param {boolean} isMalformed whether the input could not even be read
 * @returns {Report}
 */
export function reportOf(findings, names, limits, isMalformed) {
  const numbers = [...findings.keys()].sort((one, other) => one - other);
  const steps = numbers.map((number) => {
    const [name, { verdict, why }] = [names.get(number), findings.get(number)];
    return { number, name: name.en, name_zh: name.zh, verdict, why: why.en, why_zh: why.zh };
  });
  const code = isMalformed ? 2 : exitCode(steps.map((step) => step.verdict));
  return { v: 1, outcome: OUTCOMES[code], exit_code: code, steps, not_proved: limits };
}

/** 0 all passed, 1 a step failed, 3 nothing failed but something was not checked. */
function exitCode(verdicts) {
  if (verdicts.includes("failed")) return 1;
  return verdicts.includes("not-checked") ? 3 : 0;
}
