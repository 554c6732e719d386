"use strict";
(() => {
  const $ = (id) => document.getElementById(id);

  // Filters: a row is shown when it fits all three; its group when one of its rows is.
  const text = $("f-text"), grade = $("f-grade"), stack = $("f-stack"), count = $("f-count");
  const form = text.form;
  const groups = [...document.querySelectorAll("table.wishes tbody")].map((body) => ({
    body,
    fields: Number(body.dataset.fields),
    heading: body.querySelector("th"),
    about: body.querySelector("th").textContent.toLowerCase(),
    rows: [...body.rows].map((row) => ({
      row,
      grade: row.dataset.grade,
      stacks: row.dataset.stacks.split(" "),
      about: [...row.cells].filter((cell) => cell.tagName === "TD").map((cell) => cell.textContent).join(" ").toLowerCase(),
    })),
  }));
  const all = groups.reduce((sum, group) => sum + group.fields, 0);

  function filter() {
    const words = text.value.toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    for (const group of groups) {
      // What comes true in part is shown beside what the other targets make of it.
      const short = group.rows.some((each) => each.grade !== "equal");
      const fitting = group.rows.filter(
        (each) =>
          (!grade.value || (grade.value === "short" ? short : each.grade === grade.value)) &&
          (!stack.value || each.stacks.includes(stack.value)) &&
          words.every((word) => group.about.includes(word) || each.about.includes(word)),
      );
      for (const each of group.rows) each.row.hidden = !fitting.includes(each);
      group.body.hidden = !fitting.length;
      if (!fitting.length) continue;
      // The heading stands in the first row that is shown.
      fitting[0].row.prepend(group.heading);
      group.heading.rowSpan = fitting.length;
      shown += group.fields;
    }
    count.value = `${shown} of ${all} fields`;
    $("f-none").hidden = shown > 0;
  }
  form.addEventListener("input", filter);
  form.addEventListener("submit", (event) => event.preventDefault());
  $("f-all").addEventListener("click", () => {
    text.value = grade.value = stack.value = "";
    filter();
  });
  if (groups.some((group) => group.rows.some((each) => each.grade !== "equal"))) grade.value = "short";
  filter();

  // Pictures: one stop of the Tab key each; arrow keys go through their machines. All pictures show the same machine.
  const rows = $("all-machines").rows;
  const panels = [...document.querySelectorAll(".facts")];
  const pictures = [...document.querySelectorAll(".pictures svg")];
  const tiles = pictures.map((picture) => [...picture.querySelectorAll("[data-m]")]);
  const byNumber = tiles.map((each) => new Map(each.map((tile) => [tile.dataset.m, tile])));
  let current = null;

  function show(number) {
    if (number === current) return;
    for (const map of byNumber) {
      map.get(current)?.setAttribute("aria-selected", "false");
      map.get(number)?.setAttribute("aria-selected", "true");
    }
    current = number;
    const [name, pool, zone, ...there] = rows[Number(number)].cells;
    panels.forEach((panel, i) => {
      const head = document.createElement("b");
      head.textContent = name.textContent;
      const parts = [`pool ${pool.textContent}`, `zone ${zone.textContent}`];
      const cells = there[i].querySelectorAll("span");
      parts.push(...(cells.length ? [...cells].map((cell) => cell.textContent) : ["not on this target"]));
      panel.replaceChildren(head, ...parts.map((part) => Object.assign(document.createElement("span"), { textContent: part })));
    });
  }

  function enter(which, tile) {
    for (const each of tiles[which]) if (each.tabIndex === 0) each.tabIndex = -1;
    tile.tabIndex = 0;
  }

  pictures.forEach((picture, which) => {
    const mine = tiles[which];
    if (!mine.length) return;
    mine[0].tabIndex = 0;
    for (const tile of mine) tile.setAttribute("aria-describedby", panels[which].id);
    // Not on the picture itself: Chromium takes an SVG that listens to focus for a stop of the Tab key.
    const figure = picture.parentElement;
    figure.addEventListener("pointerover", (event) => {
      const tile = event.target.closest("[data-m]");
      if (tile) show(tile.dataset.m);
    });
    figure.addEventListener("focusin", (event) => {
      const tile = event.target.closest("[data-m]");
      if (tile) {
        enter(which, tile);
        show(tile.dataset.m);
      }
    });
    figure.addEventListener("keydown", (event) => {
      const at = mine.indexOf(event.target.closest("[data-m]"));
      const to = { ArrowRight: at + 1, ArrowDown: at + 1, ArrowLeft: at - 1, ArrowUp: at - 1, Home: 0, End: mine.length - 1 }[event.key];
      if (at < 0 || to === undefined) return;
      event.preventDefault();
      mine[Math.min(Math.max(to, 0), mine.length - 1)].focus();
    });
  });
  for (const panel of panels) panel.hidden = false;
  if (rows.length) show("0");
})();
