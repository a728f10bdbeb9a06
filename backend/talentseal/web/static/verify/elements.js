"use strict";
/** Building a page's elements without a text ever being read as markup. */

/**
 * @param {string} tag
 * @param {Record<string, string|boolean>} attributes true: present without a value; false: absent
 * @param {...(Node|string|null)} children null is left out
 */
export function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== false) element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.filter((child) => child !== null));
  return element;
}

/** A list of facts. @param {[string, Node|string|null][]} pairs those with null are left out */
export function factList(pairs) {
  const known = pairs.filter(([, value]) => value !== null);
  const pair = ([name, value]) => [make("dt", {}, name), make("dd", {}, value)];
  return make("dl", { class: "facts" }, ...known.flatMap(pair));
}

/**
 * A table that becomes cards on a narrow screen.
 * @param {string} caption @param {string[]} heads @param {(Node|string)[][]} rows as wide as `heads`
 */
export function cardTable(caption, heads, rows) {
  const cells = (row) => row.map((value, place) => make("td", { "data-label": heads[place] }, value));
  return make(
    "div",
    { class: "table-frame" },
    make(
      "table",
      { class: "table stacked" },
      make("caption", { class: "visually-hidden" }, caption),
      make("thead", {}, make("tr", {}, ...heads.map((head) => make("th", { scope: "col" }, head)))),
      make("tbody", {}, ...rows.map((row) => make("tr", {}, ...cells(row)))),
    ),
  );
}

/** A long value to be compared by eye or copied. @param {string} value */
export function codeText(value) {
  return make("code", {}, value);
}
