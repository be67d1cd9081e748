// The page as a whole: filters, counts, corrections, light and dark, and the keyboard.

const KEY = `astroclf-report-${document.documentElement.dataset.report}`;
const SELECTS = ["group", "instrument", "filter", "label"];
const byId = (id) => document.getElementById(id);
const counted = (number, noun) => `${number.toLocaleString("en")} ${noun}${number === 1 ? "" : "s"}`;

function refresh({ keepPlace = false } = {}) {
  const { shown, counts, bars: parts } = filterRows();
  if (!keepPlace) view.current = 0;
  showRows(shown);
  showOnSky(shown);
  showClasses(counts.class, parts);
  showStatuses(counts.status);
  for (const name of SELECTS) showSelect(name, counts[name]);
  showTools(shown.length);
  showCorrections();
  saveHash();
}

function showClasses(counts, parts) {
  const names = new Set([...CLASSES.keys(), ...ROWS.map(classOf)].filter((name) => ROWS.some((row) => classOf(row) === name)));
  const most = Math.max(1, ...counts.values());
  byId("classes").replaceChildren(...[...names].map((name) => classButton(name, counts.get(name) ?? 0, most, parts)));
}

function classButton(name, count, most, parts) {
  const track = element("span", { className: "track" });
  for (const status of STATUSES.keys()) {
    const part = parts.get(`${name}\n${status}`);
    if (!part) continue;
    const bar = element("span", { className: `bar status-${status}`, title: `${status}: ${part}` });
    bar.style.width = `${(100 * part) / most}%`;
    track.append(bar);
  }
  const label = bdi(words(name), "class-name");
  return toggle("class", name, element("button", { type: "button" }, label, track, element("span", { className: "number" }, count.toLocaleString("en"))));
}

function showStatuses(counts) {
  const present = [...STATUSES.values()].filter(({ name }) => ROWS.some((row) => row.status === name));
  byId("statuses").replaceChildren(...present.map((status) => statusButton(status, counts.get(status.name) ?? 0)));
}

function statusButton({ name, sign, reason }, count) {
  const mark = element("span", { className: "sign", ariaHidden: "true" }, sign);
  const number = element("span", { className: "number" }, count.toLocaleString("en"));
  return toggle("status", name, element("button", { type: "button", className: `chip status-${name}`, title: reason }, mark, statusWords(name), number));
}

function toggle(filter, value, button) {
  button.setAttribute("aria-pressed", state[filter].includes(value));
  button.dataset.value = value;
  button.addEventListener("click", () => {
    const chosen = state[filter];
    state[filter] = chosen.includes(value) ? chosen.filter((other) => other !== value) : [...chosen, value];
    refresh();
    [...byId(filter === "class" ? "classes" : "statuses").children].find((other) => other.dataset.value === value)?.focus();
  });
  return button;
}

// The value of an option is "=" and the text, so that no text of a header can mean "all".
function showSelect(name, counts) {
  const select = byId(`filter-${name}`);
  const { value } = FILTERS.find((filter) => filter.name === name);
  const values = [...new Set(ROWS.map(value))].sort(collator.compare);
  const shown = (text) => (name === "group" && text ? words(text) : text || "unknown");
  const options = values.map((text) => new Option(`${shown(text)} (${(counts.get(text) ?? 0).toLocaleString("en")})`, `=${text}`));
  select.replaceChildren(new Option("all", ""), ...options);
  select.value = state[name] === ANY ? "" : `=${state[name]}`;
  select.closest("label").hidden = values.length < 2 && state[name] === ANY;
}

function showTools(count) {
  setValue("search", state.q);
  setValue("min", state.min);
  setValue("max", state.max);
  byId("sort").value = state.sort;
  const up = state.order === "up";
  byId("order").textContent = up ? "↑" : "↓";
  byId("order").setAttribute("aria-label", up ? "Order: ascending" : "Order: descending");
  byId("order").title = up ? "ascending" : "descending";
  byId("count").textContent = `${count.toLocaleString("en")} of ${counted(ROWS.length, "file")}`;
  byId("nothing").hidden = count > 0;
  const active = Object.keys(NOTHING_CHOSEN).filter((name) => JSON.stringify(state[name]) !== JSON.stringify(NOTHING_CHOSEN[name]));
  byId("reset").hidden = active.length === 0;
}

function setValue(id, value) {
  if (document.activeElement !== byId(id)) byId(id).value = value;
}

function showCorrections() {
  byId("corrections").hidden = corrections.size === 0;
  byId("corrections-count").textContent = `${counted(corrections.size, "label")} to write.`;
}

function describe() {
  const telescopes = [...new Set(ROWS.map((row) => row.telescope).filter(Boolean))].sort(collator.compare);
  const days = ROWS.map((row) => row.date?.match(/^\d{4}-\d{2}-\d{2}/)?.[0]).filter(Boolean).sort();
  const parts = [counted(ROWS.length, "file")];
  if (telescopes.length) parts.push(telescopes.length > 3 ? `${telescopes.length} telescopes` : telescopes.join(", "));
  if (days.length) parts.push(days[0] === days.at(-1) ? days[0] : `${days[0]} to ${days.at(-1)}`);
  byId("summary").replaceChildren(...parts.flatMap((part, n) => (n ? ["  ·  ", bdi(part)] : [bdi(part)])));
}

// The list that "astroclf label --from" reads: RFC 4180, names relative to the page.
function toCsv() {
  const by = byId("by").value.trim();
  const lines = [["file", "label", "by"]];
  for (const number of [...corrections.keys()].sort((a, b) => a - b)) lines.push([ROWS[number].file, corrections.get(number), by]);
  return lines.map((cells) => `${cells.map(quoted).join(",")}\r\n`).join("");
}

const quoted = (cell) => (/[",\r\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell);

function download() {
  if (!byId("by").reportValidity()) return;
  const address = URL.createObjectURL(new Blob([toCsv()], { type: "text/csv;charset=utf-8" }));
  element("a", { href: address, download: "corrections.csv" }).click();
  setTimeout(() => URL.revokeObjectURL(address), 60_000);
}

// Browsers may forbid to store anything; the page works without.
function stored(name, value) {
  try {
    if (value === undefined) return localStorage.getItem(name);
    localStorage.setItem(name, value);
  } catch {
    // nothing is remembered
  }
  return null;
}

function saveCorrections() {
  stored(KEY, JSON.stringify([...corrections].map(([number, label]) => [ROWS[number].file, label])));
}

function loadCorrections() {
  const numbers = new Map(ROWS.map((row) => [row.file, row.number]));
  try {
    for (const [file, label] of JSON.parse(stored(KEY) ?? "[]")) {
      if (numbers.has(file) && CLASSES.has(label)) corrections.set(numbers.get(file), label);
    }
  } catch {
    // what is stored is not ours
  }
}

function saveHash() {
  const hash = toHash();
  if (hash === location.hash.replace(/^#/, "")) return;
  history.replaceState(null, "", hash ? `#${hash}` : `${location.pathname}${location.search}`);
}

function readHash() {
  fromHash(location.hash);
  const wanted = state.open;
  refresh();
  const row = wanted && ROWS.find((other) => other.file === wanted);
  if (row) openDetails(row);
  else if (dialog.open) dialog.close();
}

const THEMES = { "": "◐ Auto", light: "☀ Light", dark: "☾ Dark" };

function showTheme(name) {
  const theme = Object.hasOwn(THEMES, name) ? name : "";
  if (theme) document.documentElement.dataset.theme = theme;
  else delete document.documentElement.dataset.theme;
  byId("theme").textContent = THEMES[theme];
  byId("theme").setAttribute("aria-label", `Colours: ${THEMES[theme].slice(2)}`);
}

function nextTheme() {
  const names = Object.keys(THEMES);
  const next = names[(names.indexOf(document.documentElement.dataset.theme ?? "") + 1) % names.length];
  stored("astroclf-report-theme", next);
  showTheme(next);
}

function wire() {
  byId("search").addEventListener("input", (event) => choose({ q: event.target.value }));
  for (const name of SELECTS) byId(`filter-${name}`).addEventListener("change", ({ target }) => choose({ [name]: target.value ? target.value.slice(1) : ANY }));
  byId("min").addEventListener("input", ({ target }) => choose({ min: toPercent(target.value, 0) }));
  byId("max").addEventListener("input", ({ target }) => choose({ max: toPercent(target.value, 100) }));
  byId("sort").append(...Object.entries(SORTS).map(([name, sort]) => new Option(sort.words, name)));
  byId("sort").addEventListener("change", ({ target }) => choose({ sort: target.value }));
  byId("order").addEventListener("click", () => choose({ order: state.order === "up" ? "down" : "up" }));
  byId("reset").addEventListener("click", () => choose(structuredClone(NOTHING_CHOSEN)));
  byId("more").addEventListener("click", ({ currentTarget }) => {
    currentTarget.setAttribute("aria-expanded", currentTarget.getAttribute("aria-expanded") !== "true");
  });
  byId("theme").addEventListener("click", nextTheme);
  byId("download").addEventListener("click", download);
  byId("discard").addEventListener("click", discard);
  byId("by").addEventListener("change", ({ target }) => stored("astroclf-report-by", target.value));
  window.addEventListener("hashchange", readHash);
  document.addEventListener("keydown", shortcut);
}

function choose(choice) {
  Object.assign(state, choice);
  refresh();
}

function discard() {
  if (!window.confirm(`Discard ${counted(corrections.size, "label")}?`)) return;
  corrections.clear();
  saveCorrections();
  refresh({ keepPlace: true });
}

function shortcut(event) {
  if (dialog.open || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === "/" && !isTyping(event.target)) {
    byId("search").focus();
    byId("search").select();
  } else if (event.key === "Escape" && event.target === byId("search")) {
    byId("search").value = "";
    choose({ q: "" });
  } else if ((event.key === "ArrowDown" || event.key === "Enter") && event.target === byId("search")) {
    focusPlace(0);
  } else return;
  event.preventDefault();
}

describe();
drawSky();
wire();
showTheme(stored("astroclf-report-theme") ?? "");
byId("by").value = stored("astroclf-report-by") ?? "";
loadCorrections();
readHash();
