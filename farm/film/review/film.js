"use strict";
// Holds what the page was told of the film, and loads it anew while the film is rendered.

/**
 * What data.js tells (jobs/review/shown.py).
 * @typedef {{start: number, stop: number, seconds: number, still_at: number, still: string, clip: string}} Piece
 * @typedef {{version: string, start: number, stop: number, pieces: Piece[]}} Version
 * @typedef {{kind: string, at: number, words: string, weight: number}} Finding
 * @typedef {[string, string | number | boolean | null]} Setting
 * @typedef {{title: string, settings: Setting[]}} Look
 * @typedef {{name: string, frame: number, file: string}} PaintedStill
 * @typedef {{number: number, start: number, stop: number, progress: string, version: string, locked: boolean, looks: Look[], pieces: Piece[], older: Version[], painted: PaintedStill[], warnings: string[], findings: Finding[]}} Shot
 * @typedef {{name: string, unit: string, limit: number | null, points: [number, number][]}} Plot
 * @typedef {{first: number, nominal: number, left_out: number}} Timecode
 * @typedef {{stream: number, kind: string, codec: string, fate: string, detail: string}} Fate
 * @typedef {{file: string, place: string, bytes: number, timing: string, fates: Fate[], findings: string[]}} Deliverable
 * @typedef {{id: string, title: string, said: string, whole: boolean, conforms: boolean | null, rate: [number, number], timecode: Timecode | null, steady: boolean, frames: number, shots: Shot[], plots: Plot[], deliverables: Deliverable[]}} FilmData
 */

const AGAIN = 15000;  // milliseconds between two looks at a film that grows
/** A film without a shot, until data.js has told. @type {FilmData} */
const NOTHING = {id: "", title: "", said: "", whole: false, conforms: null, rate: [24, 1], timecode: null, steady: true, frames: 0, shots: [], plots: [], deliverables: []};
/** `told`: who is told of `data`. @type {{data: FilmData, told: ((data: FilmData) => void)[], links: Record<string, string> | null}} */
const film = {data: NOTHING, told: [], links: null};

/** Called by links.js, on a page that is opened by a signed link: by place, the signed link of each file. @param {Record<string, string>} links */
function farmLinks(links) { film.links = links; }

/** Where a file beside the page is read from; empty where this page has no link to it. @param {string} place */
const placeOf = place => film.links ? film.links[place] ?? "" : place;

/** Called by data.js, once for each time that it is loaded. @param {FilmData} data */
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

/** The last of some ranges in film order that begins at or before a frame; null where it does not hold it. @template {{start: number, stop: number}} Range @param {Range[]} ranges @param {number} frame @returns {Range | null} */
function holding(ranges, frame) {
  let low = 0, high = ranges.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (ranges[middle].start <= frame) low = middle + 1; else high = middle;
  }
  const found = ranges[low - 1];
  return found && frame < found.stop ? found : null;
}

/** @param {FilmData} data @param {number} frame */
const shotAt = (data, frame) => holding(data.shots, frame);
/** @param {Shot | null} shot @param {number} frame */
const pieceAt = (shot, frame) => shot ? holding(shot.pieces, frame) : null;
/** Frames a second. @param {FilmData} data */
const fps = data => data.rate[0] / data.rate[1];

/** An element; texts are never read as markup. @template {keyof HTMLElementTagNameMap} Name @param {Name} name @param {Record<string, unknown>} fields @param {(Node | string)[]} inside */
function element(name, fields = {}, ...inside) {
  const made = document.createElement(name);
  for (const [field, value] of Object.entries(fields)) {
    if (field in made && field !== "list") Object.assign(made, {[field]: value}); else made.setAttribute(field, String(value));
  }
  made.append(...inside);
  return made;
}

/** What index.html.j2 has by this name, of the kind that it has there. @template {HTMLElement} Kind @param {string} id @param {new () => Kind} kind @returns {Kind} */
function ofKind(id, kind) {
  const found = document.getElementById(id);
  if (found instanceof kind) return found;
  throw Error(`The page has no ${kind.name} of the name ${id}.`);
}

/** What it has by this name, of any kind. @param {string} id */
const byId = id => ofKind(id, HTMLElement);

/** A file that the browser keeps where the user says. @param {string} name @param {string} text @param {string} kind */
function download(name, text, kind) {
  const url = URL.createObjectURL(new Blob([text], {type: kind}));
  element("a", {href: url, download: name}).click();
  setTimeout(() => URL.revokeObjectURL(url), 10000);
}

/** A name for a file, of any title. @param {string} text */
const fileName = text => text.replace(/[^\p{L}\p{N} ._-]/gu, "_").slice(0, 80) || "film";

/** One line of CSV. What a spreadsheet would take for a formula is made a text. @param {(string | number)[]} fields */
const csvLine = fields => fields.map(field => {
  const text = String(field).replace(/^(?=[=+\-@\t\r])/, "'");
  return /[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}).join(",");
