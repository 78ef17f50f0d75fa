"use strict";
// Holds what the page was told of the film, and loads it anew while the film is rendered.

const AGAIN = 15000;  // milliseconds between two looks at a film that grows
const film = {data: null, told: [], links: null};

/** Called by links.js, on a page that is opened by a signed link: by place, the signed link of each file. */
function farmLinks(links) { film.links = links; }

/** Where a file beside the page is read from; empty where this page has no link to it. */
const placeOf = place => film.links ? film.links[place] ?? "" : place;

/** Called by data.js, once for each time that it is loaded. */
function farmReview(data) {
  film.data = data;
  for (const tell of film.told) tell(data);
  if (!data.whole && !film.links) setTimeout(loadAgain, AGAIN);  // a signed link is of the page as it was
}

function loadAgain() {
  const script = document.createElement("script");
  script.src = `data.js?${Date.now()}`;
  script.onload = () => script.remove();
  script.onerror = () => { script.remove(); setTimeout(loadAgain, AGAIN); };
  document.head.append(script);
}

/** The last of some ranges in film order that begins at or before a frame; null where it does not hold it. */
function holding(ranges, frame) {
  let low = 0, high = ranges.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (ranges[middle].start <= frame) low = middle + 1; else high = middle;
  }
  const found = ranges[low - 1];
  return found && frame < found.stop ? found : null;
}

const shotAt = (data, frame) => holding(data.shots, frame);
const pieceAt = (shot, frame) => shot ? holding(shot.pieces, frame) : null;
const fps = data => data.rate[0] / data.rate[1];

/** An element; `text` is never read as markup. */
function element(name, fields = {}, ...inside) {
  const made = document.createElement(name);
  for (const [field, value] of Object.entries(fields)) {
    if (field in made && field !== "list") made[field] = value; else made.setAttribute(field, value);
  }
  made.append(...inside);
  return made;
}

const byId = id => document.getElementById(id);

/** A file that the browser keeps where the user says. */
function download(name, text, kind) {
  const url = URL.createObjectURL(new Blob([text], {type: kind}));
  element("a", {href: url, download: name}).click();
  setTimeout(() => URL.revokeObjectURL(url), 10000);
}

/** A name for a file, of any title. */
const fileName = text => text.replace(/[^\p{L}\p{N} ._-]/gu, "_").slice(0, 80) || "film";

/** One line of CSV. What a spreadsheet would take for a formula is made a text. */
const csvLine = fields => fields.map(field => {
  const text = String(field).replace(/^(?=[=+\-@\t\r])/, "'");
  return /[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}).join(",");
