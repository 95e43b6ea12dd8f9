// The page's data: rows as Python wrote them, into arrays that sort and filter quickly.
// Names of files and labels are untrusted: they are only ever inserted by textContent.

const page = readJson("page");
const labels = page.labels;
const dimensions = page.dimensions ?? [];

function readJson(id) {
  const island = document.getElementById(id);
  return island === null ? null : JSON.parse(island.textContent);
}

const rows = [];

// A row is [path, status, label's place or -1, [probabilities], seconds, [flags], error, media,
// and with a manifest [its own cells], and with dimensions [their numbers]]. A path that cannot be shown as it is comes as two: as it is
// shown and as tables have it.
async function readRows() {
  for (const island of document.querySelectorAll("script.rows")) {
    for (const cells of JSON.parse(island.textContent)) rows.push(toRow(cells, rows.length));
    island.remove(); // its text would lie in memory twice
    await breath();
  }
}

// Lets the browser draw and answer before more work is done.
function breath() {
  return new Promise((resolve) => setTimeout(resolve));
}

function toRow(cells, index) {
  const [paths, status, label, probabilities, seconds, flags, error, media, kept = [],
    numbers = []] = cells;
  const [path, raw] = typeof paths === "string" ? [paths, paths] : paths;
  const slash = path.lastIndexOf("/");
  const remarks = [...flags, ...(error === "" ? [] : [error])].join(" · ");
  return {
    index, path, raw, status, label, probabilities, seconds, flags, error, media, kept, remarks,
    numbers,
    name: path.slice(slash + 1),
    folder: path.slice(0, slash + 1),
    confidence: probabilities.length ? Math.max(...probabilities) : null,
    text: searchable([path, remarks, ...kept].join("\n")),
  };
}

// Text as it is searched: names that come from a Mac have "ü" as two characters, typed it is one.
function searchable(text) {
  return text.normalize("NFC").toLowerCase();
}

// Flags that say not to trust a label, as docs/schema.md has them.
const doubts = {
  speechless: "little or no speech",
  clipped: "clipped: recorded too loud",
  narrow_band: "no sound above 4 kHz, as on the telephone",
  noisy: "background noise or other voices",
  incomplete: "the file is cut off or damaged, or more may follow what was read",
};

// Flags that say what was found, where the label counts as any other does.
const findings = {
  cancelling: "channels cancel each other: the loudest one is labelled",
  one_channel: "most channels have no speech: the loudest one is labelled",
  dc_offset: "a constant offset was removed",
  vanished: "the file was no longer there when the table was updated",
};

const statusNames = {
  ok: "labelled", uncertain: "uncertain", silent: "silent", too_short: "too short", failed: "failed",
};

function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children); // strings become text, never markup
  return made;
}

function svg(name, attributes = {}, ...children) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

function colour(label) {
  return label < 0 ? "unsure" : "c" + (label % 8);
}

function count(number) {
  return number.toLocaleString("en");
}

function percent(share) {
  return share === null ? "" : Math.round(100 * share) + " %";
}

function clock(seconds) {
  if (seconds === null) return "";
  if (seconds < 60) return seconds.toFixed(1) + " s";
  const whole = Math.round(seconds);
  const hours = Math.floor(whole / 3600), minutes = Math.floor(whole / 60) % 60;
  const rest = String(whole % 60).padStart(2, "0");
  return hours ? hours + ":" + String(minutes).padStart(2, "0") + ":" + rest : minutes + ":" + rest;
}

function level(share, label) {
  const filled = element("i");
  filled.style.width = 100 * share + "%";
  return element("span", { class: "level " + colour(label), "aria-hidden": "true" }, filled);
}
