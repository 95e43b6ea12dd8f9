// Figures and charts over all clips, as SVG. A bar filters the table by what it stands for.

function figures() {
  const sure = rows.filter((row) => (numeric ? row.numbers.length : row.confidence !== null));
  const seconds = rows.reduce((sum, row) => sum + (row.seconds ?? 0), 0);
  const mean = sure.reduce((sum, row) => sum + row.confidence, 0) / sure.length;
  const shown = [["clips", count(rows.length)], ["of speech", clock(seconds)]];
  if (sure.length && !numeric) shown.push(["mean confidence", percent(mean)]);
  shown.push([numeric ? "without numbers" : "without a label", count(rows.length - sure.length)]);
  for (const [name, value] of shown) {
    field("figures").append(
      element("div", {}, element("dt", {}, name), element("dd", {}, value)));
  }
}

function bar(text, filter, ...shapes) {
  const made = svg("g", { class: "bar", role: "button", tabindex: "0", "aria-label": text },
    svg("title", {}, text), ...shapes);
  made.addEventListener("click", filter);
  made.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" && event.key !== " ") return;
    event.preventDefault();
    filter();
  });
  return made;
}

// Sets a filter, or takes it back. What another bar of the chart has set goes: no clip is both.
function filterBy(id, value, other) {
  field(id).value = field(id).value === String(value) ? "" : value;
  if (!field(other).value.startsWith("has ")) field(other).value = ""; // a flag may well go with it
  applyFilters();
}

// What clips can be called: a label, or uncertain where some are.
function answers() {
  const made = labels.map((label, place) => ({
    name: label, place, filter: () => filterBy("label", place, "status"),
  }));
  if (rows.some((row) => row.status === "uncertain")) {
    const filter = () => filterBy("status", "is uncertain", "label");
    made.push({ name: "uncertain", place: -1, filter });
  }
  for (const answer of made) answer.clips = 0;
  for (const row of rows) {
    if (row.confidence !== null) made.at(row.label).clips++; // uncertain is the last
  }
  return made;
}

function labelChart() {
  const all = answers();
  const height = all.length < 4 ? 38 : 28, left = 92, width = 460, right = 100;
  const middle = height / 2 + 4;
  const total = all.reduce((sum, answer) => sum + answer.clips, 0);
  const most = Math.max(1, ...all.map((answer) => answer.clips));
  const drawing = svg("svg", {
    viewBox: `0 0 ${width} ${height * all.length}`, role: "group",
    "aria-labelledby": "labels-caption",
  });
  all.forEach(({ name, place, clips, filter }, line) => {
    const y = line * height, length = (width - left - right) * clips / most;
    const share = total ? clips / total : 0;
    const short = name.length > 13 ? name.slice(0, 12) + "…" : name;
    drawing.append(bar(
      `${name}: ${count(clips)} clips, ${percent(share)}`,
      filter,
      svg("rect", { class: "hit", x: 0, y, width, height }),
      svg("text", { class: "name", x: left - 10, y: y + middle, "text-anchor": "end" }, short),
      svg("rect", { class: "fill " + colour(place), x: left, y: y + 4, rx: 3,
        width: clips ? Math.max(2, length) : 0, height: height - 8 }),
      svg("text", { x: left + length + 8, y: y + middle },
        `${count(clips)} · ${percent(share)}`)));
  });
  field("labels-chart").append(drawing);
}

// Twenty bars of 5 % each, stacked by label, what is uncertain on top.
function confidenceChart() {
  const bins = 20, width = 460, height = 120, foot = 18;
  const low = labels.length > 1 ? 1 / labels.length : 0; // nothing can be less sure than that
  const places = [...labels.keys(), -1];
  const numbers = Array.from({ length: bins }, () => places.map(() => 0));
  for (const row of rows) {
    if (row.confidence === null) continue;
    const bin = Math.min(bins - 1, Math.max(0, Math.floor(bins * row.confidence)));
    numbers[bin][row.label < 0 ? labels.length : row.label]++;
  }
  const first = Math.min(Math.floor(low * bins),
    Math.max(0, numbers.findIndex((bin) => bin.some(Boolean))));
  const sums = numbers.map((bin) => bin.reduce((sum, number) => sum + number, 0));
  const most = Math.max(1, ...sums), step = width / (bins - first);
  const words = sums.map((sum, bin) => sum ? `${5 * bin} to ${5 * bin + 5} %: ${count(sum)}` : "");
  const drawing = svg("svg", { viewBox: `0 0 ${width} ${height}`, role: "img",
    "aria-label": "Clips by confidence. " + words.filter(Boolean).join("; ") });
  for (let bin = first; bin < bins; bin++) {
    const x = (bin - first) * step;
    let y = height - foot;
    const stack = svg("g", {}, svg("title", {}, words[bin]));
    numbers[bin].forEach((number, line) => {
      const part = (height - foot - 14) * number / most;
      y -= part;
      if (number) stack.append(svg("rect", { class: "fill " + colour(places[line]), x: x + 1, y,
        width: step - 2, height: part }));
    });
    if (sums[bin] === most) {
      stack.append(svg("text", { x: x + step / 2, y: y - 4, "text-anchor": "middle" }, count(most)));
    }
    drawing.append(stack);
    if ((bin - first) % 2 === 0 && bin < bins - 1) {
      drawing.append(svg("text", { x, y: height - 3, "text-anchor": bin === first ? "start" : "middle" },
        5 * bin + " %"));
    }
  }
  drawing.append(svg("line", { class: "axis", x1: 0, x2: width, y1: height - foot, y2: height - foot }),
    svg("text", { x: width, y: height - 3, "text-anchor": "end" }, "100 %"));
  field("confidence-chart").append(drawing);
}
