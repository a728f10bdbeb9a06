"use strict";
/** The verification desk on a page: what is dropped and chosen goes to the desk, what comes out is shown. */
import { ChainUnreachable } from "../sealproof/rpc.js";
import { documentFacts, summaryText } from "./content.js";
import { make } from "./elements.js";
import { leafOf, summaryOf } from "./reading.js";
import { bannerNode, resultNodes, resultText, sentence } from "./result.js";
import { ServiceRefused } from "./service.js";
import { Texts } from "./texts.js";

const COPIED_MS = 2000;

/** One desk in one language. */
export class DeskView {
  /**
   * @param {HTMLElement} root holds the desk's markup and its texts
   * @param {string} language "zh-CN" or "en"
   * @param {import("./desk.js").Desk} desk
   */
  constructor(root, language, desk) {
    this.root = root;
    this.desk = desk;
    this.texts = new Texts(root, language);
    this.round = 0;
    this.outcome = null;
    this.restoreChoices();
    this.listen();
  }

  part(name) {
    return this.root.querySelector(`[data-${name}]`);
  }

  /** Show on this markup what was chosen on the one before, in the other language. */
  restoreChoices() {
    const { chain, node, trust } = this.desk.choices;
    for (const radio of this.root.querySelectorAll("input[type=radio]")) {
      radio.checked = radio.value === { chain, trust }[radio.name];
    }
    this.part("node").value = node || this.part("node").value;
    this.part("node-field").hidden = chain !== "direct";
  }

  listen() {
    const [picker, zone] = [this.part("files"), this.part("dropzone")];
    const choose = async () => {
      const files = [...picker.files];
      picker.value = "";
      if (files.length) await this.take(files);
    };
    picker.addEventListener("change", choose);
    queueMicrotask(choose); // what was chosen before this script had come
    for (const kind of ["dragover", "dragleave", "drop"]) {
      zone.addEventListener(kind, (event) => {
        event.preventDefault();
        zone.classList.toggle("over", kind === "dragover");
        if (kind === "drop") this.take([...event.dataTransfer.files]);
      });
    }
    // A file that misses the zone must not replace the page and all that was laid on it.
    for (const kind of ["dragover", "drop"]) this.root.addEventListener(kind, (event) => event.preventDefault());
    this.root.addEventListener("change", (event) => {
      if (event.target.matches("[data-choice]")) this.choose();
      if (event.target.matches("[data-proofs]")) this.pick(event.target.selectedIndex);
    });
    this.root.addEventListener("click", (event) => this.press(event.target.closest("button")));
    this.part("node").addEventListener("keydown", (event) => {
      if (event.key === "Enter") event.preventDefault();
      if (event.key === "Enter") this.choose();
    });
  }

  async press(button) {
    if (button === null) return;
    if (button.dataset.remove) {
      this.desk.remove(button.dataset.remove);
      this.part("files").focus();
      await this.refresh({ withFocus: false });
    }
    const { act } = button.dataset;
    if (act === "print") window.print();
    if (act === "copy") await this.copy(button, resultText(this.outcome, this.texts));
    if (act === "copy-json") await this.copy(button, `${JSON.stringify(this.outcome.report, null, 2)}\n`);
    if (act === "ask") await this.choose();
  }

  async copy(button, text) {
    await navigator.clipboard.writeText(text);
    const before = button.textContent;
    button.textContent = this.texts.say("copied");
    this.announce(this.texts.say("copied"));
    setTimeout(() => (button.textContent = before), COPIED_MS);
  }

  async take(files) {
    if (!files.length) return;
    this.part("busy").hidden = false;
    this.showRefusals(await this.desk.take(files));
    await this.refresh({ withFocus: true });
  }

  async pick(place) {
    this.desk.pick(place);
    await this.refresh({ withFocus: false });
    this.part("proofs").focus();
  }

  async choose() {
    const chosen = (name) => this.root.querySelector(`input[name="${name}"]:checked`)?.value;
    const [node, epoch] = [this.part("node").value, this.part("epoch")?.value || null];
    this.desk.choices = { chain: chosen("chain"), node, trust: chosen("trust") ?? "own", epoch };
    this.part("node-field").hidden = this.desk.choices.chain !== "direct";
    await this.refresh({ withFocus: false });
  }

  /** Verify what lies on the desk now; a slower, earlier round is not shown any more. */
  async refresh({ withFocus }) {
    const round = (this.round += 1);
    this.showPieces();
    this.part("busy").hidden = false;
    await new Promise((done) => setTimeout(done)); // let the browser paint before the hashing
    const [outcome, digests] = [await this.desk.check(), await this.desk.documentDigests()];
    if (round !== this.round) return;
    this.part("busy").hidden = true;
    this.outcome = outcome;
    if (outcome === null) this.showDocumentAlone(digests, withFocus);
    else this.showOutcome(outcome, withFocus);
  }

  showOutcome(outcome, withFocus) {
    if (outcome.refusals.length) this.showRefusals(outcome.refusals);
    this.part("tools").hidden = false;
    this.part("banner").replaceChildren(bannerNode(outcome, this.texts));
    this.part("result").replaceChildren(...resultNodes(outcome, this.texts));
    this.announce(`${this.texts.say("announce")} ${sentence(outcome, this.texts)}`);
    if (withFocus) this.root.querySelector("[data-verdict]").focus();
  }

  /** A document without a proof: its digests, and what is needed. */
  showDocumentAlone(digests, withFocus) {
    this.part("tools").hidden = true;
    this.part("banner").replaceChildren();
    if (digests === null) {
      this.part("result").replaceChildren();
      this.announce("");
      return;
    }
    const title = make("h2", { tabindex: "-1" }, this.texts.say("alone.title"));
    const sheet = make(
      "section",
      { class: "sheet" },
      title,
      make("p", {}, this.texts.say("alone.needed", { name: digests.name })),
      documentFacts(new Map(Object.entries(digests)), this.texts),
    );
    this.part("result").replaceChildren(sheet);
    this.announce(this.texts.say("alone.title"));
    if (withFocus) title.focus();
  }

  showPieces() {
    const items = [...this.desk.pieces].map(([kind, piece]) => this.pieceItem(kind, piece));
    this.part("pieces").replaceChildren(...items);
  }

  pieceItem(kind, piece) {
    const button = { type: "button", "aria-label": this.texts.say("remove", { name: piece.name }) };
    const why = piece.remark && piece.remark !== "pdf-no-proof" ? this.texts.say(`remark.${piece.remark}`) : null;
    const from = piece.from && this.texts.say("piece.from", { name: piece.from });
    const remarks = [from, why].filter((remark) => remark !== null);
    return make(
      "li",
      {},
      make("b", {}, this.texts.say(`piece.${kind}`)),
      make(
        "span",
        { class: "piece-name" },
        piece.name,
        ...remarks.map((remark) => make("small", {}, remark)),
        piece.proofs.length > 1 ? this.proofChoice(piece) : null,
      ),
      make("button", { class: "btn btn-sm", "data-remove": kind, ...button }, this.texts.say("remove.short")),
    );
  }

  proofChoice({ proofs, place }) {
    const options = proofs.map(({ raw }, number) =>
      make("option", { selected: number === place }, `${number + 1}. ${summaryText(summaryOf(raw), this.texts)}`),
    );
    const choice = make("select", { class: "form-select", "data-proofs": true }, ...options);
    return make("label", { class: "proofs" }, this.texts.say("proofs", { count: proofs.length }), choice);
  }

  showRefusals(refusals) {
    const lines = refusals.map(({ code, name, detail }) => {
      const why = detail === null ? "" : this.texts.plain(detail);
      return make("li", {}, this.texts.say(`refused.${code}`, { name, why }));
    });
    const list = make("ul", {}, ...lines);
    const notice = make("div", { class: "refusal" }, make("h2", {}, this.texts.say("refused")), list);
    this.part("refusals").replaceChildren(...(lines.length ? [notice] : []));
  }

  announce(text) {
    this.part("announce").textContent = text;
  }

  /** What a QR code led to. @param {string} record @param {string|null} leaf */
  async arrive(record, leaf) {
    this.desk.arrival = { record, leaf, raw: null };
    this.showArrival("wait");
    try {
      const raw = await this.desk.service.record(record);
      this.desk.arrival.raw = raw;
      this.showArrival(leaf === null ? "bare" : leafOf(raw) === leaf ? "same" : "other");
      await this.refresh({ withFocus: false });
    } catch (error) {
      if (!(error instanceof ServiceRefused || error instanceof ChainUnreachable)) throw error;
      const known = { "not-sealed-yet": "not-sealed", "record-not-found": "missing" };
      this.showArrival(known[error.code] ?? "unreachable");
    }
  }

  showArrival(name) {
    const { record } = this.desk.arrival ?? {};
    this.part("arrival").hidden = false;
    this.part("arrival").dataset.arrival = name;
    this.part("arrival-said").textContent = this.texts.say(`arrival.${name}`, { record: record ?? "" });
  }
}

/** The record and leaf hash in an address; null when it names no record, `malformed` when it does so wrongly. */
export function arrivalIn(search) {
  const given = new URLSearchParams(search);
  const [record, leaf] = [given.get("record"), given.get("leaf")];
  if (record === null && leaf === null) return null;
  const isSound = /^[0-9a-f]{32}$/.test(record ?? "") && (leaf === null || /^[0-9a-f]{64}$/.test(leaf));
  return isSound ? { record, leaf } : "malformed";
}
