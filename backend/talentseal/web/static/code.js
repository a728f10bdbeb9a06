// Shows the code and renews it in good time. Nothing is shown that a counter would refuse: what has run out is taken
// away, and what a page comes back with from the background is not shown before it is known to live.
const desk = document.querySelector("#code");
const token = desk.querySelector("#token");
const blank = desk.querySelector("[data-blank]");
const blankText = desk.querySelector("[data-blank-text]");
const says = desk.querySelector("[data-says]");
const time = desk.querySelector("progress");
const form = desk.querySelector("form");
const button = desk.querySelector("[data-renew]");
const offline = document.querySelector("#offline");
const offlineShown = offline.querySelector("[data-offline-shown]");
const offlineSays = offline.querySelector("[data-offline-says]");
const MARGIN = Number(desk.dataset.margin);
const RETRY = 2000;
/** A phone that nobody has touched for so long goes on renewing nothing: it may lie on a table. */
const UNTOUCHED = 5 * 60_000;

/** How often what is shown without a network is fetched while there is one: it lives ten minutes. */
const STOCK_EVERY = 4 * 60_000;
const STOCK_RETRY = 30_000;

/** When the token runs out and how long it lives, on this device's monotonic clock; null when there is none. */
let live = null;
/** What is to be done next, and when. */
let timer = 0;
let isFetching = false;
let isOffline = false;
let notBefore = 0;
let touched = performance.now();
let lock = null;
/** Tokens for a time without a network, those that live longest first, and the proof; in this page alone. */
let tokens = [];
let proof = null;
/** Which of them is on the screen. */
let put = null;
let stockAfter = 0;

const text = (name, seconds = 0) =>
  document.querySelector(`template[data-text="${name}"]`).content.textContent.replace("SECONDS", seconds);

function say(sentence, isTrouble = false) {
  if (says.textContent !== sentence) says.textContent = sentence;
  says.classList.toggle("trouble", isTrouble);
}

function take() {
  live = null;
  token.replaceChildren();
  blank.hidden = false;
  time.hidden = true;
}

function show(html) {
  token.innerHTML = html;
  const lasts = Number(token.querySelector("[data-lasts]").dataset.lasts);
  live = { ends: performance.now() + lasts, lasts };
  blank.hidden = true;
  time.hidden = false;
  button.textContent = text("renew");
}

async function renew() {
  if (isFetching || performance.now() < notBefore) return;
  isFetching = true;
  const asked = performance.now();
  try {
    const answer = await fetch(form.action, {
      method: "POST",
      headers: { Accept: "*/*", "HX-Request": "true", "HX-Current-URL": location.href },
      signal: AbortSignal.timeout(8000),
    });
    isOffline = false;
    await (answer.ok ? accept(answer, asked) : refuse(answer));
  } catch {
    isOffline = true;
    notBefore = performance.now() + RETRY;
  } finally {
    isFetching = false;
  }
  look();
}

async function accept(answer, asked) {
  show(await answer.text());
  // The server counted from when it answered; to be safe it is taken to have done so when it was asked.
  live.ends -= performance.now() - asked;
}

async function refuse(answer) {
  if (answer.status === 401) {
    take();
    location.assign(answer.headers.get("HX-Redirect"));
  } else if (answer.status === 429 || answer.status === 503) {
    notBefore = performance.now() + 1000 * Number(answer.headers.get("Retry-After") ?? 2);
  } else {
    // The code or the device is no longer what it was: the page says why.
    take();
    location.reload();
  }
}

/** What is kept for a time without a network. It goes when it has run out, whatever becomes of the page. */
async function stockUp() {
  if (performance.now() < stockAfter) return;
  stockAfter = performance.now() + STOCK_RETRY;
  const asked = performance.now();
  try {
    const answer = await fetch("/code/offline", {
      method: "POST",
      headers: { Accept: "*/*", "HX-Request": "true", "HX-Current-URL": location.href },
      signal: AbortSignal.timeout(8000),
    });
    if (!answer.ok) return;
    const met = document.createElement("template");
    met.innerHTML = await answer.text();
    for (const each of met.content.querySelectorAll("template[data-lasts]")) {
      const kept = { content: each.content, ends: asked + Number(each.dataset.lasts) };
      if ("proof" in each.dataset) proof = kept;
      else tokens.unshift(kept);
      setTimeout(drop, kept.ends - performance.now());
    }
    stockAfter = asked + STOCK_EVERY;
  } catch {
    // There is no network just now: what was fetched before stays until it has run out.
  }
}

function drop() {
  const now = performance.now();
  tokens = tokens.filter((each) => each.ends > now);
  if (proof && proof.ends <= now) proof = null;
  if (put && put.ends <= now) putAway();
}

function putAway() {
  put = null;
  offlineShown.replaceChildren();
  offlineSays.textContent = "";
}

/** A token is put on the screen once: whether a counter has taken it cannot be known here. */
function putUp(kind) {
  drop();
  putAway();
  put = kind === "proof" ? proof : tokens.shift() ?? null;
  if (put) {
    offlineShown.replaceChildren(put.content.cloneNode(true));
    offline.scrollIntoView({ block: "start" });
  } else {
    offlineSays.textContent = text("offline-used");
  }
}

function tellOffline(now) {
  const isWanted = isOffline && !live && (put !== null || proof !== null || tokens.length > 0);
  if (!isWanted && !offline.hidden) putAway();
  offline.hidden = !isWanted;
  if (put) offlineSays.textContent = text("offline-left", Math.max(0, Math.ceil((put.ends - now) / 1000)));
}

/** What holds now is shown; called every quarter of a second while the page is seen, and after each answer. */
function look() {
  clearTimeout(timer);
  if (document.hidden) return;
  const now = performance.now();
  const left = live ? live.ends - now : 0;
  if (live && left <= 0) take();
  const isLeft = now - touched > UNTOUCHED;
  if (left <= MARGIN && !isLeft) renew();
  if (left > MARGIN && !isLeft && !isOffline) stockUp();
  if (!live && isLeft) {
    blankText.textContent = text("paused");
    say("");
    putAway();
    offline.hidden = true;
    lock?.release();
    return;
  }
  tell(left, now);
  tellOffline(now);
  timer = setTimeout(look, 250);
}

function tell(left, now) {
  const waits = Math.ceil((notBefore - now) / 1000);
  if (live) {
    const seconds = Math.ceil(left / 1000);
    time.value = Math.max(0, (100 * (left - MARGIN)) / (live.lasts - MARGIN));
    if (isOffline) say(text("offline", seconds), true);
    else if (left > MARGIN) say(text("counting", Math.ceil((left - MARGIN) / 1000)));
  } else {
    blankText.textContent = isOffline ? text("gone") : waits > 0 ? text("waiting", waits) : text("fetching");
    say("");
  }
}

/** The screen stays lit while the code is on it, where the browser can do that. */
async function keepLit() {
  try {
    lock = await navigator.wakeLock?.request("screen");
  } catch {
    // Low battery, or not allowed: the code is shown all the same.
  }
}

function touch() {
  const isPaused = !live && performance.now() - touched > UNTOUCHED;
  touched = performance.now();
  if (isPaused) {
    keepLit();
    look();
  }
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  touch();
  renew();
});
for (const name of ["pointerdown", "keydown"]) addEventListener(name, touch);
addEventListener("online", () => { notBefore = 0; look(); });
offline.addEventListener("click", (event) => {
  const { offline: kind } = event.target.dataset;
  if (kind) {
    putUp(kind);
    look();
  }
});
addEventListener("pagehide", () => {
  take();
  putAway();
  tokens = [];
  proof = null;
  stockAfter = 0;
});
addEventListener("pageshow", look);
document.addEventListener("visibilitychange", () => {
  if (document.hidden && live && live.ends - performance.now() <= MARGIN) take();
  if (!document.hidden) {
    touched = performance.now();
    keepLit();
    look();
  }
});
const first = token.querySelector("[data-lasts]");
if (first) show(token.innerHTML);
keepLit();
look();
