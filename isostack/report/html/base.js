"use strict";
(() => {
  document.documentElement.classList.add("script");

  // What is folded is printed too, but for long lists.
  let opened = [];
  addEventListener("beforeprint", () => {
    const folded = [...document.querySelectorAll("details:not([open], .long)")];
    for (const each of folded) each.open = true;
    opened.push(...folded);
  });
  addEventListener("afterprint", () => {
    for (const each of opened) each.open = false;
    opened = [];
  });
})();
