// The table holds only the rows in sight, so that a hundred thousand scroll like ten.

const ROW_HEIGHT = 40; // px, as in page.css
const MARGIN = 10; // rows above and below what is in sight

const scroller = document.getElementById("scroll");
const table = document.getElementById("table");
const body = table.tBodies[0];
const above = spacer(), below = spacer();
const pool = []; // rows of the page, used again and again

let order = []; // what the filters leave, sorted
let chosen = -1; // place in `order`
let sorting = { key: "file", descending: false };

const keys = {
  file: (row) => row.index, // rows come sorted by path
  label: (row) => (row.label < 0 ? null : row.label),
  confidence: (row) => row.confidence,
  duration: (row) => row.seconds,
  remarks: (row) => (row.remarks === "" ? null : row.remarks),
};

function spacer() {
  const row = element("tr", { class: "space", "aria-hidden": "true" }, element("td", { colspan: 3 }));
  row.hidden = true;
  return row;
}

function compare(a, b) {
  const x = a.sortKey, y = b.sortKey;
  if (x === y) return a.index - b.index;
  if (x === null || y === null) return x === null ? 1 : -1; // what is absent comes last
  return (x < y) !== sorting.descending ? -1 : 1;
}

function sortBy(key) {
  // The largest first.
  const first = key === "confidence" || key === "duration" || key.startsWith("number ");
  setSorting(key, sorting.key === key ? !sorting.descending : first);
  arrange(order);
}

function setSorting(key, descending) {
  sorting = { key, descending };
  for (const head of table.tHead.rows[0].cells) {
    if (head.dataset.key !== key) head.removeAttribute("aria-sort");
    else head.setAttribute("aria-sort", descending ? "descending" : "ascending");
  }
}

// Shows these rows, sorted; the clip in view is the chosen one if it is among them.
function arrange(some) {
  for (const row of rows) row.sortKey = keys[sorting.key](row);
  order = some.slice().sort(compare);
  chosen = order.indexOf(inView);
  table.setAttribute("aria-rowcount", order.length + 1);
  scroller.scrollTop = 0;
  render();
}

function render() {
  const inSight = Math.ceil(scroller.clientHeight / ROW_HEIGHT) + 2 * MARGIN;
  const first = Math.max(0, Math.floor(scroller.scrollTop / ROW_HEIGHT) - MARGIN);
  const start = Math.max(0, Math.min(first, order.length - inSight));
  const number = Math.min(inSight, order.length - start);
  while (pool.length < number) pool.push(blankRow());
  setHeight(above, start);
  setHeight(below, order.length - start - number);
  const drawn = pool.slice(0, number);
  drawn.forEach((row, i) => fill(row, start + i));
  // Tab leads to the chosen row or, where that is not drawn, to the first in sight.
  const stop = drawn.some((row) => row.place === chosen) ? chosen
    : Math.ceil(scroller.scrollTop / ROW_HEIGHT);
  for (const row of drawn) row.parts.open.tabIndex = row.place === stop ? 0 : -1;
  const wanted = [above, ...drawn, below];
  if (body.rows.length !== wanted.length) body.replaceChildren(...wanted);
}

function setHeight(space, places) {
  space.hidden = places === 0;
  space.cells[0].style.height = places * ROW_HEIGHT + "px";
}

function blankRow() {
  const name = element("bdi"), folder = element("bdi", { class: "folder" });
  const open = element("button", { type: "button", class: "open", tabindex: "-1" }, name, folder);
  const dot = element("span", { class: "dot", "aria-hidden": "true" }), label = element("bdi");
  const filled = element("i");
  const bar = element("span", { class: "level", "aria-hidden": "true" }, filled);
  const share = element("span");
  const remarks = element("bdi"), duration = element("td", { class: "number" });
  const numbers = dimensions.map(() => element("td", { class: "number" }));
  const answer = [element("td", {}, dot, label), element("td", {}, bar, share)];
  const row = element(
    "tr", { class: "row" },
    element("td", {}, open), ...(numeric ? [] : answer), ...numbers, duration,
    element("td", {}, remarks),
  );
  row.parts = { name, folder, open, dot, label, filled, bar, share, numbers, duration, remarks };
  return row;
}

function fill(element, place) {
  const row = order[place], parts = element.parts;
  element.place = place;
  element.setAttribute("aria-rowindex", place + 2);
  element.className = "row" + (place === chosen ? " chosen" : "");
  parts.name.textContent = row.name;
  parts.folder.textContent = row.folder === "" ? "" : "  " + row.folder;
  parts.open.title = row.path;
  if (place === chosen) parts.open.setAttribute("aria-current", "true");
  else parts.open.removeAttribute("aria-current");
  const yours = reviewed.get(row.index)?.label, model = row.label < 0 ? statusNames[row.status]
    : labels[row.label];
  parts.dot.className = "dot " + colour(yours ? choices.indexOf(yours) : row.label);
  parts.label.textContent = yours ?? model;
  parts.label.className = yours ? "mine" : row.status === "failed" ? "bad"
    : row.label < 0 ? "muted" : "";
  parts.label.parentElement.title = yours ? `yours: ${yours}, the model's: ${model}` : "";
  parts.bar.className = "level " + colour(row.label);
  parts.bar.style.visibility = row.confidence === null ? "hidden" : "visible";
  parts.filled.style.width = 100 * (row.confidence ?? 0) + "%";
  parts.share.textContent = percent(row.confidence);
  parts.numbers.forEach((cell, i) => { cell.textContent = number(row.numbers[i]); });
  parts.duration.textContent = clock(row.seconds);
  parts.remarks.textContent = row.remarks;
  parts.remarks.parentElement.title = row.remarks;
}

// Chooses a row by its place, brings it into sight and shows it in full.
function choose(place, focus) {
  if (!order.length) return;
  chosen = Math.max(0, Math.min(place, order.length - 1));
  const top = chosen * ROW_HEIGHT, head = table.tHead.offsetHeight;
  const room = scroller.clientHeight - head - ROW_HEIGHT;
  if (top < scroller.scrollTop) scroller.scrollTop = top;
  else if (top > scroller.scrollTop + room) scroller.scrollTop = top - room;
  render();
  if (focus) pool.find((row) => row.place === chosen && row.isConnected).parts.open.focus();
  showClip(order[chosen]);
}

function onRowKey(event) {
  if (!event.target.closest("tbody") || event.ctrlKey || event.metaKey || event.altKey) return;
  const place = event.target.closest("tr").place;
  const page = Math.max(1, Math.floor(scroller.clientHeight / ROW_HEIGHT) - 2);
  const to = {
    ArrowDown: place + 1, ArrowUp: place - 1, PageDown: place + page, PageUp: place - page,
    Home: 0, End: order.length - 1,
  }[event.key];
  if (to === undefined) return;
  event.preventDefault();
  choose(to, true);
}

let renderAsked = false;
scroller.addEventListener("scroll", () => {
  if (renderAsked) return;
  renderAsked = true;
  requestAnimationFrame(() => { renderAsked = false; render(); });
});
new ResizeObserver(() => render()).observe(scroller);
body.addEventListener("click", (event) => {
  const row = event.target.closest("tr.row");
  if (row) choose(row.place, true);
});
table.addEventListener("keydown", onRowKey);
for (const head of table.tHead.rows[0].cells) {
  head.firstElementChild.addEventListener("click", () => sortBy(head.dataset.key));
}
