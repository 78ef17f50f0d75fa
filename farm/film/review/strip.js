"use strict";
// Shows the film as a strip of shots, of which only those in sight are there.

const CELL = 176, BESIDE = 4;  // pixels; cells that are made beyond each edge
const REST = 120;  // milliseconds that a cell must be in sight before its picture is loaded

/** @typedef {{shot: Shot, cell: HTMLElement, image: HTMLImageElement, marks: HTMLElement}} Cell of the strip, and what is in it */

class FilmStrip {
  /** @param {HTMLElement} box @param {HTMLElement} cells @param {(shot: Shot) => {classes: string[], words: string[]}} says what a cell is marked with */
  constructor(box, cells, says) {
    this.box = box;
    this.cells = cells;
    this.says = says;
    /** @type {Shot[]} */
    this.shots = [];
    /** Cells by their place. @type {Map<number, Cell>} */
    this.made = new Map();
    /** @type {number | null} */
    this.chosen = null;
    /** @type {(shot: Shot) => void} */
    this.opened = () => {};
    this.waiting = false;
    this.resting = 0;
    box.addEventListener("scroll", () => this.soon(), {passive: true});
    new ResizeObserver(() => this.soon()).observe(box);
    box.addEventListener("click", event => {
      /** @type {HTMLElement | null} */
      const cell = /** @type {Element} */ (event.target).closest("[role=option]");
      if (cell) this.opened(this.shots[Number(cell.dataset.place)]);
    });
  }

  /** The shots to be shown, in this order. @param {Shot[]} shots */
  list(shots) {
    this.shots = shots;
    this.cells.style.width = `${CELL * shots.length}px`;
    for (const {cell} of this.made.values()) cell.remove();
    this.made.clear();
    this.soon();
  }

  /** The shot that is open; it is brought into sight. @param {Shot} shot */
  choose(shot) {
    if (this.chosen === shot.number) return;
    this.chosen = shot.number;
    const place = this.shots.findIndex(one => one.number === this.chosen), {box} = this;
    if (place >= 0 && (CELL * place < box.scrollLeft || CELL * (place + 1) > box.scrollLeft + box.clientWidth)) {
      box.scrollLeft = CELL * (place + 0.5) - box.clientWidth / 2;
    }
    this.mark();
  }

  soon() {
    if (this.waiting) return;
    this.waiting = true;
    requestAnimationFrame(() => { this.waiting = false; this._fill(); });
  }

  _fill() {
    const {box} = this, first = Math.max(0, Math.floor(box.scrollLeft / CELL) - BESIDE);
    const last = Math.min(this.shots.length, Math.ceil((box.scrollLeft + box.clientWidth) / CELL) + BESIDE);
    for (const [place, {cell}] of this.made) {
      if (place < first || place >= last) { cell.remove(); this.made.delete(place); }
    }
    for (let place = first; place < last; place++) {
      if (!this.made.has(place)) this.made.set(place, this._cell(place));
    }
    clearTimeout(this.resting);
    this.resting = setTimeout(() => this._load(), REST);
  }

  _load() {
    for (const {image} of this.made.values()) {
      if (image.dataset.place && !image.src) image.src = image.dataset.place;
    }
  }

  /** @param {number} place @returns {Cell} */
  _cell(place) {
    const shot = this.shots[place], {data} = film;
    const piece = shot.pieces.filter(one => one.still)[shot.pieces.length >> 1] ?? shot.pieces.find(one => one.still);
    const image = element("img", {alt: "", decoding: "async"}), half = element("span", {className: "half"}, image), marks = element("span", {className: "marks"});
    image.onload = () => { half.style.aspectRatio = String(image.naturalWidth / 2 / image.naturalHeight); };
    if (piece) image.dataset.place = placeOf(piece.still);
    const cell = element("div", {id: `cell-${shot.number}`, role: "option", "aria-setsize": this.shots.length, "aria-posinset": place + 1},
      element("span", {className: "still"}, half),
      element("b", {textContent: `Shot ${shot.number}`}), " ", marks, " ",
      element("small", {textContent: `${frameName(data, shot.start)} · ${shot.stop - shot.start} f`}));
    cell.dataset.place = String(place);
    cell.style.left = `${CELL * place}px`;
    this._mark({shot, cell, image, marks});
    this.cells.append(cell);
    return {shot, cell, image, marks};
  }

  /** Cells are marked anew. */
  mark() { for (const one of this.made.values()) this._mark(one); }

  /** @param {Cell} made */
  _mark({shot, cell, marks}) {
    const {classes, words} = this.says(shot), open = shot.number === this.chosen;
    cell.className = classes.join(" ");
    cell.setAttribute("aria-selected", String(open));
    marks.textContent = words.join(", ");
    if (open) this.box.setAttribute("aria-activedescendant", cell.id);
  }
}
