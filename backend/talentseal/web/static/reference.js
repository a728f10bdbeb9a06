// Finds operations by what is typed. Without it the page is all there.
const search = document.querySelector("#search");
const found = document.querySelector("#found");
const operations = Array.from(document.querySelectorAll("[data-search]"), (element) => ({
  element,
  text: element.dataset.search.toLowerCase(),
}));

function filter() {
  const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
  let count = 0;
  for (const { element, text } of operations) {
    element.hidden = !words.every((word) => text.includes(word));
    count += element.hidden ? 0 : 1;
  }
  for (const group of document.querySelectorAll(".group")) {
    group.hidden = !group.querySelector("[data-search]:not([hidden])");
  }
  document.querySelector(".contents").hidden = words.length > 0;
  found.textContent = found.dataset[words.length ? "some" : "all"].replace("{count}", count);
}

search.parentElement.hidden = false;
search.addEventListener("input", filter);
filter();
