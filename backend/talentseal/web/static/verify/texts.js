"use strict";
/** The texts of a page, which stand in its HTML so that they are in the page's language. */

/** Reads `[data-text]` elements of a template. */
export class Texts {
  /** @param {ParentNode} place that holds a `template[data-texts]` @param {string} language "zh-CN" or "en" */
  constructor(place, language) {
    const { content } = place.querySelector("template[data-texts]");
    this.isChinese = language !== "en";
    this.texts = new Map(
      [...content.querySelectorAll("[data-text]")].map((item) => [item.dataset.text, item.textContent]),
    );
  }

  /**
   * The text of that name with `{part}` filled in. Throws when the page lacks it.
   * @param {string} name
   * @param {Record<string, string|number>} [parts]
   */
  say(name, parts = {}) {
    const text = this.texts.get(name);
    if (text === undefined) throw new Error(`the page has no text named ${name}`);
    return text.replace(/\{(\w+)\}/g, (whole, part) => parts[part] ?? whole);
  }

  /** The text of that name, or else `otherwise`. @param {string} name @param {string} otherwise */
  sayOr(name, otherwise) {
    return this.texts.get(name) ?? otherwise;
  }

  /**
   * A statement of sealproof in the page's language, with the time in Beijing, less what it says about its own
   * command line.
   * @param {import("../sealproof/report.js").Said} statement
   */
  plain({ zh, en }) {
    return (this.isChinese ? zh : en)
      .replace(/ ?[（(]--[a-z]+ [^)）]*[)）]/g, "")
      .replace(/ with --rpc|用 --rpc /g, "")
      .replace(/(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d) UTC/g, (_, day, time) => this.beijing(`${day}T${time}Z`));
  }

  /**
   * A UTC time as the hour in Beijing, to the second; null and other things as they are.
   * @param {string} instant such as 2026-11-23T08:00:00.000000Z
   */
  beijing(instant) {
    const moment = Date.parse(instant);
    if (Number.isNaN(moment)) return String(instant);
    const local = new Date(moment + 8 * 3_600_000).toISOString();
    return this.say("beijing", { time: `${local.slice(0, 10)} ${local.slice(11, 19)}` });
  }
}
