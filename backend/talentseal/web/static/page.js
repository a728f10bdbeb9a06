// What every page may use: copying a value, and a notice that can be put away.
import "./drafts.js";

document.addEventListener("click", async (event) => {
  const copy = event.target.closest("button[data-copy]");
  if (copy) {
    await navigator.clipboard.writeText(copy.dataset.copy);
    const said = copy.querySelector("[data-copied]");
    copy.firstElementChild.hidden = true;
    said.hidden = false;
    setTimeout(() => { said.hidden = true; copy.firstElementChild.hidden = false; }, 2000);
  }
  event.target.closest("[data-put-away]")?.parentElement.remove();
});
