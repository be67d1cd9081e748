// The sky: an Aitoff projection of ICRS, right ascension increasing to the left, 12h in the middle.

const SVG = "http://www.w3.org/2000/svg";
const RADIANS = Math.PI / 180;
const NEAR = 12;

const sky = { points: [], shown: [] };

function project(ra, dec) {
  const half = ((180 - ra) * RADIANS) / 2;
  const latitude = dec * RADIANS;
  const angle = Math.acos(Math.cos(latitude) * Math.cos(half));
  const sinc = angle < 1e-9 ? 1 : Math.sin(angle) / angle;
  return [(2 * Math.cos(latitude) * Math.sin(half)) / sinc / RADIANS, -Math.sin(latitude) / sinc / RADIANS];
}

function svg(tag, attributes, text) {
  const made = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  if (text) made.textContent = text;
  return made;
}

const at = ([x, y]) => `${x.toFixed(2)} ${y.toFixed(2)}`;
const range = (from, to, step) => Array.from({ length: Math.floor((to - from) / step) + 1 }, (_, n) => from + n * step);

function line(points) {
  return `M${points.map(at).join("L")}`;
}

// Right ascension 0 and 360 are the two edges of the map.
const meridian = (ra) => line(range(-90, 90, 3).map((dec) => project(ra, dec)));
const parallel = (dec) => line(range(0, 360, 4).map((ra) => project(ra, dec)));

function galacticPlane() {
  const pole = [192.85948 * RADIANS, 27.12825 * RADIANS];
  const node = 32.93192 * RADIANS;
  const parts = [[]];
  for (const longitude of range(0, 360, 2)) {
    const angle = longitude * RADIANS - node;
    const dec = Math.asin(Math.cos(pole[1]) * Math.sin(angle)) / RADIANS;
    const ra = (pole[0] + Math.atan2(Math.cos(angle), -Math.sin(pole[1]) * Math.sin(angle))) / RADIANS;
    const point = project(((ra % 360) + 360) % 360, dec);
    const last = parts.at(-1).at(-1);
    if (last && Math.abs(last[0] - point[0]) > 90) parts.push([]);
    parts.at(-1).push(point);
  }
  return parts.map(line).join("");
}

function drawSky() {
  const map = svg("svg", { viewBox: "-194 -98 388 196", role: "img" });
  map.append(svg("path", { class: "sky-edge", d: `${meridian(0)}L${range(-90, 90, 3).reverse().map((dec) => at(project(360, dec))).join("L")}Z` }));
  map.append(svg("path", { class: "sky-grid", d: range(30, 330, 30).map(meridian).join("") + range(-60, 60, 30).map(parallel).join("") }));
  map.append(svg("path", { class: "sky-galaxy", d: galacticPlane() }));
  map.append(svg("path", { class: "sky-others", id: "sky-others" }));
  for (const name of STATUSES.keys()) map.append(svg("path", { class: `sky-points status-${name}`, id: `sky-${name}` }));
  map.append(svg("circle", { id: "sky-mark", r: 5, visibility: "hidden" }));
  labelSky(map);
  document.getElementById("sky").append(map);
  sky.points = ROWS.filter((row) => row.position).map((row) => ({ row, place: project(...row.position) }));
  map.addEventListener("pointermove", (event) => markOnSky(nearest(map, event)));
  map.addEventListener("pointerleave", () => markOnSky(undefined));
  map.addEventListener("click", (event) => {
    const row = nearest(map, event);
    if (row) openDetails(row);
  });
}

function labelSky(map) {
  for (const hour of range(4, 20, 4)) {
    const [x, y] = project(hour * 15, 0);
    map.append(svg("text", { x: x + 2, y: y - 2, class: "sky-label" }, `${hour}h`));
  }
  for (const dec of [-60, -30, 30, 60]) {
    const [x, y] = project(360, dec);
    const label = `${dec < 0 ? "−" : "+"}${Math.abs(dec)}°`;
    map.append(svg("text", { x: x - 3, y: y + (dec < 0 ? 6 : 0), class: "sky-label edge" }, label));
  }
}

function nearest(map, event) {
  const box = map.getBoundingClientRect();
  const scale = 388 / box.width;
  const [x, y] = [(event.clientX - box.left) * scale - 194, (event.clientY - box.top) * scale - 98];
  let [best, closest] = [undefined, (NEAR * scale) ** 2];
  for (const { row, place } of sky.shown) {
    const distance = (place[0] - x) ** 2 + (place[1] - y) ** 2;
    if (distance < closest) [best, closest] = [row, distance];
  }
  return best;
}

function showOnSky(rows) {
  const wanted = new Set(rows);
  const paths = Object.fromEntries([...STATUSES.keys(), "others"].map((name) => [name, []]));
  sky.shown = sky.points.filter(({ row }) => wanted.has(row));
  for (const { row, place } of sky.points) paths[wanted.has(row) ? row.status : "others"].push(`M${at(place)}h0`);
  for (const [name, parts] of Object.entries(paths)) document.getElementById(`sky-${name}`).setAttribute("d", parts.join(""));
  const count = `${sky.shown.length.toLocaleString("en")} of ${rows.length.toLocaleString("en")} with a position`;
  document.getElementById("sky-count").textContent = count;
  document.querySelector("#sky svg").setAttribute("aria-label", `Map of the sky: ${count}, in ICRS`);
  markOnSky(undefined);
}

function markOnSky(row) {
  const mark = document.getElementById("sky-mark");
  const there = row?.position !== undefined;
  mark.setAttribute("visibility", there ? "visible" : "hidden");
  const text = document.getElementById("sky-caption");
  if (!there) {
    text.textContent = "ICRS, Aitoff projection; right ascension increases to the left. Dashes: galactic plane.";
    return;
  }
  const [x, y] = project(...row.position);
  mark.setAttribute("cx", x);
  mark.setAttribute("cy", y);
  text.replaceChildren(bdi(row.target ?? baseName(row)), ` · ${sexagesimal(row.position)}`);
}

function sexagesimal([ra, dec]) {
  const [h, m, s] = split(ra / 15, 24);
  const [d, arcmin, arcsec] = split(Math.abs(dec), 91);
  return `${pad(h)}h ${pad(m)}m ${pad(s)}s ${dec < 0 ? "−" : "+"}${pad(d)}° ${pad(arcmin)}′ ${pad(arcsec)}″`;
}

function split(value, whole) {
  const seconds = Math.round(value * 3600) % (whole * 3600);
  return [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
}

const pad = (number) => String(number).padStart(2, "0");
