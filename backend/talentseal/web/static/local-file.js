// A file that the person chooses or drops, and its digests, computed here: nothing of it is sent anywhere.
"use strict";

/** Let files dropped on a zone go to the file input in it. @param {Element} zone */
export function acceptDrops(zone) {
  const input = zone.querySelector("input[type=file]");
  const over = (is) => (event) => { event.preventDefault(); zone.classList.toggle("over", is); };
  zone.addEventListener("dragover", over(true));
  zone.addEventListener("dragleave", over(false));
  zone.addEventListener("drop", (event) => {
    over(false)(event);
    if (!event.dataTransfer.files.length) return;
    input.files = event.dataTransfer.files;
    input.dispatchEvent(new Event("change", { bubbles: true }));
  });
}

/**
 * Take each file that is chosen, and one that was chosen before this script had come.
 * @param {HTMLInputElement} input @param {(file: File) => void} take
 */
export function onChoice(input, take) {
  const chosen = () => { if (input.files.length) take(input.files[0]); };
  input.addEventListener("change", chosen);
  queueMicrotask(chosen); // once the module that asks is complete
}

/**
 * Digests of a file, computed beside the page so that it stays usable meanwhile.
 * @param {File} file
 * @returns {Promise<{sha256: string, sm3: string, size: number, start: Uint8Array}>} hex, hex, bytes, the first ones
 */
export function digestsOf(file) {
  const worker = new Worker(new URL("./digests-worker.js", import.meta.url), { type: "module" });
  return new Promise((resolve, reject) => {
    worker.addEventListener("message", ({ data }) => resolve(data));
    worker.addEventListener("error", reject);
    worker.postMessage(file);
  }).finally(() => worker.terminate());
}

/**
 * Show one of the messages prepared in a place and hide the others; null hides all.
 * @param {Element} place @param {string | null} name @param {Record<string, string>} [values]
 */
export function say(place, name, values = {}) {
  for (const message of place.querySelectorAll("[data-message]")) {
    message.hidden = message.dataset.message !== name;
    if (message.hidden) continue;
    for (const [key, value] of Object.entries(values)) {
      const shown = message.querySelector(`[data-value="${key}"]`);
      if (shown) shown.textContent = value;
    }
  }
}

/** Show what only works with scripts. */
export function revealScripted() {
  for (const each of document.querySelectorAll("[data-script]")) each.hidden = false;
}
