"use strict";
// The review page: opens shots and frames, by strip, keys and links, and puts together its parts.

const notes = new ReviewNotes(), cuts = new CutList(), stage = new Stage(byId("stage"), ofKind("picture", HTMLCanvasElement), byId("wipe")), player = new Player(stage);
const panel = new ShotPanel(byId("panel"), notes, cuts), strip = new FilmStrip(byId("strip"), byId("cells"), marks), plots = new FilmPlots(byId("plots"));
const scrub = ofKind("scrub", HTMLInputElement), against = ofKind("against", HTMLSelectElement), sort = ofKind("sort", HTMLSelectElement), filter = ofKind("filter", HTMLSelectElement);
const figures = ofKind("figures", HTMLDetailsElement), help = ofKind("help", HTMLDialogElement), notesFile = ofKind("import", HTMLInputElement);
/** What the address was last made to say. @type {string | null} */
let told = null;
let lastBefore = "before";

/** By check, how a shot is marked. @type {Record<string, string>} */
const FINDINGS = {flicker: "flicker", jump: "jump", seam: "jump", black: "black", frozen: "frozen", flash: "flashes", gamut: "gamut", legal: "levels", setup: "set-up", warp: "wavers", drift: "drift", stills: "off its still"};

/** How a shot is marked in the strip. @param {Shot} shot */
function marks(shot) {
  const said = notes.of(shot), wrote = notes.in(shot).length, words = [];
  if (shot.progress !== "made") words.push(shot.progress === "aside" ? "set aside" : shot.progress);
  if (said) words.push(said.version === shot.version ? said.verdict : `${said.verdict} earlier`);
  if (shot.locked) words.push("locked");
  if (shot.warnings.length) words.push("warning");
  words.push(...new Set(shot.findings.map(one => FINDINGS[one.kind])));
  if (wrote) words.push(numberOf(wrote, "note"));
  return {classes: [shot.progress, said?.verdict ?? "", shot.warnings.length || shot.findings.length ? "warned" : ""].filter(Boolean), words};
}

/** What deserves a look most comes first. @param {Shot} shot */
const weight = shot => 100 * shot.warnings.length + (shot.findings[0]?.weight ?? 0) + (notes.of(shot)?.verdict === "rejected" ? 4 : 0) + 2 * notes.in(shot).length + (notes.of(shot) ? 0 : 1);

/** @type {Record<string, (shot: Shot) => boolean>} */
const FILTERS = {
  all: () => true,
  open: shot => !notes.of(shot),
  rejected: shot => notes.of(shot)?.verdict === "rejected",
  warned: shot => shot.warnings.length + shot.findings.length > 0,
  noted: shot => notes.in(shot).length > 0,
};

function listShots() {
  const shots = film.data.shots.filter(FILTERS[filter.value]);
  if (sort.value === "look") shots.sort((one, other) => weight(other) - weight(one) || one.start - other.start);
  byId("count").textContent = `${shots.length} of ${numberOf(film.data.shots.length, "shot")}`;
  strip.list(shots);
}

function showWhere() {
  const {data} = film, {shot, frame} = player;
  if (!shot) return;
  byId("code").textContent = frameName(data, frame);
  byId("frame").textContent = `frame ${frame}`;
  const made = player.shown === null ? "not made yet" : player.shown !== frame && player.shown !== undefined ? `shown is the still of frame ${player.shown}` : "";
  byId("place").textContent = [`shot ${shot.number} of ${data.shots.length}`, player.speed ? `${player.speed}×` : "", made].filter(Boolean).join(" · ");
  Object.assign(scrub, {min: shot.start, max: shot.stop - 1, value: frame});
  scrub.setAttribute("aria-valuetext", `frame ${frame}, ${frameName(data, frame)}`);
  strip.choose(shot);
  if (figures.open) plots.mark(frame);
  nameSides();
  if (!player.speed || panel.shot !== shot) showPanel();
  if (!player.speed) {
    told = `#shot=${shot.number}&frame=${frame}`;
    if (location.hash !== told) history.replaceState(null, "", told);
  }
}

function showPanel() {
  const {shot} = player;
  const choices = [["source", "source"], ...(shot?.painted.some(one => one.file) ? [["painted", "painted still"]] : []), ...(shot?.older ?? []).map((one, place) => [`version:${one.version}`, `version ${place + 1}, ${one.version}`])];
  if (!choices.some(([value]) => value === player.against)) player.against = "source";
  against.replaceChildren(...choices.map(([value, textContent]) => element("option", {value, textContent, selected: value === player.against})));
  panel.show(shot, player.frame);
}

/** @param {string} mode */
function view(mode) {
  if (mode === "before" || mode === "after") lastBefore = mode;
  stage.view(mode);
  for (const button of document.querySelectorAll("[data-mode]")) button.setAttribute("aria-pressed", String(button.getAttribute("data-mode") === mode));
  nameSides();
}

/** What is left of the line: where nothing else shows this frame, the source. */
function nameSides() {
  const {mode} = stage, left = player.compared ? against.selectedOptions[0]?.textContent : "source";
  byId("left-name").textContent = mode === "after" ? "" : mode === "difference" ? `difference from ${left}` : left;
  byId("right-name").textContent = mode === "before" || mode === "difference" ? "" : "result";
}

/** @param {number} frame */
function go(frame) { player.stop(); player.go(frame); }

/** @param {Shot | undefined} shot @param {number | null} at the frame */
function openShot(shot, at = null) {
  if (!shot) return;
  panel.marks = [null, null];
  const piece = shot.pieces[shot.pieces.length >> 1];
  go(at ?? piece?.still_at ?? shot.start);
}

/** To another shot of those that are listed. @param {number} by */
function step(by) {
  const {shots} = strip, place = shots.findIndex(one => one.number === player.shot?.number);
  openShot(shots[place < 0 ? 0 : Math.min(shots.length - 1, Math.max(0, place + by))]);
}

/** As in #shot=3&frame=120: either, or both; the frame of the film. */
function follow() {
  if (location.hash === told) return;
  const asked = new URLSearchParams(location.hash.slice(1));
  const number = (/** @type {string} */ name) => /^\d{1,9}$/.test(asked.get(name) ?? "") ? Number(asked.get(name)) : null;
  const frame = number("frame"), shot = film.data.shots.find(one => one.number === number("shot"));
  if (frame !== null && (!shot || (shot.start <= frame && frame < shot.stop))) openShot(shotAt(film.data, frame) ?? film.data.shots.at(-1), frame);
  else openShot(shot ?? film.data.shots[0]);
}

/** A note at the frames that are marked, or at the one that is shown. @param {Shot} shot @param {string} text */
function writeNote(shot, text) {
  const [first, last] = panel.marks, ranged = first !== null || last !== null;
  const ends = ranged ? [first ?? shot.start, last ?? shot.stop - 1] : [player.frame, player.frame];
  panel.marks = [null, null];
  notes.write(Math.min(...ends), Math.max(...ends) + 1, shot.version, text);
}

/** A file of this film, once there is one. @param {string} ending @param {string} text @param {string} kind */
function save(ending, text, kind) { if (film.data !== NOTHING) download(`${fileName(film.data.title)}.${ending}`, text, kind); }

/** What buttons do, by name. @type {Record<string, () => void>} */
const DOES = {
  back: () => player.back(), stop: () => player.stop(), play: () => player.play(),
  before: () => go(player.frame - 1), after: () => go(player.frame + 1),
  fit: () => stage.scale(0), pixels: () => stage.scale(stage.zoom ? 0 : 1),
};
panel.writes = writeNote;
panel.savesCuts = () => save("shots.csv", cuts.csv(film.data), "text/csv");
panel.goes = plots.goes = go;
figures.ontoggle = () => plots.mark(player.frame);

/** What keys do to the shot that is open. @type {Record<string, (event: KeyboardEvent, shot: Shot) => void>} */
const KEYS = {
  j: DOES.back, k: DOES.stop, l: DOES.play, " ": () => player.speed ? player.stop() : player.play(),
  ArrowLeft: event => go(player.frame - (event.shiftKey ? 10 : 1)), ArrowRight: event => go(player.frame + (event.shiftKey ? 10 : 1)),
  ArrowUp: () => step(-1), ArrowDown: () => step(1), Home: (_, shot) => go(shot.start), End: (_, shot) => go(shot.stop - 1),
  a: () => view(stage.mode === "before" || (stage.mode !== "after" && lastBefore === "before") ? "after" : "before"),
  w: () => view("wipe"), s: () => view("side"), d: () => view("difference"),
  f: DOES.fit, z: DOES.pixels, "+": () => stage.scale((stage.zoom || 0.5) * 2), "-": () => stage.scale(stage.zoom / 2),
  i: () => { panel.marks[0] = player.frame; showPanel(); }, o: () => { panel.marks[1] = player.frame; showPanel(); },
  n: () => byId("note").focus(), 1: (_, shot) => notes.judge(shot, "approved"), 2: (_, shot) => notes.judge(shot, "rejected", notes.of(shot)?.settings, notes.of(shot)?.controls), 3: (_, shot) => writeNote(shot, "look at this"), 0: (_, shot) => notes.judge(shot, ""),
  x: () => cuts.split(player.frame), m: () => cuts.join(player.frame), "[": () => cuts.nudge(player.frame, -1), "]": () => cuts.nudge(player.frame, 1),
  "?": () => help.showModal(),
};

document.addEventListener("keydown", event => {
  const {shot} = player;
  if (event.ctrlKey || event.metaKey || event.altKey || !shot || help.open) return;
  const target = /** @type {Element} */ (event.target);
  if (target.closest("textarea, select, input:not([type=range]):not([type=file])")) return;
  if ((event.key === " " || event.key === "Enter") && target.closest("button, summary, label, a")) return;
  const act = KEYS[event.key.length === 1 ? event.key.toLowerCase() : event.key];
  if (act) { event.preventDefault(); act(event, shot); }
});

byId("controls").addEventListener("click", event => {
  const {do: act, mode} = /** @type {Element} */ (event.target).closest("button")?.dataset ?? {};
  if (act) DOES[act]();
  if (mode) view(mode);
});
scrub.oninput = () => go(scrub.valueAsNumber);
against.onchange = () => {
  player.against = against.value;
  const painted = player.against === "painted" && player.shot?.painted.find(one => one.file);
  go(painted ? painted.frame : player.frame);
};
sort.onchange = filter.onchange = listShots;
byId("help-open").onclick = () => help.showModal();
byId("export").onclick = () => save("notes.json", notes.text(), "application/json");
byId("csv").onclick = () => save("notes.csv", notes.csv(film.data), "text/csv");
notesFile.onchange = async () => {
  const file = notesFile.files?.[0];
  notesFile.value = "";
  if (!file || film.data === NOTHING) return;
  let words = "";
  try { const found = notes.take(JSON.parse(await file.text())); words = `Loaded: ${numberOf(found.notes, "note")} and ${numberOf(found.verdicts, "verdict")}.`; } catch (error) { words = error instanceof SyntaxError ? "This file is not JSON." : /** @type {Error} */ (error).message; }
  notes.save();
  byId("said").textContent = words;
};
byId("theme").onclick = () => {
  const light = document.documentElement.dataset.theme !== "light";
  document.documentElement.dataset.theme = light ? "light" : "dark";
  plots.draw();
  try { localStorage.setItem("film-farm-theme", document.documentElement.dataset.theme); } catch { /* it lasts as long as the page */ }
};
try { document.documentElement.dataset.theme = localStorage.getItem("film-farm-theme") ?? ""; } catch { /* as the system has it */ }

player.moved = showWhere;
strip.opened = shot => openShot(shot);
cuts.changed = showPanel;
notes.changed = () => {
  strip.mark();
  showPanel();
  if (notes.lost) byId("said").textContent = "This browser keeps nothing for this page: save your notes to a file.";
};
addEventListener("hashchange", follow);

/** What is printed: the film's verdicts and notes, with a still where something was said. */
addEventListener("beforeprint", () => {
  const {data} = film, rows = data.shots.filter(shot => notes.of(shot) || notes.in(shot).length || shot.warnings.length || shot.findings.length);
  byId("paper").replaceChildren(element("h2", {textContent: `${rows.length} of ${numberOf(data.shots.length, "shot")} with a verdict, a note or a warning`}), ...rows.map(shot => element("article", {},
    element("h3", {textContent: `Shot ${shot.number}, ${frameName(data, shot.start)}, ${marks(shot).words.join(", ")}`}),
    ...shot.pieces.filter(piece => piece.still).slice(0, 1).map(piece => element("img", {src: placeOf(piece.still), alt: ""})),
    ...[...shot.warnings, ...shot.findings.map(one => `${one.at}, ${frameName(data, one.at)}: ${one.words}`), ...notes.in(shot).map(note => `${note.start}, ${frameName(data, note.start)}: ${note.text}`)].map(textContent => element("p", {textContent})))));
});

/** A deliverable's name, which leads to it where this page knows how. @param {Deliverable} one */
function delivered(one) {
  const href = film.links ? placeOf(one.place) : one.place.split("/").map(encodeURIComponent).join("/");
  return href ? element("a", {href, textContent: one.file}) : element("span", {textContent: one.file});
}

/** @param {FilmData} data */
function showDeliverables(data) {
  byId("delivered").hidden = !data.deliverables.length;
  byId("deliverables").replaceChildren(...data.deliverables.map(one => element("div", {},
    element("p", {}, delivered(one), ` ${(one.bytes / 1e6).toFixed(1)} MB, ${one.timing}`),
    element("ul", {}, ...one.fates.map(fate => element("li", {textContent: `stream ${fate.stream} ${fate.kind} ${fate.codec} ${fate.fate}${fate.detail ? `: ${fate.detail}` : ""}`})),
      ...one.findings.map(textContent => element("li", {className: "bad", textContent}))))));
}

film.told.push(data => {
  const first = !notes.place, {frame} = player;
  document.title = `${data.title}: review`;
  byId("title").textContent = data.title;
  byId("said").textContent = data.said;
  byId("said").className = data.conforms === false ? "bad" : "";
  if (first) notes.open(data);
  cuts.open(data);
  showDeliverables(data);
  figures.hidden = !data.plots.length;
  plots.open(data);
  listShots();
  if (first) { view("wipe"); follow(); } else if (!player.speed) { panel.shot = null; player.go(frame); }
});
