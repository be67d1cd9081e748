// The gallery: only the cards on the screen exist, however many files there are.

const gallery = document.getElementById("gallery");
const GAP = 14;
const NARROWEST = 172;
const TEXT_HEIGHT = 92;
const MOST_PRINTED = 500;

const view = { rows: [], cards: new Map(), columns: 1, width: 0, height: 0, current: 0, printing: false };

function element(tag, properties = {}, ...children) {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children.filter((child) => child !== undefined && child !== ""));
  return made;
}

// Text of a header: whatever it holds, it is shown as text and keeps its direction to itself.
function bdi(text, className = "") {
  return element("bdi", { textContent: text, className });
}

function badge(row) {
  const { name, sign, reason } = STATUSES.get(row.status);
  return element("span", { className: `badge status-${name}`, title: reason }, `${sign} ${statusWords(name)}`);
}

function showRows(rows) {
  view.rows = rows;
  view.current = Math.min(view.current, Math.max(0, rows.length - 1));
  clearCards();
  measure();
  draw();
}

function clearCards() {
  gallery.replaceChildren();
  view.cards.clear();
}

function measure() {
  const room = gallery.clientWidth;
  view.measured = room;
  view.columns = Math.max(2, Math.floor((room + GAP) / (NARROWEST + GAP)));
  view.width = (room - GAP * (view.columns - 1)) / view.columns;
  view.height = view.width + TEXT_HEIGHT + GAP;
  gallery.style.height = `${Math.ceil(view.rows.length / view.columns) * view.height}px`;
}

function visibleRange() {
  if (view.printing) return [0, Math.min(view.rows.length, MOST_PRINTED)];
  const top = -gallery.getBoundingClientRect().top;
  const first = Math.floor(top / view.height) - 1;
  const last = Math.ceil((top + window.innerHeight) / view.height) + 1;
  return [Math.max(0, first * view.columns), Math.min(view.rows.length, Math.max(0, last * view.columns))];
}

function draw() {
  const [first, last] = visibleRange();
  const focused = gallery.contains(document.activeElement);
  for (const [place, card] of view.cards) {
    const kept = (place >= first && place < last) || (focused && place === view.current);
    if (!kept) {
      card.remove();
      view.cards.delete(place);
    }
  }
  for (let place = first; place < last; place += 1) if (!view.cards.has(place)) addCard(place);
  setTabStop(first, last);
}

function addCard(place) {
  const card = makeCard(view.rows[place], place);
  const later = [...view.cards.keys()].filter((other) => other > place);
  gallery.insertBefore(card, later.length ? view.cards.get(Math.min(...later)) : null);
  view.cards.set(place, card);
}

function makeCard(row, place) {
  const picture = element("span", { className: "picture" }, thumbnail(row), badge(row));
  if (row.stale) picture.append(element("span", { className: "stale", title: "written for another file" }, "stale"));
  const button = element("button", { type: "button", className: "card", tabIndex: -1 }, picture, caption(row));
  button.addEventListener("click", () => openDetails(row));
  button.addEventListener("focus", () => setCurrent(place));
  button.addEventListener("pointerenter", () => markOnSky(row));
  const item = element("li", {}, button);
  item.setAttribute("aria-setsize", view.rows.length);
  item.setAttribute("aria-posinset", place + 1);
  item.style.width = `${view.width}px`;
  item.style.height = `${view.height - GAP}px`;
  item.style.left = `${(place % view.columns) * (view.width + GAP)}px`;
  item.style.top = `${Math.floor(place / view.columns) * view.height}px`;
  return item;
}

function thumbnail(row) {
  const source = thumbnailOf(row);
  if (!source) return element("span", { className: "placeholder" }, row.error ? "unreadable" : "no picture");
  return element("img", { src: source, alt: "", decoding: "async", draggable: false });
}

function caption(row) {
  const probability = probabilityOf(row);
  const sure = row.prob !== undefined;
  const title = element(
    "span", { className: "card-class" },
    bdi(row.error ? "cannot be read" : words(sure ? row.verdict : row.class ?? UNKNOWN)),
    probability === undefined ? "" : element("span", { className: "number" }, percent(probability)),
  );
  const where = [row.instrument, row.filter].filter(Boolean).join(" · ");
  const lines = [title, bdi(row.target ?? baseName(row), "card-target"), bdi(where || (row.date ?? ""), "card-facts")];
  return element("span", { className: sure ? "caption" : "caption unsure" }, ...lines, labelMark(row));
}

function labelMark(row) {
  const chosen = corrections.get(row.number);
  if (chosen) return element("span", { className: "card-label new" }, `✎ ${words(chosen)}`);
  return row.human ? element("span", { className: "card-label" }, "✎ ", bdi(words(row.human))) : "";
}

function setTabStop(first, last) {
  const stop = view.current >= first && view.current < last ? view.current : first;
  for (const [place, card] of view.cards) card.firstChild.tabIndex = place === stop ? 0 : -1;
}

function setCurrent(place) {
  view.current = place;
  for (const [other, card] of view.cards) card.firstChild.tabIndex = other === place ? 0 : -1;
  markOnSky(view.rows[place]);
}

function focusPlace(place) {
  view.current = Math.min(Math.max(0, place), view.rows.length - 1);
  scrollToPlace(view.current);
  draw();
  view.cards.get(view.current)?.firstChild.focus({ preventScroll: true });
}

function scrollToPlace(place) {
  const top = gallery.getBoundingClientRect().top + Math.floor(place / view.columns) * view.height;
  const free = document.querySelector(".toolbar").getBoundingClientRect();
  const above = getComputedStyle(document.querySelector(".toolbar")).position === "sticky" ? free.height + GAP : GAP;
  const below = window.innerHeight - view.height;
  if (top < above) window.scrollBy(0, top - above);
  else if (top > below) window.scrollBy(0, Math.min(top - below, top - above));
}

const STEPS = {
  ArrowLeft: () => -1, ArrowRight: () => 1, ArrowUp: () => -view.columns, ArrowDown: () => view.columns,
  Home: () => -Infinity, End: () => Infinity,
};

gallery.addEventListener("keydown", (event) => {
  if (!(event.key in STEPS) || event.ctrlKey || event.metaKey || event.altKey) return;
  event.preventDefault();
  const target = view.current + STEPS[event.key]();
  const vertical = event.key === "ArrowUp" || event.key === "ArrowDown";
  if (vertical && (target < 0 || target >= view.rows.length)) return;
  focusPlace(target);
});

let pending = false;
function drawSoon() {
  if (pending) return;
  pending = true;
  requestAnimationFrame(() => {
    pending = false;
    draw();
  });
}

window.addEventListener("scroll", drawSoon, { passive: true });
new ResizeObserver(() => {
  if (view.printing || gallery.clientWidth === view.measured) return;
  const focused = gallery.contains(document.activeElement);
  clearCards();
  measure();
  draw();
  if (focused) focusPlace(view.current);
}).observe(gallery);

window.addEventListener("beforeprint", () => {
  view.printing = true;
  const note = document.getElementById("print-note");
  note.hidden = view.rows.length <= MOST_PRINTED;
  note.textContent = `The first ${MOST_PRINTED} of ${view.rows.length} files are printed.`;
  draw();
});
window.addEventListener("afterprint", () => {
  view.printing = false;
  draw();
});
