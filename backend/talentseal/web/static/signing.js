// The page on which a party signs: its own file beside the one submitted, its wallet, or a signature file.
"use strict";
import { acceptDrops, digestsOf, onChoice, revealScripted, say } from "./local-file.js";
import { signTypedData, withWallet } from "./wallet.js";

const form = document.querySelector("form[data-signature]");

const matching = document.querySelector(".matching");
if (matching) {
  acceptDrops(matching.querySelector("[data-dropzone]"));
  onChoice(matching.querySelector("input[type=file]"), async (held) => {
    say(matching, "hashing");
    const found = await digestsOf(held);
    const { sha256, sm3, size } = matching.dataset;
    const same = found.sha256 === sha256 && found.sm3 === sm3 && String(found.size) === size;
    say(matching, same ? "same" : "different");
  });
}

const wallet = document.querySelector("[data-wallet]");
if (wallet) {
  const button = wallet.querySelector("[data-sign]");
  button.addEventListener("click", () => withWallet(wallet, button, async () => {
    const { signer, chain, typed } = wallet.dataset;
    form.elements.signature.value = await signTypedData(signer, Number(chain), JSON.parse(typed));
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
