// The page on which a side signs a rule of suspension: its wallet, or a signature file.
"use strict";
import { onChoice, revealScripted } from "./local-file.js";
import { signText, withWallet } from "./wallet.js";

const form = document.querySelector("form[data-signature]");
const wallet = document.querySelector("[data-wallet]");
if (wallet) {
  const button = wallet.querySelector("[data-sign]");
  button.addEventListener("click", () => withWallet(wallet, button, async () => {
    form.elements.signature.value = await signText(JSON.parse(wallet.dataset.signers), wallet.dataset.statement);
    form.requestSubmit();
  }));
}

const file = document.getElementById("signature-file");
if (file) onChoice(file, async (written) => {
  const text = (await written.text()).trim();
  try {
    form.elements.signature.value = JSON.parse(text).signature ?? text;
  } catch {
    form.elements.signature.value = text;
  }
});
revealScripted();
