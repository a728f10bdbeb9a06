"use strict";
// The verification page as one file: both languages inside, no service behind it.
import { Desk } from "./desk.js";
import { DeskView } from "./view.js";

const loneDesk = new Desk(null);
const darkness = window.matchMedia("(prefers-color-scheme: dark)");
const paint = () => document.documentElement.setAttribute("data-bs-theme", darkness.matches ? "dark" : "light");

async function speak(language) {
  document.documentElement.lang = language;
  const markup = document.querySelector(`template[data-language="${language}"]`).content.cloneNode(true);
  document.querySelector("[data-place]").replaceChildren(markup);
  document.title = document.querySelector("h1").textContent;
  const loneView = new DeskView(document.querySelector("[data-verifying]"), language, loneDesk);
  document.querySelector("[data-speak]").addEventListener("click", async (event) => {
    await speak(event.currentTarget.dataset.speak);
    document.querySelector("[data-speak]").focus();
  });
  await loneView.refresh({ withFocus: false });
}

paint();
darkness.addEventListener("change", paint);
await speak(navigator.language.startsWith("en") ? "en" : "zh-CN");
