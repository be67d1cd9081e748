// One file in full: the large picture, the verdict, its probabilities, facts and cards, and a person's label.

const dialog = document.getElementById("details");
const CLASSES = new Map(Object.entries(DATA.classes));
const COMMENTS = new Map(Object.entries(DATA.comments));

let opened;

function openDetails(row) {
  opened = row;
  const place = view.rows.indexOf(row);
  if (place >= 0) view.current = place;
  state.open = row.file;
  saveHash();
  fillDetails(row, place);
  if (!dialog.open) dialog.showModal();
}

function fillDetails(row, place) {
  document.getElementById("details-title").textContent = row.target ?? baseName(row);
  const total = view.rows.length.toLocaleString("en");
  document.getElementById("details-place").textContent = place < 0 ? "" : `${(place + 1).toLocaleString("en")} of ${total}`;
  document.getElementById("previous").disabled = place <= 0;
  document.getElementById("next").disabled = place < 0 || place >= view.rows.length - 1;
  const text = element("div", { className: "details-text" });
  text.append(...[verdict(row), bars(row), labelling(row), facts(row), cards(row)].filter(Boolean));
  document.getElementById("details-body").replaceChildren(largePicture(row), text);
}

function step(by) {
  const row = view.rows[view.rows.indexOf(opened) + by];
  if (row) openDetails(row);
}

function largePicture(row) {
  const source = thumbnailOf(row);
  if (!row.picture && !source) return element("div", { className: "large placeholder" }, row.error ? "unreadable" : "no picture");
  const picture = element("img", { src: row.picture ?? source, alt: `Picture of ${shownName(row)}` });
  if (!row.picture) return element("div", { className: "large" }, picture);
  const link = element("a", { className: "large", href: row.picture, target: "_blank", rel: "noopener", title: "Open the annotated picture" });
  crop(link, picture, row.crop);
  picture.addEventListener("error", () => useThumbnail(link, picture, source), { once: true });
  link.append(picture);
  return link;
}

// Of the annotated picture only the image is shown: what stands beside it is on this page in text.
function crop(frame, picture, [left, upper, right, lower, aspect]) {
  const [width, height] = [right - left, lower - upper];
  const shape = (aspect * width) / height;
  frame.classList.add("cropped");
  frame.style.aspectRatio = shape;
  frame.style.maxWidth = `calc((100dvh - 130px) * ${shape})`;
  picture.style.width = `${100 / width}%`;
  picture.style.left = `${(-100 * left) / width}%`;
  picture.style.top = `${(-100 * upper) / height}%`;
}

function useThumbnail(frame, picture, source) {
  frame.classList.remove("cropped");
  frame.removeAttribute("href");
  picture.removeAttribute("style");
  if (source) picture.src = source;
}

function verdict(row) {
  const box = element("div", { className: "verdict" }, element("p", {}, badge(row), ` ${STATUSES.get(row.status).reason}`));
  if (row.error) box.append(element("p", { className: "error" }, bdi(row.error)));
  if (row.verdict !== undefined) {
    const number = row.prob === undefined ? "" : element("span", { className: "number" }, percent(row.prob));
    box.append(element("p", { className: "verdict-class" }, bdi(words(row.verdict)), " ", number));
  }
  if (row.prob === undefined && row.group) {
    box.append(element("p", { className: "muted" }, "best guess: ", bdi(words(row.group)), `, ${percent(row.groupProb ?? 0)}`));
  }
  if (row.stale) box.append(element("p", { className: "muted" }, "Stale: this block was written for another file."));
  return box;
}

function ranked(row) {
  const values = new Map(detailsOf(row).cards ?? []);
  const found = [];
  for (let n = 1; values.has(`CLFLAB${n}`); n += 1) found.push([values.get(`CLFLAB${n}`), values.get(`CLFPRB${n}`)]);
  return found.filter(([label, prob]) => label !== null && typeof prob === "number");
}

function bars(row) {
  const found = ranked(row);
  if (!found.length) return undefined;
  const list = element("ol", { className: `bars status-${row.status}`, ariaLabel: "Ranked probabilities" });
  for (const [label, prob] of found) {
    const supports = label === row.verdict || (row.status === "GROUP" && CLASSES.get(label) === row.verdict);
    const bar = element("span", { className: supports ? "bar supports" : "bar" });
    bar.style.width = `${100 * Math.min(1, Math.max(0, prob))}%`;
    const name = element("span", { className: "bar-name" }, bdi(words(String(label))), element("span", { className: "number" }, percent(prob)));
    list.append(element("li", {}, name, element("span", { className: "track" }, bar)));
  }
  return list;
}

function labelling(row) {
  if (row.error) return undefined;
  const box = element("div", { className: "labelling" });
  if (row.human) box.append(element("p", {}, "✎ a person's label: ", bdi(words(row.human), "strong"), ` ${whoAndWhen(row)}`));
  for (const earlier of detailsOf(row).earlier ?? []) box.append(element("p", { className: "muted" }, "earlier: ", bdi(earlier)));
  if (!row.listable) {
    box.append(element("p", { className: "muted" }, "A list of labels cannot hold this file's name; use astroclf label."));
    return box;
  }
  const best = classOf({ ...row, number: -1 });
  const accept = element("button", { type: "button", id: "accept", className: "primary", disabled: !CLASSES.has(best) });
  accept.append(CLASSES.has(best) ? `Accept ${words(best)}` : "Accept");
  accept.title = "Accept (a)";
  accept.addEventListener("click", () => correct(row, best));
  const choice = classChoice(corrections.get(row.number));
  choice.addEventListener("change", () => correct(row, choice.value));
  box.append(element("p", { className: "choose" }, accept, element("label", {}, "or ", choice)));
  return box;
}

function whoAndWhen(row) {
  const values = new Map(detailsOf(row).cards ?? []);
  return [values.get("CLFHWHO") && `by ${values.get("CLFHWHO")}`, values.get("CLFHDATE")].filter(Boolean).join(", ");
}

function classChoice(chosen) {
  const choice = element("select", { id: "correct", ariaLabel: "Label" }, new Option("choose a class…", ""));
  for (const group of new Set(CLASSES.values())) {
    const members = [...CLASSES.keys()].filter((label) => CLASSES.get(label) === group);
    choice.append(element("optgroup", { label: words(group) }, ...members.map((label) => new Option(words(label), label))));
  }
  choice.value = chosen ?? "";
  return choice;
}

function correct(row, label) {
  if (label) corrections.set(row.number, label);
  else corrections.delete(row.number);
  saveCorrections();
  refresh({ keepPlace: true });
  fillDetails(row, view.rows.indexOf(row));
  document.getElementById(label ? "accept" : "correct").focus();
}

function facts(row) {
  const known = {
    file: shownName(row), target: row.target, telescope: row.telescope, instrument: row.instrument, filter: row.filter,
    date: row.date, exposure: row.exposure, "ICRS position": row.position && `${sexagesimal(row.position)} (${degrees(row.position)})`,
  };
  const list = element("dl", { className: "facts" });
  for (const [name, value] of Object.entries(known)) {
    if (value) list.append(element("dt", {}, name), element("dd", {}, bdi(value)));
  }
  return list;
}

const degrees = ([ra, dec]) => `${ra.toFixed(5)}°, ${dec < 0 ? "−" : "+"}${Math.abs(dec).toFixed(5)}°`;

function cards(row) {
  const values = detailsOf(row).cards;
  if (!values) return undefined;
  const table = element("table", { className: "cards" }, element("caption", {}, "Cards of the header"));
  for (const [keyword, value] of values) {
    const comment = COMMENTS.get(keyword) ?? COMMENTS.get(keyword.replace(/\d+$/, "n")) ?? "";
    const shown = value === null ? "" : String(value);
    const head = element("th", { scope: "row" }, keyword);
    table.append(element("tr", { title: comment }, head, element("td", {}, bdi(shown)), element("td", { className: "muted" }, comment)));
  }
  return table;
}

// The event comes a little later than the end of the dialog: the next file may be open by then.
dialog.addEventListener("close", () => {
  if (dialog.open) return;
  state.open = "";
  saveHash();
  const place = view.rows.indexOf(opened);
  if (place >= 0) focusPlace(place);
});

dialog.addEventListener("click", (event) => {
  if (event.target === dialog) dialog.close();
});

dialog.addEventListener("keydown", (event) => {
  if (isTyping(event.target) || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === "ArrowRight") step(1);
  else if (event.key === "ArrowLeft") step(-1);
  else if (event.key === "a") document.getElementById("accept")?.click();
  else return;
  event.preventDefault();
});

function isTyping(target) {
  return target.matches("input, select, textarea");
}

document.getElementById("previous").addEventListener("click", () => step(-1));
document.getElementById("next").addEventListener("click", () => step(1));
document.getElementById("close").addEventListener("click", () => dialog.close());
