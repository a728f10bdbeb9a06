// What keyboard.py asks a page: which stops it has, and where the focus is. Installed once per walk.
"use strict";
(() => {
  const STOPS = "a[href], area[href], button, input, select, textarea, summary, iframe, audio[controls], " +
    "video[controls], [contenteditable=''], [contenteditable=true], [tabindex]";
  const AROUND = 3;  // parents whose look may tell of the focus: a field's frame, a tile around a radio button

  const name = (element) => {
    const label = element.labels?.[0]?.innerText;
    const said = (element.getAttribute("aria-label") || element.innerText || label || element.value || "").trim();
    const id = element.id ? `#${element.id}` : "";
    return `${element.localName}${id} "${said.replace(/\s+/g, " ").slice(0, 40)}"`;
  };
  const isInPlay = (element) => !element.disabled && element.type !== "hidden" && element.tabIndex >= 0 &&
    !element.closest("[inert]") && !element.matches("fieldset:disabled *") && element.getClientRects().length > 0 &&
    element.checkVisibility({ visibilityProperty: true, contentVisibilityAuto: true });
  // The arrow keys move within a group of radio buttons: one stop, at the chosen one or the first.
  const isEntry = (element, all) => {
    if (element.type !== "radio" || !element.name) return true;
    const group = all.filter((each) => each.type === "radio" && each.name === element.name && each.form === element.form);
    return element === (group.find((each) => each.checked) ?? group[0]);
  };
  const neighbours = (element) => {
    const found = [element, ...(element.labels ?? [])];
    for (let parent = element.parentElement, n = 0; parent && n < AROUND; parent = parent.parentElement, n++) {
      found.push(parent);
    }
    return found;
  };
  const look = (element) => JSON.stringify(neighbours(element).map((each) => {
    const style = getComputedStyle(each);
    const outline = style.outlineStyle === "none" ? "" : `${style.outlineStyle} ${style.outlineWidth} ${style.outlineColor}`;
    return [outline, style.boxShadow, style.borderColor, style.backgroundColor];
  }));
  const isOnScreen = (element) => [element, ...(element.labels ?? [])].some((each) => {
    const box = each.getBoundingClientRect();
    const left = Math.max(box.left, 0), right = Math.min(box.right, innerWidth);
    const top = Math.max(box.top, 0), bottom = Math.min(box.bottom, innerHeight);
    if (right <= left || bottom <= top) return false;
    const points = [[0.5, 0.5], [0.1, 0.5], [0.9, 0.5], [0.5, 0.1], [0.5, 0.9]];
    return points.some(([x, y]) => {
      const met = document.elementFromPoint(left + (right - left) * x, top + (bottom - top) * y);
      return met && (each.contains(met) || met.contains(each) || element.contains(met));
    });
  });
  const isScroller = (element) => {
    const style = getComputedStyle(element);
    const scrolls = (value) => value === "auto" || value === "scroll";
    return (scrolls(style.overflowX) && element.scrollWidth > element.clientWidth) ||
      (scrolls(style.overflowY) && element.scrollHeight > element.clientHeight);
  };

  const candidates = [...document.querySelectorAll(STOPS)].filter(isInPlay);
  const stops = candidates.filter((element) => isEntry(element, candidates));
  // The walk begins where nothing is focused yet: before the first element of the page.
  const start = document.createElement("span");
  start.tabIndex = -1;
  document.body.prepend(start);
  start.focus({ preventScroll: true });
  const before = stops.map(look);
  start.remove();

  window.__keyboard = {
    stops: stops.map(name),
    // Positive values of tabindex, which break the order in which a page is read.
    ordered: stops.filter((element) => element.tabIndex > 0).map(name),
    here() {
      const element = document.activeElement;
      if (!element || element === document.body || element === document.documentElement) return { kind: "outside" };
      const number = stops.indexOf(element);
      if (number < 0) return { kind: isScroller(element) ? "scroller" : "stranger", name: name(element) };
      return {
        kind: "stop", number, name: name(element),
        shown: look(element) !== before[number] && isOnScreen(element),
        parts: ["date", "time", "datetime-local", "month", "week"].includes(element.type) ||
          element.matches("audio, video, iframe"),
      };
    },
  };
})();
