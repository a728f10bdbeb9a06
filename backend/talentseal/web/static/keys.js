// The page of signing keys: the address from a wallet, and the wallet's signature over a challenge.
"use strict";
import { revealScripted } from "./local-file.js";
import { accounts, signText, withWallet } from "./wallet.js";

for (const form of document.querySelectorAll("form[data-prove]")) {
  const button = form.querySelector("[data-wallet-sign]");
  button.addEventListener("click", () => withWallet(form, button, async () => {
    form.elements.signature.value = await signText([form.dataset.signer], form.dataset.challenge);
    form.requestSubmit();
  }));
}

const request = document.querySelector("form[data-request]");
const read = request.querySelector("[data-wallet-address]");
read.addEventListener("click", () => withWallet(request, read, async () => {
  [request.elements.address.value] = await accounts();
  request.elements.address.focus();
}));
revealScripted();
