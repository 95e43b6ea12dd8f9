// Puts the page together.

function runFacts() {
  const run = readJson("run") ?? {};
  const shown = [`${count(rows.length)} ${rows.length === 1 ? "clip" : "clips"}`];
  if (run.model) shown.push("model " + run.model);
  if (run.started) shown.push(run.started.slice(0, 10));
  document.getElementById("subtitle").textContent = shown.join(" · ");
  for (const [name, value] of Object.entries(run)) {
    const text = typeof value === "string" ? value : JSON.stringify(value);
    document.getElementById("run-facts").append(
      element("dt", {}, name.replaceAll("_", " ")), element("dd", {}, text));
  }
}

function themeSwitch() {
  const button = document.getElementById("theme"), root = document.documentElement;
  const system = matchMedia("(prefers-color-scheme: dark)");
  const isDark = () => (root.dataset.theme ?? (system.matches ? "dark" : "light")) === "dark";
  const say = () => { button.textContent = isDark() ? "Light" : "Dark"; };
  button.setAttribute("title", "Switch between dark and light");
  button.addEventListener("click", () => {
    root.dataset.theme = isDark() ? "light" : "dark";
    say();
  });
  system.addEventListener("change", say);
  say();
}

async function start() {
  themeSwitch();
  await readRows();
  restore();
  prepareNumbers();
  const charts = numeric ? [scatter, numberChart] : [labelChart, confidenceChart];
  for (const draw of [runFacts, fillFilters, figures, ...charts]) {
    draw();
    await breath();
  }
  scroller.style.setProperty("--rows", Math.max(3, rows.length)); // few rows need little room
  scroller.style.setProperty("--dimensions", dimensions.length);
  setSorting("file", false);
  applyFilters();
  await breath();
  choose(0, false);
  document.documentElement.dataset.ready = ""; // for those who wait for it
}

start();
