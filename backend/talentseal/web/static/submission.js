// The form of an agreement: the document's digests, rows of parties and stipulations, the difference while typing.
"use strict";
import { acceptDrops, digestsOf, onChoice, revealScripted, say } from "./local-file.js";

const form = document.querySelector("form.submission");
const field = (name) => form.elements.namedItem(name);
const LIMIT = 10 * 1024 * 1024;
const changed = () => form.dispatchEvent(new Event("change"));

// The document

const messages = form.querySelector("[data-messages]");
const file = form.querySelector("#document");
const deposits = () => form.querySelector("input[name=keep][value=deposit]").checked;

function mediaTypeOf(start) {
  const text = String.fromCharCode(...start);
  if (/^%PDF-[12]\.[0-9]/.test(text)) return "application/pdf";
  if (text.startsWith("PK\u0003\u0004")) return "application/vnd.openxmlformats-officedocument.wordprocessingml.document";
  return null;
}

function setDigests(values) {
  for (const name of ["name", "sha256", "sm3", "size", "media_type"]) field(`document.${name}`).value = values[name] ?? "";
}

function refuse(message) {
  setDigests({});
  file.value = "";
  say(messages, message);
  changed();
}

async function take(chosen) {
  if (chosen.size > LIMIT) return refuse("too-large");
  if (chosen.size === 0) return refuse("empty");
  say(messages, "hashing");
  const found = await digestsOf(chosen);
  const mediaType = mediaTypeOf(found.start);
  if (mediaType === null) return refuse("wrong-type");
  setDigests({ ...found, name: chosen.name, media_type: mediaType });
  if (!deposits()) file.value = ""; // it stays at home: no request of this page can take it along
  showDigests();
  changed();
}

function showDigests() {
  const values = {};
  for (const name of ["name", "sha256", "sm3", "size"]) values[name] = field(`document.${name}`).value;
  if (!values.sha256) return say(messages, null);
  say(messages, deposits() && !file.files.length ? "choose-again" : "hashed", values);
}

onChoice(file, take);
for (const choice of form.querySelectorAll("input[name=keep]")) {
  choice.addEventListener("change", () => {
    if (!deposits()) file.value = "";
    showDigests();
  });
}
acceptDrops(form.querySelector("[data-dropzone]"));

// Rows

/** Rows of one kind: numbered names, a template for another one. */
class Rows {
  constructor(name, place, template) {
    this.name = name;
    this.place = place;
    this.template = template;
  }

  get all() { return [...this.place.children]; }

  add() {
    const row = document.importNode(this.template.content, true).querySelector(".stipulation-row, .party-row");
    this.place.append(row);
    this.number();
    for (const each of row.querySelectorAll("[data-script]")) each.hidden = false;
    return row;
  }

  number() {
    const start = new RegExp(`^${this.name}\\.\\w+\\.`);
    this.all.forEach((row, place) => {
      for (const each of row.querySelectorAll("[name], [id], [for], [aria-describedby]")) {
        for (const attribute of ["name", "id", "for", "aria-describedby"]) {
          const value = each.getAttribute(attribute);
          if (value) each.setAttribute(attribute, value.replace(start, `${this.name}.${place}.`));
        }
      }
    });
  }

  /** As many rows as a draft has. */
  fit(names) {
    const form = new RegExp(`^${this.name}\\.(\\d+)\\.`);
    const wanted = 1 + Math.max(-1, ...names.map((name) => Number(form.exec(name)?.[1] ?? -1)));
    while (this.template && this.all.length < wanted) this.add();
    while (this.all.length > Math.max(wanted, 1)) this.all.at(-1).remove();
  }
}

const parties = new Rows("parties", form.querySelector(".party-rows"), form.querySelector("template#party-row"));
const stipulations = new Rows(
  "stipulations", form.querySelector(".stipulation-table tbody"), form.querySelector("template#stipulation-row"),
);
const part = (row, name) => row.querySelector(`[name$=".${name}"]`);

/** Duty holders are the parties, by their places; a choice of key stands where an organisation has several. */
function followParties() {
  const signers = JSON.parse(form.dataset.signers);
  const names = parties.all.map((row) => {
    const label = part(row, "organisation").value;
    offerSigners(row, signers[label] ?? []);
    return `${part(row, "role").value} ${label.split(" · ")[0]}`.trim();
  });
  for (const row of stipulations.all) {
    const holder = part(row, "duty_holder");
    while (holder.options.length > names.length + 1) holder.options[holder.options.length - 1].remove();
    names.forEach((name, place) => {
      const option = holder.options[place + 1] ?? holder.appendChild(new Option("", String(place)));
      option.textContent = name || String(place + 1);
    });
  }
  for (const button of parties.place.querySelectorAll("[data-remove-party]")) button.hidden = parties.all.length <= 2;
  const add = form.querySelector("[data-add-party]");
  if (add) add.hidden = parties.all.length >= 8;
}

function offerSigners(row, addresses) {
  const choice = part(row, "signer");
  choice.closest(".signer").hidden = addresses.length === 0;
  const known = [...choice.options].slice(1).map((option) => option.value);
  if (known.join() === addresses.join()) return;
  while (choice.options.length > 1) choice.options[1].remove();
  choice.append(...addresses.map((address) => new Option(address, address)));
}

function removeParty(row) {
  const place = parties.all.indexOf(row);
  for (const each of stipulations.all) {
    const holder = part(each, "duty_holder");
    if (holder.value === "") continue;
    const held = Number(holder.value);
    holder.value = held === place ? "" : String(held > place ? held - 1 : held);
  }
  row.remove();
  parties.number();
  followParties();
  changed();
}

function told(message) { say(form.querySelector("#rows-told"), message); }

function move(row, by) {
  const other = by < 0 ? row.previousElementSibling : row.nextElementSibling;
  if (!other) return false;
  if (by < 0) other.before(row);
  else other.after(row);
  stipulations.number();
  told("moved");
  changed();
  return true;
}

function removeRow(row) {
  const next = row.nextElementSibling ?? row.previousElementSibling;
  row.remove();
  if (!next) stipulations.add();
  stipulations.number();
  followParties();
  told("removed");
  (next ?? stipulations.all[0]).querySelector("input").focus();
  changed();
}

function addRow(values) {
  const blank = stipulations.all.find((row) => !["clause", "measure", "threshold", "remedy"].some((name) => part(row, name).value));
  const row = values && blank ? blank : stipulations.add();
  followParties();
  if (values) {
    for (const name of ["clause", "measure", "period", "threshold", "remedy"]) part(row, name).value = values[name];
    const tiers = values.tiers.split(" ");
    for (const box of row.querySelectorAll("input[type=checkbox]")) box.checked = tiers.includes(box.value);
  }
  told("added");
  part(row, values ? "duty_holder" : "clause").focus();
  changed();
}

form.addEventListener("click", (event) => {
  const button = event.target.closest("button");
  const row = button?.closest("tr, li");
  if (!button) return;
  if (button.matches("[data-move]")) { move(row, Number(button.dataset.move)); button.focus(); }
  if (button.matches("[data-remove]")) removeRow(row);
  if (button.matches("[data-add]")) addRow();
  if (button.matches("[data-remove-party]")) removeParty(row);
  if (button.matches("[data-add-party]")) { part(parties.add(), "organisation").focus(); followParties(); changed(); }
});
form.addEventListener("keydown", (event) => {
  const row = event.target.closest(".stipulation-row");
  if (!row || !event.altKey || !["ArrowUp", "ArrowDown"].includes(event.key)) return;
  event.preventDefault();
  if (move(row, event.key === "ArrowUp" ? -1 : 1)) event.target.focus();
});
const starter = form.querySelector("#starter");
starter.addEventListener("change", () => {
  const chosen = starter.selectedOptions[0];
  if (chosen.dataset.clause) addRow(chosen.dataset);
  starter.value = "";
});
parties.place.addEventListener("input", followParties);

// What was typed before the session ended

form.addEventListener("draft:restore", ({ detail }) => {
  const names = detail.map((each) => each.name);
  parties.fit(names);
  stipulations.fit(names);
  // The choices have to be there before they are chosen.
  for (const { name, value } of detail) if (name.endsWith(".organisation") && field(name)) field(name).value = value;
  followParties();
});
form.addEventListener("draft:restored", () => {
  followParties();
  showDigests();
});

// The difference from the version that is amended

const difference = document.getElementById("difference");
let waiting;

async function showDifference() {
  const typed = new URLSearchParams([...new FormData(form)].filter(([, value]) => typeof value === "string"));
  const answer = await fetch(form.dataset.difference, { method: "POST", body: typed });
  if (!answer.ok) return;
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("difference");
  if (fresh && fresh.innerHTML !== difference.innerHTML) difference.replaceChildren(...fresh.childNodes);
}

if (form.dataset.difference) {
  const soon = () => { clearTimeout(waiting); waiting = setTimeout(showDifference, 300); };
  form.addEventListener("input", soon);
  form.addEventListener("change", soon);
  form.addEventListener("draft:restored", soon);
}

// Once: a second press while the first is under way sends nothing.
form.addEventListener("submit", (event) => {
  if (form.dataset.sent) event.preventDefault();
  form.dataset.sent = "yes";
});
addEventListener("pageshow", () => { delete form.dataset.sent; });
revealScripted();
followParties();
