"use strict";
const spans = [...document.querySelectorAll(".span")];
const head = (span) => span.querySelector("summary");
const all = [...document.querySelectorAll("details")];
let closed = [];

function current() {
  const at = document.activeElement && document.activeElement.closest(".span");
  if (at) return spans.indexOf(at);
  const top = spans.findIndex((s) => s.getBoundingClientRect().bottom > 0);
  return top - 1;
}

function reveal(inside) {
  const branch = inside && inside.closest(".branch");
  if (branch) branch.open = true;
}

function go(step, wanted) {
  for (let i = current() + step; i >= 0 && i < spans.length; i += step) {
    if (wanted(spans[i])) {
      reveal(spans[i]);
      head(spans[i]).focus({ focusVisible: true, preventScroll: true });
      spans[i].scrollIntoView({ block: "nearest" });
      return;
    }
  }
}

const keys = {
  j: () => go(1, () => true),
  k: () => go(-1, () => true),
  n: () => go(1, (s) => s.classList.contains("marked")),
  p: () => go(-1, (s) => s.classList.contains("marked")),
  e: () => all.forEach((d) => (d.open = true)),
  c: () => spans.forEach((d) => (d.open = false)),
};

addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const key = keys[event.key];
  if (key) {
    event.preventDefault();
    key();
  }
});
addEventListener("hashchange", () => reveal(document.getElementById(location.hash.slice(1))));
addEventListener("beforeprint", () => {
  closed = all.filter((d) => !d.open);
  closed.forEach((d) => (d.open = true));
});
addEventListener("afterprint", () => closed.forEach((d) => (d.open = false)));
