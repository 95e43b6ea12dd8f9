// What is looked for: text, a label, a state, how sure the model was.

const filters = document.getElementById("filters");
const field = (id) => document.getElementById(id);
const steps = [0, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99];

const samples = { "": "all clips", doubtful: "most doubtful first", random: "random sample",
  each: "sample of each label" };
const reviewStates = { open: "not reviewed", done: "reviewed", changed: "changed by you" };

function hasReviewState(row, state) {
  const yours = reviewed.get(row.index)?.label;
  if (state === "changed") return yours !== undefined && yours !== labels[row.label];
  return (yours !== undefined) === (state === "done");
}

function addOption(select, value, text) {
  select.append(element("option", { value }, text));
}

function fillFilters() {
  addOption(field("label"), "", "any");
  labels.forEach((label, place) => addOption(field("label"), place, label));
  addOption(field("status"), "", "all clips");
  for (const [status, name] of Object.entries(statusNames)) {
    const number = rows.reduce((sum, row) => sum + (row.status === status), 0);
    if (number) addOption(field("status"), "is " + status, name + " (" + count(number) + ")");
  }
  for (const flag of [...new Set(rows.flatMap((row) => row.flags))].sort()) {
    addOption(field("status"), "has " + flag, "flag: " + flag);
  }
  for (const [state, text] of Object.entries(reviewStates)) {
    addOption(field("status"), "yours " + state, text);
  }
  for (const [kind, text] of Object.entries(samples)) addOption(field("sample"), kind, text);
  addOption(field("confidence"), "", "any");
  for (const step of steps.slice(1)) {
    addOption(field("confidence"), step, "at least " + percent(step));
  }
  for (const step of [0.6, 0.7, 0.8]) addOption(field("confidence"), -step, "below " + percent(step));
}

function applyFilters() {
  const words = searchable(field("search").value).split(/\s+/).filter(Boolean);
  const label = field("label").value, state = field("status").value;
  const bound = Number(field("confidence").value);
  const flag = state.startsWith("has ") ? state.slice(4) : null;
  const status = state.startsWith("is ") ? state.slice(3) : null;
  const yours = state.startsWith("yours ") ? state.slice(6) : null;
  const drawn = sample();
  const found = rows.filter((row) =>
    (drawn === null || drawn.has(row)) && isInArea(row) &&
    (yours === null || hasReviewState(row, yours)) &&
    (label === "" || row.label === Number(label)) &&
    (status === null || row.status === status) &&
    (flag === null || row.flags.includes(flag)) &&
    (bound === 0 || (row.confidence !== null &&
      (bound > 0 ? row.confidence >= bound : row.confidence < -bound))) &&
    words.every((word) => row.text.includes(word)));
  arrange(found);
  sayMatches();
  showProgress();
}

function sayMatches() {
  const all = rows.length === 1 ? "1 clip" : count(rows.length) + " clips";
  field("matches").textContent = order.length === rows.length ? all
    : order.length === 0 ? "none of " + all : count(order.length) + " of " + all;
}

let waiting = 0;
function applySoon(event) {
  clearTimeout(waiting);
  // A word is typed letter by letter: wait for its end.
  waiting = setTimeout(applyFilters, event.target.type === "search" ? 80 : 0);
}
for (const kind of ["input", "change"]) filters.addEventListener(kind, applySoon); // some send one
filters.addEventListener("reset", () => setTimeout(() => {
  chooseSample();
  forgetArea();
  applyFilters();
}));
filters.addEventListener("submit", (event) => event.preventDefault());
field("search").addEventListener("keydown", (event) => {
  if (event.key !== "ArrowDown") return;
  event.preventDefault();
  choose(0, true);
});
