// The rows of the page: what is known of each file, and which of them the filters let through.

const DATA = JSON.parse(document.getElementById("data").textContent);
const ROWS = DATA.rows;
const STATUSES = new Map(DATA.statuses.map((status) => [status.name, status]));
const ANY = null;
const UNKNOWN = "";

const NOTHING_CHOSEN = {
  q: "", class: [], status: [], group: ANY, instrument: ANY, filter: ANY, label: ANY, min: 0, max: 100,
};
const START = { ...NOTHING_CHOSEN, sort: "file", order: "up", open: "" };
const state = structuredClone(START);

// Labels chosen on this page, by row number.
const corrections = new Map();

const WORDS = new Map(Object.entries(DATA.words));
const words = (name) => (name === UNKNOWN ? "no class" : WORDS.get(name) ?? name);
const statusWords = (name) => ({ none: "no verdict", error: "unreadable" })[name] ?? name;
const shownName = (row) => row.name ?? row.file;
const baseName = (row) => shownName(row).split("/").pop();

function classOf(row) {
  return corrections.get(row.number) ?? row.human ?? row.class ?? UNKNOWN;
}

function labelOf(row) {
  if (corrections.has(row.number)) return "corrected here";
  return row.human ? "labelled by a person" : "no person's label";
}

function percent(probability) {
  if (probability > 0 && probability < 0.005) return "<1%";
  if (probability >= 0.995 && probability < 1) return ">99%";
  return `${Math.round(100 * probability)}%`;
}

// The probability that stands beside a class: that of the verdict where there is one.
const probabilityOf = (row) => row.prob ?? row.classProb;

// Each filter tells the value of a row; those without a value test it themselves.
const FILTERS = [
  { name: "q", test: matchesSearch },
  { name: "class", many: true, value: classOf },
  { name: "status", many: true, value: (row) => row.status },
  { name: "group", value: (row) => row.group ?? UNKNOWN },
  { name: "instrument", value: (row) => row.instrument ?? UNKNOWN },
  { name: "filter", value: (row) => row.filter ?? UNKNOWN },
  { name: "label", value: labelOf },
  { name: "probability", test: matchesProbability },
];

const collator = new Intl.Collator("en", { numeric: true });
const byText = (key) => (a, b) => collator.compare(key(a), key(b));

// Sorting never hides a row: what has no value comes last in either order.
const SORTS = {
  file: { words: "file", key: (row) => row.file, compare: collator.compare },
  target: { words: "target", key: (row) => row.target, compare: collator.compare },
  date: { words: "date", key: (row) => row.date, compare: collator.compare },
  class: { words: "class", key: (row) => classOf(row) || undefined, compare: collator.compare },
  status: { words: "status", key: (row) => [...STATUSES.keys()].indexOf(row.status), compare: (a, b) => a - b },
  probability: { words: "probability", key: probabilityOf, compare: (a, b) => a - b },
};

ROWS.forEach((row, number) => {
  row.number = number;
  row.text = `${row.file}\n${shownName(row)}\n${row.target ?? ""}`.toLowerCase();
});

function matchesSearch(row) {
  return searched().every((word) => row.text.includes(word));
}

function searched() {
  return state.q.toLowerCase().split(/\s+/).filter(Boolean);
}

function matchesProbability(row) {
  if (state.min <= 0 && state.max >= 100) return true;
  const value = probabilityOf(row);
  return value !== undefined && 100 * value >= state.min && 100 * value <= state.max;
}

function makeTest(filter) {
  if (filter.test) return filter.test;
  const wanted = state[filter.name];
  if (filter.many) return wanted.length ? (row) => wanted.includes(filter.value(row)) : () => true;
  return wanted === ANY ? () => true : (row) => filter.value(row) === wanted;
}

// Return the rows that pass all filters, and for each filter how many rows of each value pass all the others.
function filterRows() {
  const tests = FILTERS.map(makeTest);
  const counts = Object.fromEntries(FILTERS.map((filter) => [filter.name, new Map()]));
  const bars = new Map();
  const shown = [];
  for (const row of ROWS) {
    const failed = FILTERS.filter((filter, n) => !tests[n](row));
    if (!failed.length) shown.push(row);
    if (failed.length > 1) continue;
    for (const filter of failed.length ? failed : FILTERS) {
      if (filter.value) increment(counts[filter.name], filter.value(row));
      if (filter.name === "class") increment(bars, `${classOf(row)}\n${row.status}`);
    }
  }
  return { shown: sortRows(shown), counts, bars };
}

function increment(counts, value) {
  counts.set(value, (counts.get(value) ?? 0) + 1);
}

function sortRows(rows) {
  const { key, compare } = SORTS[state.sort];
  const direction = state.order === "down" ? -1 : 1;
  const keys = new Map(rows.map((row) => [row, key(row)]));
  return rows.sort((a, b) => {
    const [first, second] = [keys.get(a), keys.get(b)];
    if (first === undefined || second === undefined) return (first === undefined) - (second === undefined) || a.number - b.number;
    return direction * compare(first, second) || a.number - b.number;
  });
}

// Cards and thumbnails are parsed when a row of their part of the page is first shown.
const parsed = new Map();

function detailsOf(row) {
  const part = Math.floor(row.number / DATA.chunk);
  if (!parsed.has(part)) parsed.set(part, JSON.parse(document.getElementById(`chunk-${part}`).textContent));
  return parsed.get(part)[row.number % DATA.chunk];
}

function thumbnailOf(row) {
  const { thumbnail } = detailsOf(row);
  return thumbnail && `data:image/jpeg;base64,${thumbnail}`;
}

// What is chosen is kept in the address, so that a view can be bookmarked and shared.
function toHash() {
  const pairs = new URLSearchParams();
  for (const [name, value] of Object.entries(state)) {
    for (const one of Array.isArray(value) ? value : [value]) {
      if (one !== START[name]) pairs.append(name, one);
    }
  }
  return pairs.toString();
}

function fromHash(hash) {
  const pairs = new URLSearchParams(hash.replace(/^#/, ""));
  Object.assign(state, structuredClone(START));
  for (const name of ["class", "status"]) state[name] = pairs.getAll(name);
  for (const name of ["q", "group", "instrument", "filter", "label", "open"]) state[name] = pairs.get(name) ?? state[name];
  for (const name of ["min", "max"]) state[name] = toPercent(pairs.get(name), state[name]);
  if (Object.hasOwn(SORTS, pairs.get("sort") ?? "")) state.sort = pairs.get("sort");
  if (pairs.get("order") === "down") state.order = "down";
}

function toPercent(text, otherwise) {
  const value = Number.parseFloat(text);
  return Number.isFinite(value) ? Math.min(100, Math.max(0, value)) : otherwise;
}
