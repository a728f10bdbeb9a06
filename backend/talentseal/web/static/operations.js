// Says so when the figures on the page are no longer fresh.
const stale = document.querySelector("[data-stale]");
for (const name of ["htmx:error", "htmx:response:error"]) {
  document.addEventListener(name, () => { stale.hidden = false; });
}
document.addEventListener("htmx:after:swap", (event) => {
  // A refusal comes here too, though nothing is exchanged for it.
  if (event.detail.ctx.response.status < 400) stale.hidden = true;
});
