"use strict";
// Draws source and result on one canvas: wipe, side by side, difference, one of the two; fitted, or pixel by pixel.

const CLOSEST = 16;  // device pixels for one of the picture

/**
 * What is shown on one side: a picture, and which part of it.
 * @typedef {{picture: HTMLImageElement | HTMLVideoElement, part: "before" | "after" | "all"}} Side
 * @typedef {[number, number, number, number]} Box x, y, width, height
 */

class Stage {
  /** @param {HTMLElement} box what the picture fills @param {HTMLCanvasElement} canvas @param {HTMLElement} wipe the line */
  constructor(box, canvas, wipe) {
    this.box = box;
    this.canvas = canvas;
    this.wipe = wipe;
    this.paper = canvas.getContext("2d");
    this.mode = "wipe";
    this.line = 0.5;
    this.zoom = 0;
    /** Device pixels. */
    this.pan = [0, 0];
    /** @type {Side | null} */
    this.left = null;
    /** @type {Side | null} */
    this.right = null;
    this.words = "";
    /** Of the larger picture that was seen. */
    this.width = this.height = 1;
    new ResizeObserver(() => this.draw()).observe(box);
    this._dragged(wipe, event => this.move(event.clientX));
    this._dragged(canvas, event => {
      if (this.zoom) { this.pan = [this.pan[0] + event.movementX * devicePixelRatio, this.pan[1] + event.movementY * devicePixelRatio]; this.draw(); }
      else if (this.mode === "wipe") this.move(event.clientX);
    });
    wipe.addEventListener("keydown", event => {
      const step = {ArrowLeft: -0.02, ArrowRight: 0.02}[event.key];
      if (step) { this.set(this.line + step); event.preventDefault(); event.stopPropagation(); }
    });
  }

  /** Each side: {picture, part}, `picture` an image or a video, `part` before, after or all of it; null: nothing is there. @param {Side | null} left @param {Side | null} right @param {string} words */
  show(left, right, words) {
    Object.assign(this, {left, right, words});
    this.draw();
  }

  /** @param {number} line from 0 to 1 */
  set(line) {
    this.line = Math.min(1, Math.max(0, line));
    this.wipe.setAttribute("aria-valuenow", String(Math.round(100 * this.line)));
    this.draw();
  }

  /** @param {string} mode */
  view(mode) { this.mode = mode; this.draw(); }

  /** 0: fitted; else device pixels for one pixel of the larger picture that was seen. @param {number} zoom */
  scale(zoom) { this.zoom = Math.min(CLOSEST, zoom < 1 ? 0 : zoom); if (!this.zoom) this.pan = [0, 0]; this.draw(); }

  /** @param {number} clientX */
  move(clientX) {
    const box = this.canvas.getBoundingClientRect();
    this.set((clientX - box.left) / box.width);
  }

  draw() {
    const {canvas, paper} = this, box = this.box.getBoundingClientRect();
    const [wide, high] = [box.width, box.height].map(side => Math.max(1, Math.round(side * devicePixelRatio)));
    if (canvas.width !== wide || canvas.height !== high) [canvas.width, canvas.height] = [wide, high];
    this.wipe.hidden = this.mode !== "wipe" || !this.right;
    this.wipe.style.left = `${100 * this.line}%`;
    canvas.setAttribute("aria-label", this.words);
    if (!paper) return;
    paper.setTransform(1, 0, 0, 1, 0, 0);
    paper.clearRect(0, 0, wide, high);
    const right = this.right ?? this.left, left = this.left ?? right;
    if (!left || !right) return;
    const [own, tall] = partOf(right).slice(2);
    if (own > this.width) [this.width, this.height] = [own, tall];
    else this.height = this.width * tall / own;
    /** @type {Box} */
    const whole = [0, 0, wide, high];
    const half = Math.floor(wide / 2), cut = Math.round(this.line * wide);
    if (this.mode === "side") {
      this._paint(paper, left, [0, 0, half - 1, high], [0, 0, half - 1, high]);
      this._paint(paper, right, [half + 1, 0, half - 1, high], [half + 1, 0, half - 1, high]);
    } else if (this.mode === "wipe") {
      this._paint(paper, right, whole, [cut, 0, wide - cut, high]);
      this._paint(paper, left, whole, [0, 0, cut, high]);
    } else {
      this._paint(paper, this.mode === "after" ? right : left, whole, whole);
      paper.globalCompositeOperation = "difference";
      if (this.mode === "difference") this._paint(paper, right, whole, whole);
      paper.globalCompositeOperation = "source-over";
    }
  }

  /** @param {CanvasRenderingContext2D} paper @param {Side} side @param {Box} box @param {Box} clip */
  _paint(paper, side, [x, y, width, height], clip) {
    const scale = this.zoom || Math.min(width / this.width, height / this.height);
    const [dw, dh] = [this.width * scale, this.height * scale];
    paper.save();
    paper.beginPath();
    paper.rect(...clip);
    paper.clip();
    paper.imageSmoothingEnabled = !this.zoom;
    paper.drawImage(side.picture, ...partOf(side), x + (width - dw) / 2 + this.pan[0], y + (height - dh) / 2 + this.pan[1], dw, dh);
    paper.restore();
  }

  /** @param {HTMLElement} what @param {(event: PointerEvent) => void} moved */
  _dragged(what, moved) {
    what.addEventListener("mousedown", event => event.preventDefault());  // keys stay the page's: only Tab goes to the line
    what.addEventListener("pointerdown", event => { what.setPointerCapture(event.pointerId); if (what === this.wipe || !this.zoom) moved(event); });
    what.addEventListener("pointermove", event => { if (what.hasPointerCapture(event.pointerId)) moved(event); });
  }
}

/** The rectangle of a side in its picture. @param {Side} side @returns {Box} */
function partOf({picture, part}) {
  const [width, height] = picture instanceof HTMLVideoElement ? [picture.videoWidth, picture.videoHeight] : [picture.naturalWidth, picture.naturalHeight];
  return part === "all" ? [0, 0, width, height] : [part === "after" ? width / 2 : 0, 0, width / 2, height];
}
