// What a narrow screen cuts off: answers with one line for each text that cannot be read without scrolling sideways.
(width) => {
  const found = [];
  const root = document.documentElement;
  if (root.scrollWidth > width) found.push(`the page is ${root.scrollWidth} px wide`);
  const scrolls = (element) => ["auto", "scroll"].includes(getComputedStyle(element).overflowX);
  const isHiddenOnPurpose = (element, box) => box.width <= 1 || box.height <= 1 || box.right <= 0 || box.bottom <= 0 ||
    !element.checkVisibility({ visibilityProperty: true, opacityProperty: true });
  const name = (element) => element.localName + (element.id ? `#${element.id}` : "") + [...element.classList].map((each) => `.${each}`).join("") +
    ` "${element.textContent.trim().replace(/\s+/g, " ").slice(0, 50)}"`;
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const seen = new Set();
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement;
    if (!walker.currentNode.data.trim() || seen.has(element)) continue;
    seen.add(element);
    const range = document.createRange();
    range.selectNodeContents(walker.currentNode);
    const box = range.getBoundingClientRect();
    if (isHiddenOnPurpose(element, element.getBoundingClientRect()) || isHiddenOnPurpose(element, box)) continue;
    let cut = box.right > width + 1 || box.left < -1;
    let scrollable = false;
    for (let each = element; each && each !== document.body; each = each.parentElement) {
      if (scrolls(each)) { scrollable = true; break; }
      const style = getComputedStyle(each);
      const around = each.getBoundingClientRect();
      if (style.overflowX !== "visible" && (box.right > around.right + 1 || box.left < around.left - 1)) cut = true;
      if (["hidden", "clip"].includes(style.overflowY) && box.bottom > around.bottom + 1) cut = true;
    }
    // A table of data may scroll within its own frame (WCAG 1.4.10); the page around it may not.
    if (cut && !scrollable) found.push(`cut off: ${name(element)}`);
  }
  return found;
}
