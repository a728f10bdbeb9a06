// Answers with one line for each control that is smaller than a finger: `least` CSS px in both directions.
(least) => {
  const CONTROLS = "a[href], button, input:not([type=hidden]), select, textarea, summary, [role=button], [tabindex='0']";
  const name = (element) => `${element.localName}${element.id ? `#${element.id}` : ""}` +
    ` "${(element.innerText || element.value || element.getAttribute("aria-label") || "").trim().slice(0, 40)}"`;
  // A link within a sentence is as high as its line; it may be (WCAG 2.5.8).
  const isInText = (element) => getComputedStyle(element).display === "inline" && element.localName === "a" &&
    [...element.parentElement.childNodes].some((each) => each !== element && each.textContent.trim());
  const area = (element) => {
    const boxes = [element, ...(element.labels ?? [])].map((each) => each.getBoundingClientRect());
    return { width: Math.max(...boxes.map((box) => box.width)), height: Math.max(...boxes.map((box) => box.height)) };
  };
  const isThere = (element) => element.getClientRects().length > 0 && element.getBoundingClientRect().right > 0 &&
    !element.disabled && element.checkVisibility({ visibilityProperty: true, opacityProperty: true });
  return [...document.querySelectorAll(CONTROLS)].filter((each) => isThere(each) && !isInText(each)).flatMap((each) => {
    const { width, height } = area(each);
    const isSmall = width < least - 0.5 || height < least - 0.5;
    return isSmall ? [`${name(each)} is ${Math.round(width)} × ${Math.round(height)} px`] : [];
  });
}
