// A wallet as the browser's extensions put it into a page (EIP-1193); what it answers is decided in Python.
"use strict";
(() => {
  const listeners = new Map();
  const of = (event) => listeners.get(event) ?? listeners.set(event, new Set()).get(event);
  const ethereum = {
    async request({ method, params = [] }) {
      const answer = await window.__walletAnswers(method, params);
      if (answer.error) throw Object.assign(new Error(answer.error.message), { code: answer.error.code });
      for (const [event, detail] of answer.events) for (const listener of of(event)) listener(detail);
      return answer.result;
    },
    on(event, listener) { of(event).add(listener); return ethereum; },
    removeListener(event, listener) { of(event).delete(listener); return ethereum; },
  };
  Object.defineProperty(window, "ethereum", { value: ethereum });
})();
