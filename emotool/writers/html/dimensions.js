// Models that give numbers, such as arousal and valence: their columns, a scatter in which an area
// selects clips, their distribution, and their course over the windows of a clip.

const numeric = labels.length === 0 && dimensions.length > 0; // numbers and no labels
const area = { on: false, x: 0, y: 1, box: [0, 0, 0, 0] }; // what is selected, in numbers

function number(value) {
  return value === undefined ? "" : value.toFixed(3);
}

function spelled(values) {
  return dimensions.map((one, place) => `${one.name} ${number(values[place])}`).join(" · ");
}

// The limits that a dimension is said to have, and wider where numbers lie outside.
function limitsOf(place) {
  const found = rows.filter((row) => row.numbers.length).map((row) => row.numbers[place]);
  const { low = Infinity, high = -Infinity } = dimensions[place];
  const least = found.reduce((a, b) => Math.min(a, b), low);
  const most = found.reduce((a, b) => Math.max(a, b), high);
  return least < most ? [least, most] : [least - 0.5, least + 0.5];
}

function prepareNumbers() {
  if (!dimensions.length) return;
  const heads = table.tHead.rows[0];
  dimensions.forEach((one, place) => {
    const head = element("th", { scope: "col", "data-key": "number " + place, title: one.meaning ?? "" },
      element("button", { type: "button" }, element("bdi", {}, one.name)));
    keys["number " + place] = (row) => row.numbers[place] ?? null;
    heads.insertBefore(head, heads.querySelector("[data-key=duration]"));
  });
  if (!numeric) return;
  for (const key of ["label", "confidence"]) {
    heads.querySelector(`[data-key=${key}]`).remove();
    field(key).parentElement.hidden = true;
  }
  field("review").hidden = true;
  field("keys").checked = false; // no labels, no keys that give them
  field("labels-caption").textContent = "Clips by two dimensions";
  field("confidence-caption").textContent = "Distribution";
}

function isInArea(row) {
  if (!area.on) return true;
  const x = row.numbers[area.x], y = row.numbers[area.y], [left, bottom, right, top] = area.box;
  return x >= left && x <= right && y >= bottom && y <= top;
}

function axisChoice(axis) {
  const select = element("select", { "aria-label": axis === "x" ? "to the right" : "upwards" });
  dimensions.forEach((one, place) => addOption(select, place, one.name));
  select.value = area[axis];
  select.addEventListener("change", () => {
    area[axis] = Number(select.value);
    area.on = false;
    scatter();
    applyFilters();
  });
  return select;
}

// A dot for each clip. Dragging selects those in an area; a click takes the selection back.
function scatter() {
  if (dimensions.length < 2) return numberChart("labels-chart");
  const width = 460, height = 200, foot = 16, across = limitsOf(area.x), up = limitsOf(area.y);
  const toX = (value) => width * (value - across[0]) / (across[1] - across[0]);
  const toY = (value) => height * (1 - (value - up[0]) / (up[1] - up[0]));
  const drawing = svg("svg", { viewBox: `-6 -6 ${width + 12} ${height + foot + 12}`, role: "img",
    class: "scatter", "aria-label": `${count(rows.length)} clips by ${dimensions[area.x].name} and `
      + `${dimensions[area.y].name}. Drag to select an area.` });
  drawing.append(svg("rect", { class: "hit", x: 0, y: 0, width, height }),
    svg("line", { class: "axis", x1: 0, x2: width, y1: height, y2: height }),
    svg("line", { class: "axis", x1: 0, x2: 0, y1: 0, y2: height }));
  let path = ""; // one path for all: a hundred thousand circles would take seconds
  for (const { numbers } of rows) {
    if (numbers.length) path += `M${toX(numbers[area.x]).toFixed(1)} ${toY(numbers[area.y]).toFixed(1)}h0`;
  }
  drawing.append(svg("path", { class: "dots", d: path }),
    svg("text", { x: 0, y: height + 14 }, `${dimensions[area.x].name} ${across[0].toFixed(2)}`),
    svg("text", { x: width, y: height + 14, "text-anchor": "end" }, across[1].toFixed(2)),
    svg("text", { x: 5, y: 9 }, `${dimensions[area.y].name} ${up[1].toFixed(2)}`));
  const frame = svg("rect", { class: "area" });
  drawing.append(frame);
  const toNumbers = ([x, y]) => [across[0] + (across[1] - across[0]) * x / width,
    up[0] + (up[1] - up[0]) * (1 - y / height)];
  selectIn(drawing, frame, (from, to) => {
    const [a, b] = [toNumbers(from), toNumbers(to)];
    area.box = [Math.min(a[0], b[0]), Math.min(a[1], b[1]), Math.max(a[0], b[0]), Math.max(a[1], b[1])];
    area.on = Math.hypot(to[0] - from[0], to[1] - from[1]) > 3;
    applyFilters();
  });
  const choice = dimensions.length > 2
    ? [element("p", { class: "axes" }, axisChoice("x"), " ", axisChoice("y"))] : [];
  field("labels-chart").replaceChildren(...choice, drawing);
}

function selectIn(drawing, frame, done) {
  let from = null;
  const place = (event) => {
    const at = new DOMPoint(event.clientX, event.clientY)
      .matrixTransform(drawing.getScreenCTM().inverse());
    return [at.x, at.y];
  };
  const draw = (to) => {
    frame.setAttribute("x", Math.min(from[0], to[0]));
    frame.setAttribute("y", Math.min(from[1], to[1]));
    frame.setAttribute("width", Math.abs(to[0] - from[0]));
    frame.setAttribute("height", Math.abs(to[1] - from[1]));
  };
  drawing.addEventListener("pointerdown", (event) => {
    from = place(event);
    drawing.setPointerCapture(event.pointerId);
    draw(from);
  });
  drawing.addEventListener("pointermove", (event) => { if (from) draw(place(event)); });
  drawing.addEventListener("pointerup", (event) => {
    if (!from) return;
    const start = from, end = place(event);
    from = null;
    done(start, end);
  });
}

function forgetArea() {
  area.on = false;
  document.querySelector(".area")?.setAttribute("width", 0);
}

// Twenty bars for each dimension.
function numberChart(id = "confidence-chart") {
  const width = 460, bins = 20, height = 56, foot = 16;
  const drawing = svg("svg", { viewBox: `0 0 ${width} ${(height + foot + 14) * dimensions.length}`,
    role: "img", "aria-label": "Distribution of " + dimensions.map((one) => one.name).join(", ") });
  dimensions.forEach((one, place) => {
    const [low, high] = limitsOf(place), numbers = Array(bins).fill(0);
    for (const row of rows) {
      if (!row.numbers.length) continue;
      numbers[Math.min(bins - 1, Math.floor(bins * (row.numbers[place] - low) / (high - low)))]++;
    }
    const most = Math.max(1, ...numbers), top = (height + foot + 14) * place + 14;
    drawing.append(svg("text", { x: 0, y: top - 3 }, one.name));
    numbers.forEach((many, bin) => drawing.append(svg("rect", { class: "fill", x: bin * width / bins + 1,
      width: width / bins - 2, height: height * many / most, y: top + height * (1 - many / most) },
    svg("title", {}, count(many)))));
    drawing.append(
      svg("line", { class: "axis", x1: 0, x2: width, y1: top + height, y2: top + height }),
      svg("text", { x: 0, y: top + height + 13 }, low.toFixed(2)),
      svg("text", { x: width, y: top + height + 13, "text-anchor": "end" }, high.toFixed(2)));
  });
  field(id).replaceChildren(drawing);
}

function numberList(row) {
  const made = element("dl", { class: "shares" });
  dimensions.forEach((one, place) => {
    const [low, high] = limitsOf(place);
    made.append(element("dt", { title: one.meaning ?? "" }, element("bdi", {}, one.name)),
      element("dd", { class: "bar" }, level((row.numbers[place] - low) / (high - low), -1)),
      element("dd", {}, number(row.numbers[place])));
  });
  return [element("h3", {}, "Dimensions"), made];
}

// Each window's numbers as steps over time, a drawing for each dimension.
function numbersOverTime(row) {
  const { windows, seconds: length, window: size } = row.media, width = 400, height = 50;
  return dimensions.flatMap((one, place) => {
    const [low, high] = limitsOf(place);
    const drawing = svg("svg", { viewBox: `0 -4 ${width} ${height + 22}`, role: "img",
      "aria-label": one.name + " over time" });
    let path = "";
    for (const [start, ...each] of windows) {
      const share = Math.max(0, Math.min(1, (each[labels.length + place] - low) / (high - low)));
      path += `M${width * start / length} ${height * (1 - share)}`
        + `H${width * Math.min(length, start + size) / length}`;
    }
    drawing.append(svg("line", { class: "axis", x1: 0, x2: width, y1: height, y2: height }),
      svg("path", { class: "stroke", d: path }), svg("text", { x: 0, y: height + 15 }, "0 s"),
      svg("text", { x: width, y: height + 15, "text-anchor": "end" }, clock(length)));
    return [element("h3", {}, element("bdi", {}, one.name), " over time"), drawing];
  });
}
