// Tabler takes its colours from this attribute. Set before the first paint, and again when the person's system changes.
"use strict";
const dark = window.matchMedia("(prefers-color-scheme: dark)");
const apply = () => document.documentElement.setAttribute("data-bs-theme", dark.matches ? "dark" : "light");
apply();
dark.addEventListener("change", apply);
