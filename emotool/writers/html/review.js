// Labels that a person gives: kept in the browser under the run's identity, downloaded as CSV.

const CANNOT_TELL = "cannot tell";
const LONGEST = 64; // characters of a label, as in a model's metadata
const MOST_LABELS = 40;
const identity = readJson("identity") ?? "";
const storageKey = "emotool review " + identity;
const choices = [...labels]; // keys 1 to 9 give the first nine
let reviewed = new Map(); // by a row's index: { label, when }
let randomOrder = null;

// Rows in an order that looks random and is the same whenever the page is opened.
function shuffled() {
  if (randomOrder !== null) return randomOrder;
  let state = parseInt(identity.slice(0, 8), 16) | 0;
  const random = () => { // mulberry32
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return (mixed ^ (mixed >>> 14)) >>> 0;
  };
  const ranked = rows.map((row) => [random(), row]).filter(([, row]) => row.confidence !== null);
  randomOrder = ranked.sort((a, b) => a[0] - b[0] || a[1].index - b[1].index).map(([, row]) => row);
  return randomOrder;
}

// The rows of the sample that is asked for; null where all are.
function sample() {
  const kind = field("sample").value;
  const number = Math.max(1, Math.floor(Number(field("number").value)) || 1);
  if (kind === "random") return new Set(shuffled().slice(0, number));
  if (kind !== "each") return null;
  const taken = new Map();
  return new Set(shuffled().filter((row) => {
    taken.set(row.label, (taken.get(row.label) ?? 0) + 1);
    return taken.get(row.label) <= number;
  }));
}

function chooseSample() {
  const kind = field("sample").value;
  field("number").parentElement.hidden = kind !== "random" && kind !== "each";
  if (kind === "doubtful") setSorting("confidence", false);
  else if (sorting.key === "confidence" && !sorting.descending) setSorting("file", false);
}

function isLabel(text) {
  return typeof text === "string" && text !== "" && text.length <= LONGEST &&
    text === text.trim() && !/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u.test(text);
}

function addChoice(label) {
  if (choices.includes(label) || choices.length >= MOST_LABELS) return;
  if (label !== CANNOT_TELL && label !== "uncertain" && isLabel(label)) choices.push(label);
}

// What other pages may have put there, too, is checked.
function restore() {
  const found = new Map();
  try {
    const kept = JSON.parse(localStorage.getItem(storageKey) ?? "{}");
    for (const label of kept.labels ?? []) addChoice(label);
    for (const [index, [label, when]] of Object.entries(kept.rows ?? {})) {
      addChoice(label);
      const known = choices.includes(label) || label === CANNOT_TELL;
      const place = Number(index); // NaN of what is no number
      if (rows[place] && known && /^[\d:TZ-]{20}$/.test(when)) found.set(place, { label, when });
    }
  } catch {
    field("unkept").hidden = false;
  }
  reviewed = found;
}

function keep() {
  const kept = Object.fromEntries([...reviewed].map(([i, { label, when }]) => [i, [label, when]]));
  try {
    // Rows by their numbers: other pages can read this, and names of files are nobody's business.
    localStorage.setItem(storageKey, JSON.stringify({ labels: choices, rows: kept }));
  } catch {
    field("unkept").hidden = false;
  }
}

function give(row, label) {
  if (label === null) reviewed.delete(row.index);
  else reviewed.set(row.index, { label, when: new Date().toISOString().slice(0, 19) + "Z" });
  keep();
  showReview();
  announce(`${row.name}: ${label ?? "label removed"}, ${field("progress-text").textContent}`);
}

function announce(text) {
  field("said").textContent = text;
}

// Brings everything that shows labels of the person up to date.
function showReview() {
  const yours = inView && reviewed.get(inView.index)?.label;
  for (const button of detail.querySelectorAll(".yours [aria-pressed]")) {
    button.setAttribute("aria-pressed", String(button.dataset.label === yours));
  }
  for (const button of detail.querySelectorAll(".yours .remove")) button.disabled = !yours;
  showProgress();
  render();
}

function showProgress() {
  let done = 0, changed = 0, undecided = 0;
  for (const row of order) {
    const yours = reviewed.get(row.index);
    if (!yours) continue;
    done++;
    if (yours.label === CANNOT_TELL) undecided++;
    else if (yours.label !== labels[row.label]) changed++;
  }
  const parts = [`${count(done)} of ${count(order.length)} reviewed`];
  if (changed) parts.push(`${count(changed)} changed`);
  if (undecided) parts.push(`${count(undecided)} cannot tell`);
  if (reviewed.size > done) parts.push(`${count(reviewed.size)} in the whole report`);
  field("progress-text").textContent = parts.join(" · ");
  field("progress").max = Math.max(1, order.length);
  field("progress").value = done;
  field("download").disabled = field("forget").disabled = reviewed.size === 0;
}

// The buttons that give the clip in view a label.
function yourLabel(row) {
  const made = element("div", { class: "yours", role: "group", "aria-label": "Your label" });
  const button = (label, key, place) => {
    const one = element("button", { type: "button", "aria-pressed": "false" },
      element("kbd", { "aria-hidden": "true" }, key), " ",
      element("span", { class: "dot " + colour(place), "aria-hidden": "true" }),
      element("bdi", {}, label));
    one.dataset.label = label;
    one.dataset.keep = "label " + place;
    if (key !== "") one.setAttribute("aria-keyshortcuts", key);
    one.addEventListener("click", () => give(row, label));
    made.append(one);
  };
  choices.forEach((label, place) => button(label, place < 9 ? String(place + 1) : "", place));
  button(CANNOT_TELL, "0", -1);
  const remove = element("button", { type: "button", class: "remove" }, "Remove");
  remove.addEventListener("click", () => { give(row, null); detail.focus(); });
  made.append(remove);
  return [element("h3", {}, "Your label"), made, anotherLabel(row)];
}

function anotherLabel(row) {
  const input = element("input", { maxlength: LONGEST, placeholder: "another label",
    "aria-label": "Another label", autocomplete: "off", spellcheck: "false" });
  const made = element("form", { class: "another" }, input,
    element("button", { type: "submit" }, "Add"));
  made.addEventListener("submit", (event) => {
    event.preventDefault();
    const label = input.value.trim();
    addChoice(label);
    if (!choices.includes(label)) {
      announce("This cannot be a label.");
      return;
    }
    const yours = yourLabel(row);
    detail.querySelector(".yours").replaceWith(yours[1]);
    input.value = "";
    give(row, label);
  });
  return made;
}

// Text of a cell that a spreadsheet does not run, as emotool's own tables have it.
function cell(text) {
  const safe = /^[=+\-@\t\r\n\uff1d\uff0b\uff0d\uff20]/.test(text) ? "'" + text : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

function corrections() {
  const speaker = page.kept.findIndex((name) => name.toLowerCase() === "speaker");
  const head = ["path", "label", "correction", "confidence", "when"];
  const lines = [speaker < 0 ? head : [...head, "speaker"]];
  for (const index of [...reviewed.keys()].sort((a, b) => a - b)) {
    const row = rows[index], { label, when } = reviewed.get(index);
    const model = row.label >= 0 ? labels[row.label]
      : row.status === "uncertain" ? "uncertain" : "";
    const line = [cell(row.raw), cell(model), cell(label), row.confidence?.toFixed(6) ?? "", when];
    lines.push(speaker < 0 ? line : [...line, cell(row.kept[speaker])]);
  }
  return lines.map((line) => line.join(",") + "\n").join("");
}

function download() {
  const link = element("a", { download: "corrections.csv" });
  link.href = URL.createObjectURL(new Blob([corrections()], { type: "text/csv" }));
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
  announce(`corrections.csv: ${count(reviewed.size)} rows`);
}

function forget() {
  if (!confirm(`Delete ${count(reviewed.size)} labels of yours from this browser?`)) return;
  reviewed.clear();
  keep();
  showReview();
}

// Moves by clips, also where the focus is not in the table.
function move(by) {
  const place = chosen + by;
  if (!order[place]) return announce(by > 0 ? "last clip" : "first clip");
  const inTable = body.contains(document.activeElement);
  choose(place, inTable);
  const row = order[chosen];
  const label = row.label < 0 ? statusNames[row.status] : labels[row.label];
  if (!inTable) announce(`clip ${count(place + 1)} of ${count(order.length)}: ${row.name}, ${label}`);
}

function onReviewKey(event) {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.target.closest("input:not([type=checkbox]), select, textarea, audio")) return;
  const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
  const row = inView;
  if (by) move(by);
  else if (!row || !field("keys").checked || event.repeat) return;
  else if (event.key === "0") give(row, CANNOT_TELL);
  else if (event.key >= "1" && event.key <= "9" && choices[event.key - 1] !== undefined) {
    give(row, choices[event.key - 1]);
  } else if (event.key === "Backspace" || event.key === "Delete") give(row, null);
  else if (event.key === "p" || event.key === "P") playOrPause();
  else return;
  event.preventDefault();
}

function playOrPause() {
  const audio = detail.querySelector("audio");
  if (audio?.paused) audio.play().catch(() => {});
  else audio?.pause();
}

document.addEventListener("keydown", onReviewKey);
field("download").addEventListener("click", download);
field("forget").addEventListener("click", forget);
field("sample").addEventListener("change", (event) => { chooseSample(); applySoon(event); });
field("number").addEventListener("input", applySoon);
window.addEventListener("storage", (event) => { // another tab with this report
  if (event.key !== storageKey) return;
  restore();
  showReview();
});
