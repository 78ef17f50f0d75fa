"use strict";
// Draws figures over the film, a curve each; a click goes to the frame that is nearest.

const PLOT_HEIGHT = 56, NEAREST = 8;  // pixels; how near a click must be to a point to mean it

/** @typedef {Plot & {most: number, canvas: HTMLCanvasElement, cursor: HTMLElement, made: HTMLElement}} DrawnPlot */

class FilmPlots {
  /** @param {HTMLElement} box where the curves stand */
  constructor(box) {
    this.box = box;
    /** @type {DrawnPlot[]} */
    this.plots = [];
    this.frames = 1;
    this.frame = 0;
    /** @type {(frame: number) => void} */
    this.goes = () => {};
    new ResizeObserver(() => this.draw()).observe(box);
  }

  /** @param {FilmData} data */
  open(data) {
    this.frames = Math.max(1, data.frames);
    this.plots = data.plots.map(plot => {
      const most = Math.max(plot.limit ?? 0, ...plot.points.map(point => point[1]), 1e-9), worst = plot.points.reduce((one, other) => other[1] > one[1] ? other : one);
      const canvas = element("canvas", {role: "img", height: PLOT_HEIGHT, "aria-label": `${plot.name}: at most ${worst[1].toFixed(2)} ${plot.unit}, at frame ${worst[0]}`});
      canvas.onclick = (/** @type {MouseEvent} */ event) => this.goes(this._frameAt(plot.points, canvas, event));
      const cursor = element("i", {});
      const button = element("button", {type: "button", className: "link", textContent: `${worst[1].toFixed(2)} at frame ${worst[0]}`, onclick: () => this.goes(worst[0])});
      const made = element("figure", {}, element("figcaption", {}, `${plot.name}, ${plot.unit}${plot.limit === null ? "" : `; from ${plot.limit} on a shot deserves a look`}; most: `, button), element("div", {className: "curve"}, canvas, cursor));
      return {...plot, most, canvas, cursor, made};
    });
    this.box.replaceChildren(...this.plots.map(plot => plot.made));
    this.draw();
  }

  /** The frame that is shown. Curves stay as they are drawn: thousands of points take longer than a frame. @param {number} frame */
  mark(frame) {
    this.frame = frame;
    for (const {cursor} of this.plots) cursor.style.left = `${100 * frame / this.frames}%`;
  }

  draw() {
    for (const plot of this.plots) this._drawOne(plot);
    this.mark(this.frame);
  }

  /** @param {DrawnPlot} plot */
  _drawOne({canvas, points, most, limit}) {
    const wide = Math.max(1, Math.round(canvas.clientWidth * devicePixelRatio)), high = Math.round(PLOT_HEIGHT * devicePixelRatio);
    if (canvas.width !== wide || canvas.height !== high) [canvas.width, canvas.height] = [wide, high];
    const paper = canvas.getContext("2d"), style = getComputedStyle(document.documentElement);
    if (!paper) return;
    const across = (/** @type {number} */ frame) => frame / this.frames * wide, up = (/** @type {number} */ value) => high - 1 - value / most * (high - 3);
    const [faint, warn, link] = ["--faint", "--warn", "--link"].map(name => style.getPropertyValue(name));
    /** @param {string} colour @param {number} x @param {number} y @param {number} width @param {number} height */
    const line = (colour, x, y, width, height) => { paper.fillStyle = colour; paper.fillRect(x, y, width, height); };
    paper.clearRect(0, 0, wide, high);
    if (limit !== null) line(faint, 0, Math.round(up(limit)), wide, 1);
    for (const [frame, value] of points) {
      const colour = limit !== null && value >= limit ? warn : link;
      line(colour, Math.round(across(frame)), up(value), Math.max(2, devicePixelRatio * 2), high - up(value));
    }
  }

  /** The frame of the highest point near a click; else the one under it. @param {[number, number][]} points @param {HTMLCanvasElement} canvas @param {MouseEvent} event */
  _frameAt(points, canvas, event) {
    const box = canvas.getBoundingClientRect(), frame = (event.clientX - box.left) / box.width * this.frames, reach = NEAREST / box.width * this.frames;
    const near = points.filter(point => Math.abs(point[0] - frame) <= reach).sort((one, other) => other[1] - one[1])[0];
    return near ? near[0] : Math.min(this.frames - 1, Math.max(0, Math.floor(frame)));
  }
}
