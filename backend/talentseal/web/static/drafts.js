// What is typed into a form marked data-draft is kept in this tab until the form was taken or the person leaves,
// so that a session that ends in the middle loses nothing. Passwords and files are never kept.
const forms = [...document.querySelectorAll("form[data-draft]")];
const keyOf = (form) => `draft:${form.dataset.draft}`;
const kept = (control) => control.name && !["password", "file", "submit", "button"].includes(control.type);

function save(form) {
  const values = [...form.elements].filter(kept).map((control) => ({
    name: control.name,
    value: control.value,
    checked: ["checkbox", "radio"].includes(control.type) ? control.checked : null,
  }));
  sessionStorage.setItem(keyOf(form), JSON.stringify(values));
}

function restore(form) {
  const stored = sessionStorage.getItem(keyOf(form));
  if (stored === null) return;
  const values = JSON.parse(stored);
  // A form that grows rows by script makes room for what was typed before it is filled in.
  form.dispatchEvent(new CustomEvent("draft:restore", { detail: values }));
  const counts = new Map();
  for (const { name, value, checked } of values) {
    const same = [...form.elements].filter((control) => control.name === name && kept(control));
    const control = same[counts.get(name) ?? 0];
    counts.set(name, (counts.get(name) ?? 0) + 1);
    if (!control) continue;
    if (checked === null) control.value = value;
    else control.checked = checked;
  }
  for (const told of form.querySelectorAll("[data-draft-restored]")) told.hidden = false;
  form.dispatchEvent(new CustomEvent("draft:restored"));
}

/** Forget the draft of a form, once the service has taken it. */
export function forget(name) {
  sessionStorage.removeItem(`draft:${name}`);
}

for (const taken of document.querySelectorAll("[data-draft-taken]")) forget(taken.dataset.draftTaken);
for (const form of document.querySelectorAll("form[data-drafts-end]")) {
  form.addEventListener("submit", () => sessionStorage.clear());
}
for (const button of document.querySelectorAll("button[data-draft-clear]")) {
  button.addEventListener("click", () => { forget(button.form.dataset.draft); location.assign(location.href); });
}
// Once all modules of the page have run: a form's own script has to be there to make room.
document.addEventListener("DOMContentLoaded", () => {
  for (const form of forms) {
    restore(form);
    form.addEventListener("input", () => save(form));
    form.addEventListener("change", () => save(form));
  }
});
