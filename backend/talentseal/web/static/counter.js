// The counter without a page load: what is scanned, typed, pasted or seen is sent, and the answer takes the place of the
// last one. The input has the focus all the time, so that the next customer can be scanned at once.
import { Scanner, telling } from "./scanning.js";

const form = document.querySelector("#presenting");
const input = form.elements.sent;
const outcome = document.querySelector("#outcome");
const say = telling(form);
const recent = document.querySelector("[data-recent]");
const RECENT = 8;
const ATTEMPTS = 2;
const TRUST_EVERY = 5 * 60_000;

/** What came while another was under way waits its turn. */
let line = Promise.resolve();
/** By what offline proofs are looked at while there is no network, and when it was fetched. */
let trust = null;
/** What was not answered, by the name of its request: sent again under the same, it is not done twice. */
let unanswered = null;

const newName = () =>
  Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");

async function ask(sent, request) {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await fetch(form.action, {
        method: "POST",
        headers: { Accept: "*/*", "HX-Request": "true", "HX-Current-URL": location.href },
        body: new URLSearchParams({ sent, request }),
        signal: AbortSignal.timeout(10_000),
      });
    } catch (error) {
      if (attempt === ATTEMPTS) throw error;
    }
  }
}

async function present(sent) {
  const request = unanswered?.sent === sent ? unanswered.request : newName();
  outcome.classList.add("busy");
  try {
    const answer = await ask(sent, request);
    if (answer.status === 401) location.assign(answer.headers.get("HX-Redirect"));
    if (!answer.ok) throw new Error(String(answer.status));
    show(await answer.text());
    unanswered = null;
    say("");
  } catch {
    if (isProof(sent)) {
      lookAt(sent);
      return;
    }
    unanswered = { sent, request };
    if (!input.value) input.value = sent;
    input.select();
    say("unreachable");
  } finally {
    outcome.classList.remove("busy");
  }
}

const isProof = (sent) => sent.trim().startsWith("TC2:");
const minutesSince = (then) => Math.floor((Date.now() - then) / 60_000);

async function fetchTrust() {
  try {
    const [answer, { verifyProof }] = await Promise.all([
      fetch("/counter/proof-trust", { headers: { Accept: "application/json" } }),
      import("./offline-proofs.js"),
    ]);
    if (answer.ok) trust = { ...(await answer.json()), verifyProof, fetchedAt: Date.now() };
  } catch {
    // What was fetched before is shown with its age.
  }
}

/** Without a network a proof shows its tier, and how old is that by which it was looked at; no name is in it. */
function lookAt(sent) {
  const met = trust?.verifyProof(trust, sent.trim(), Date.now());
  input.value = "";
  if (!met) {
    say("not-looked");
    return;
  }
  say("");
  const shown = document.querySelector("template[data-looked]").content.cloneNode(true);
  const put = (place, values) => {
    const element = shown.querySelector(`[data-${place}]`);
    for (const [name, value] of Object.entries(values)) element.textContent = element.textContent.replace(name, value);
  };
  shown.querySelector("[data-tier]").textContent =
    document.querySelector(`template[data-tier-name="${met.tier}"]`).content.textContent;
  put("issued", { MINUTES: minutesSince(met.issuedAt) });
  put("key", { VERSION: met.keyVersion, DAYS: Math.floor(minutesSince(Date.parse(`${met.keyFirstDay}T00:00+08:00`)) / 1440) });
  put("list", { MINUTES: minutesSince(trust.fetchedAt) });
  outcome.replaceChildren(shown);
}

function show(html) {
  outcome.innerHTML = html;
  const met = outcome.querySelector("template[data-line]");
  if (!met) return;
  const item = document.createElement("li");
  item.append(met.content);
  met.remove();
  const list = recent.querySelector("ol");
  list.prepend(item);
  while (list.children.length > RECENT) list.lastElementChild.remove();
  recent.hidden = false;
}

function send(sent) {
  line = line.then(() => present(sent));
  return line;
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  const sent = input.value;
  input.value = "";
  input.focus();
  if (sent.trim()) send(sent);
});

/** What the customer lets this counter read comes on a click, which he is told of. */
outcome.addEventListener("submit", async (event) => {
  const asked = event.target;
  if (!("fields" in asked.dataset)) return;
  event.preventDefault();
  input.focus();
  try {
    const answer = await fetch(asked.action, {
      method: "POST",
      headers: { Accept: "*/*", "HX-Request": "true", "HX-Current-URL": location.href },
      signal: AbortSignal.timeout(10_000),
    });
    if (answer.status === 401) location.assign(answer.headers.get("HX-Redirect"));
    if (!answer.ok) throw new Error(String(answer.status));
    const met = document.createElement("template");
    met.innerHTML = await answer.text();
    asked.replaceWith(met.content);
    say("");
  } catch {
    say("no-fields");
  }
});

new Scanner(form, send, (trouble) => {
  say(trouble);
  input.focus();
}).listen();
show(outcome.innerHTML);
input.focus();
fetchTrust();
setInterval(fetchTrust, TRUST_EVERY);
