"use strict";
// Finds the picture of a frame, in a still or in a clip, and plays clips one after another. Both sides of a clip are one video: they cannot differ.

/** The next of some events. @param {EventTarget} what @param {...string} names @returns {Promise<Event>} */
const once = (what, ...names) => new Promise(go => names.forEach(name => what.addEventListener(name, go, {once: true})));

/** Loads pictures of one side. */
class Reel {
  constructor() {
    /** @type {HTMLVideoElement} */
    this.video = element("video", {muted: true, playsInline: true, preload: "auto"});
    /** @type {HTMLImageElement | null} */
    this.image = null;
  }

  /** An image or a video that shows a frame of a piece, and which frame that is; null where nothing shows it. @param {Piece} piece @param {number} frame @param {number} rate @returns {Promise<{picture: HTMLImageElement | HTMLVideoElement, frame: number} | null>} */
  async at(piece, frame, rate) {
    if (piece.clip && (frame !== piece.still_at || !piece.still)) {
      if (await this.load(piece.clip) && await this.seek((frame - piece.start + 0.5) / rate)) return {picture: this.video, frame};
    }
    const picture = piece.still ? await this.still(piece.still) : null;
    return picture && {picture, frame: piece.still_at};
  }

  /** @param {string} place */
  async still(place) {
    if (this.image?.dataset.place !== place) {
      const image = new Image();
      image.dataset.place = place;
      image.src = placeOf(place);
      await image.decode().catch(() => {});
      this.image = image;
    }
    return this.image.naturalWidth ? this.image : null;
  }

  /** Whether it can be shown. @param {string} place */
  async load(place) {
    if (this.video.dataset.place !== place) {
      this.video.dataset.place = place;
      this.video.src = placeOf(place);
    }
    while (this.video.dataset.place === place && this.video.readyState < 2 && !this.video.error) await once(this.video, "loadeddata", "error", "emptied");
    return this.video.dataset.place === place && !this.video.error && this.video.readyState >= 2;
  }

  /** Whether it is still what was asked for. @param {number} seconds */
  async seek(seconds) {
    const place = this.video.dataset.place;
    if (Math.abs(this.video.currentTime - seconds) > 1e-4) {
      this.video.currentTime = seconds;
      await once(this.video, "seeked", "error", "emptied");
    }
    return this.video.dataset.place === place && !this.video.error;
  }
}

class Player {
  /** @param {Stage} stage */
  constructor(stage) {
    this.stage = stage;
    this.right = new Reel();
    this.left = new Reel();
    this.frame = this.speed = this.asked = 0;
    /** What is left of the line: source, painted, or version:NAME. */
    this.against = "source";
    /** Something else than the source is shown there. */
    this.compared = false;
    /** The frame that the picture is of; null where there is none, and undefined before the first. @type {number | null | undefined} */
    this.shown = undefined;
    this.moved = () => {};
  }

  get shot() { return shotAt(film.data, this.frame); }

  /** Show a frame; the last that is asked for wins. @param {number} frame */
  async go(frame) {
    const {data} = film, turn = ++this.asked, end = data.shots.at(-1)?.stop ?? 1;
    this.frame = Math.min(end - 1, Math.max(0, Math.round(frame)));
    this.moved();
    const {shot} = this, piece = shot && pieceAt(shot, this.frame);
    const found = piece && await this.right.at(piece, this.frame, fps(data));
    const other = found && await this._other(shot, found.frame);
    if (turn !== this.asked) return;
    const words = found ? `Shot ${shot.number}, frame ${found.frame}, ${frameName(data, found.frame)}: source and result` : `Frame ${this.frame} is not made yet`;
    this.shown = found?.frame ?? null;
    this.compared = Boolean(other);
    this.stage.show(found && (other ?? {picture: found.picture, part: "before"}), found && {picture: found.picture, part: "after"}, words);
    this.moved();
  }

  /** The left side, where it is not the source: an older version, or a painted still. @param {Shot} shot @param {number} frame @returns {Promise<Side | null>} */
  async _other(shot, frame) {
    const [kind, name] = this.against.split(":");
    if (kind === "painted") {
      const still = shot.painted.find(one => one.frame === frame && one.file);
      const picture = still && await this.left.still(still.file);
      return picture ? {picture, part: "all"} : null;
    }
    const version = kind === "version" && shot.older.find(one => one.version === name), piece = version && holding(version.pieces, frame);
    const found = piece && await this.left.at(piece, frame, fps(film.data));
    return found && found.frame === frame ? {picture: found.picture, part: "after"} : null;
  }

  stop() {
    this.speed = 0;
    this.right.video.pause();
    this.moved();
  }

  /** Once more: twice as fast. */
  play() {
    this.speed = this.speed > 0 ? Math.min(8, 2 * this.speed) : 1;
    this._run(++this.asked);
  }

  back() {
    this.right.video.pause();
    this.speed = this.speed < 0 ? Math.max(-8, 2 * this.speed) : -1;
    this._reverse();
  }

  async _reverse() {
    while (this.speed < 0 && this.frame > 0) {
      const began = performance.now();
      await this.go(this.frame + this.speed);
      await new Promise(go => setTimeout(go, 1000 / fps(film.data) - (performance.now() - began)));
    }
    if (this.speed < 0) this.stop();
  }

  /** @param {number} turn */
  async _run(turn) {
    const rate = fps(film.data), {video} = this.right, {shot} = this, piece = pieceAt(shot, this.frame);
    if (!shot || !piece?.clip || !await this.right.load(piece.clip)) return this.stop();
    await this.right.seek((this.frame - piece.start + 0.5) / rate);
    if (turn !== this.asked || this.speed <= 0) return;
    /** @typedef {(now: number, told: {mediaTime: number}) => void} FrameSeen */
    const next = (/** @type {FrameSeen} */ seen) => video.requestVideoFrameCallback
      ? video.requestVideoFrameCallback(seen)
      : requestAnimationFrame(() => seen(0, {mediaTime: video.currentTime - 0.5 / rate}));
    /** @type {FrameSeen} */
    const picture = (_, {mediaTime}) => {
      if (turn !== this.asked || this.speed <= 0) return;
      this.compared = false;
      this.frame = this.shown = Math.min(piece.stop - 1, piece.start + Math.round(mediaTime * rate));
      this.stage.show({picture: video, part: "before"}, {picture: video, part: "after"}, `Playing shot ${shot.number}`);
      this.moved();
      next(picture);
    };
    next(picture);
    video.playbackRate = this.speed;
    await video.play().catch(() => this.stop());
    await once(video, "ended", "pause", "emptied");
    if (turn !== this.asked || this.speed <= 0 || !video.ended) return;
    this.frame = piece.stop;
    if (pieceAt(this.shot, this.frame)) this._run(turn); else { this.frame = piece.stop - 1; this.stop(); }
  }
}
