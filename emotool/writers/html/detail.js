// One clip in full: its sound, its spectrogram under the model's evidence, its probabilities.
// Sounds and pictures lie in the page, or in a folder beside it; either way they are taken only
// when a clip is opened.

const detail = document.getElementById("detail");
let evidenceShown = 0.8;
let inView = null; // the row whose clip is shown

function media(row, kind) {
  if (page.folder !== null) {
    return page.folder + "/" + String(row.index).padStart(6, "0") + page.endings[kind];
  }
  const island = document.getElementById("m" + row.index);
  return JSON.parse(island.textContent)[kind];
}

function showClip(row) {
  inView = row;
  const focused = detail.contains(document.activeElement) ? document.activeElement : null;
  const answer = row.label < 0 && row.numbers.length && row.status !== "uncertain"
    ? element("p", { class: "answer" }, element("bdi", {}, spelled(row.numbers)))
    : row.label < 0
    ? element("p", { class: "answer " + (row.status === "failed" ? "bad" : "muted") },
      statusNames[row.status])
    : element("p", { class: "answer" },
      element("span", { class: "dot " + colour(row.label), "aria-hidden": "true" }),
      element("bdi", {}, labels[row.label]), " ", percent(row.confidence));
  const parts = [
    element("div", { class: "top" }, element("h2", {}, element("bdi", {}, row.name)), turns()),
    element("p", { class: "muted" }, element("bdi", {}, row.folder)),
    answer,
  ];
  parts.push(...remarks(row));
  if (!numeric) parts.push(...yourLabel(row));
  if (row.media) parts.push(...soundAndPicture(row));
  if (row.confidence !== null) parts.push(element("h3", {}, "Probabilities"), shares(row));
  if (row.numbers.length) parts.push(...numberList(row));
  if (row.media?.windows?.length > 1) {
    if (!numeric) parts.push(...overTime(row));
    parts.push(...numbersOverTime(row));
  }
  if (row.kept.length) parts.push(element("h3", {}, "From the manifest"), fromManifest(row));
  detail.replaceChildren(...parts);
  detail.scrollTop = 0;
  showReview();
  if (focused) (detail.querySelector(`[data-keep="${focused.dataset.keep}"]`) ?? detail).focus();
  if (field("play").checked) detail.querySelector("audio")?.play().catch(() => {});
}

function remarks(row) {
  const doubted = row.flags.filter((flag) => Object.hasOwn(doubts, flag));
  const rest = row.flags.filter((flag) => !doubted.includes(flag))
    .map((flag) => Object.hasOwn(findings, flag) ? findings[flag] : flag);
  if (row.error !== "") rest.push(row.error);
  const made = [];
  if (doubted.length) {
    const why = doubted.map((flag) => doubts[flag]).join("; ");
    const what = numeric ? "numbers" : "label";
    made.push(element("p", { class: "doubt" }, `Doubtful ${what}: ${why}.`));
  }
  if (rest.length) {
    const bad = row.status === "failed" ? "bad" : "muted";
    made.push(element("p", { class: bad }, element("bdi", {}, rest.join(" · "))));
  }
  return made;
}

function turns() {
  const made = element("span", { class: "turn" });
  for (const [text, name, by] of [["←", "Previous clip", -1], ["→", "Next clip", 1]]) {
    const button = element("button", { type: "button", "aria-label": name }, text);
    button.dataset.keep = name;
    button.addEventListener("click", () => move(by));
    made.append(button, " ");
  }
  return made;
}

function soundAndPicture(row) {
  const about = row.media;
  if (about.error) return [element("p", { class: "muted" }, "Cannot be played: " + about.error)];
  const audio = element("audio", { controls: "", preload: "metadata", src: media(row, "sound") });
  audio.setAttribute("aria-label", "Sound of " + row.name);
  const line = element("div", { class: "head" });
  const picture = element("div", { class: "picture" },
    element("img", { src: media(row, "spectrogram"), alt: "Spectrogram of " + row.name }));
  const made = [audio];
  let slider = null;
  if (about.evidence) {
    const map = element("img", { src: media(row, "evidence"), class: "map",
      alt: "Evidence for the label over the spectrogram" });
    map.style.opacity = evidenceShown;
    picture.append(map);
    slider = evidenceSlider(map);
  }
  picture.append(line);
  line.hidden = true;
  made.push(element("div", { class: "plot" }, hertz(), picture, seconds(about.seconds)));
  if (slider) made.push(slider);
  if (about.seconds < row.seconds - 0.5) {
    made.push(element("p", { class: "muted" }, `The first ${clock(about.seconds)} of the clip.`));
  }
  follow(audio, picture, line, about.seconds);
  return made;
}

function evidenceSlider(map) {
  const input = element("input", { type: "range", min: "0", max: "1", step: "0.05" });
  input.value = evidenceShown;
  input.addEventListener("input", () => { evidenceShown = map.style.opacity = input.value; });
  return element("label", { class: "evidence" }, "Evidence", input);
}

function hertz() {
  const made = element("div", { class: "hertz", "aria-hidden": "true" });
  for (const [text, height] of page.ticks) {
    const tick = element("span", {}, text);
    tick.style.bottom = 100 * height + "%";
    made.append(tick);
  }
  return made;
}

function seconds(length) {
  const made = element("div", { class: "seconds", "aria-hidden": "true" });
  const step = [0.5, 1, 2, 5, 10, 20].find((each) => length / each <= 6) ?? 30;
  for (let time = 0; time < length - 0.7 * step; time += step) {
    const tick = element("span", {}, String(time));
    tick.style.left = 100 * time / length + "%";
    made.append(tick);
  }
  const end = element("span", {}, length.toFixed(1) + " s");
  end.style.left = "100%";
  made.append(end);
  return made;
}

// A line moves over the spectrogram with the sound; a click there goes to that moment.
function follow(audio, picture, line, length) {
  let frame = 0; // the one that is asked for: each jump in the sound moves the line, too
  function move() {
    cancelAnimationFrame(frame);
    line.style.left = 100 * Math.min(1, audio.currentTime / length) + "%";
    line.hidden = audio.currentTime === 0;
    if (!audio.paused) frame = requestAnimationFrame(move);
  }
  for (const event of ["play", "seeked", "pause"]) audio.addEventListener(event, move);
  picture.addEventListener("click", (event) => {
    const box = picture.getBoundingClientRect();
    audio.currentTime = length * (event.clientX - box.left) / box.width;
    audio.play().catch(() => {}); // where the browser does not let it, the player remains
  });
}

function shares(row) {
  const made = element("dl", { class: "shares" });
  const places = labels.map((_, place) => place);
  places.sort((a, b) => row.probabilities[b] - row.probabilities[a] || a - b);
  for (const place of places) {
    const share = row.probabilities[place];
    made.append(element("dt", {}, element("bdi", {}, labels[place])),
      element("dd", { class: "bar" }, level(share, place)),
      element("dd", {}, (100 * share).toFixed(1) + " %"));
  }
  return made;
}

function fromManifest(row) {
  const made = element("dl", { class: "kept" });
  page.kept.forEach((name, place) => {
    made.append(element("dt", {}, element("bdi", {}, name)),
      element("dd", {}, element("bdi", {}, row.kept[place])));
  });
  return made;
}

// Each window's probabilities as steps over time.
function overTime(row) {
  const { windows, seconds: length, window: size } = row.media;
  const width = 400, height = 90;
  const drawing = svg("svg", { viewBox: `0 -4 ${width} ${height + 22}`, role: "img",
    "aria-label": "Probabilities over time" });
  for (const share of [0, 0.5, 1]) {
    const y = height * (1 - share);
    drawing.append(svg("line", { class: "axis", x1: 0, x2: width, y1: y, y2: y }));
  }
  labels.forEach((_, place) => {
    let path = "";
    for (const [start, ...each] of windows) {
      const y = height * (1 - each[place]), end = Math.min(length, start + size);
      path += `M${width * start / length} ${y}H${width * end / length}`;
    }
    drawing.append(svg("path", { class: "stroke " + colour(place), d: path }));
  });
  drawing.append(svg("text", { x: 0, y: height + 15 }, "0 s"),
    svg("text", { x: width, y: height + 15, "text-anchor": "end" }, clock(length)));
  return [element("h3", {}, "Probabilities over time"), drawing];
}
