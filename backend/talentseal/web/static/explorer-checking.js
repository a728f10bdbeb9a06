// Steps that this browser takes on the log's public files, each with its verdict. All words come from the page.
import { openCheckpoint } from "./sealproof/checkpoint.js";
import { hexEncode } from "./sealproof/encoding.js";
import { ProofError } from "./sealproof/errors.js";
import { VerifierKey } from "./sealproof/note.js";
import { tilePath } from "./sealproof/tiles.js";
import { loadTrust } from "./sealproof/trust.js";
import { said } from "./sealproof/wording.js";

/** Something was not there to be fetched: that proves nothing either way. */
class Unreachable extends Error {}

/** What was fetched is not what it should be; the message is one of the page's sentences. */
export class Differs extends Error {}

/** A step that came to its end without anybody's word but the service's own. */
export class Unchecked {
  constructor(sentence) {
    this.sentence = sentence;
  }
}

/** One check on a page: its words, its steps, and what it fetches. */
export class Checking {
  /** @param {HTMLElement} section holds the steps, the outcome and `template[data-words]` */
  constructor(section) {
    this.section = section;
    const templates = section.querySelectorAll("template[data-words]");
    this.words = Object.assign({}, ...Array.from(templates, (template) => ({ ...template.dataset })));
    this.file = document.querySelector("#trust-file");
    this.turn = 0;
  }

  /** A sentence of the page with its places filled in. */
  say(name, values = {}) {
    return this.words[name].replace(/\{(\w+)\}/g, (_, place) => values[place]);
  }

  /**
   * Take the steps in order, now and whenever another trust file is chosen.
   * @param {[string, () => Promise<string|Unchecked>][]} steps name, and what gives the sentence or throws
   */
  start(steps) {
    this.file.addEventListener("change", () => this.run(steps));
    return this.run(steps);
  }

  async run(steps) {
    const turn = ++this.turn;
    let [ending, skipping] = ["good", false];
    this.section.dataset.ended = "";
    for (const [name] of steps) this.show(name, "waiting", "");
    for (const [name, take] of steps) {
      if (skipping) {
        this.show(name, "unchecked", this.say("skipped"));
        continue;
      }
      this.show(name, "running", "");
      const [verdict, sentence] = await this.judged(take);
      if (turn !== this.turn) return;
      this.show(name, verdict, sentence);
      if (verdict === "unchecked" && name === "key") ending = "goodServed";
      if (verdict === "failed") [ending, skipping] = ["bad", true];
      if (verdict === "unreachable") [ending, skipping] = ["incomplete", true];
    }
    this.end(ending);
  }

  /** Verdict and sentence of one step. */
  async judged(take) {
    try {
      const result = await take();
      return result instanceof Unchecked ? ["unchecked", result.sentence] : ["passed", result];
    } catch (error) {
      if (error instanceof Unreachable) return ["unreachable", error.message];
      if (error instanceof Differs) return ["failed", error.message];
      if (!(error instanceof ProofError)) throw error;
      return ["failed", said(error)[document.documentElement.lang === "en" ? "en" : "zh"]];
    }
  }

  show(name, verdict, sentence) {
    const step = this.section.querySelector(`[data-step="${name}"]`);
    const shown = verdict === "unreachable" ? "unchecked" : verdict;
    step.className = `step-${shown}`;
    step.querySelector("[data-verdict]").textContent = this.words[shown];
    step.querySelector("[data-said]").textContent = sentence;
  }

  end(ending) {
    const looks = { good: "passed", goodServed: "partial", bad: "failed", incomplete: "partial" };
    const outcome = this.section.querySelector("[data-outcome]");
    outcome.textContent = this.say(ending);
    outcome.parentElement.className = `outcome outcome-${looks[ending]}`;
    this.section.dataset.ended = ending;
  }

  /** The step that finds the log's key: in the visitor's own trust file, else at the service. */
  async takeKey() {
    const own = this.file.files[0];
    if (own) {
      this.key = loadTrust(new Uint8Array(await own.arrayBuffer())).log;
      return this.say("ownKey", { key: this.key.identity });
    }
    this.key = VerifierKey.parse((await this.text("/log/key", this.say("logKey"))).replace(/\n$/, ""));
    return new Unchecked(this.say("servedKey", { key: this.key.identity }));
  }

  /** The step that opens the signed note of a checkpoint; the checkpoint goes to `keep`. */
  async takeCheckpoint(size, keep) {
    const note = await this.text(`/explorer/checkpoints/${size}.note`, this.say("note", { size }));
    const found = openCheckpoint(note, [this.key]);
    if (found.size !== BigInt(size)) throw new Differs(this.say("sizeDiffers", { met: found.size, size }));
    keep(found);
    return this.say("signed", { size, root: hexEncode(found.root) });
  }

  /** Reads hash tiles, each place once at its widest; `tiles` and `bytes` count what was fetched. */
  tileReader() {
    const held = new Map();
    const reader = async (level, number, width) => {
      const place = `${level}/${number}`;
      const known = held.get(place);
      if (known?.width >= width) return known.raw.subarray(0, width * 32);
      const path = tilePath(level, number, width);
      const raw = new Uint8Array(await this.fetched(`/log/${path}`, this.say("tile", { path }), "arrayBuffer"));
      held.set(place, { width, raw });
      reader.tiles += 1;
      reader.bytes += raw.length;
      return raw;
    };
    return Object.assign(reader, { tiles: 0, bytes: 0 });
  }

  text(path, what) {
    return this.fetched(path, what, "text");
  }

  async fetched(path, what, form) {
    let response;
    try {
      response = await fetch(path, { headers: { Accept: "*/*" } });
      if (response.ok) return await response[form]();
    } catch (error) {
      throw new Unreachable(this.say("unreachable", { what, why: error.message }));
    }
    throw new Unreachable(this.say("unreachable", { what, why: `HTTP ${response.status}` }));
  }
}
