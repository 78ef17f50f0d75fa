"use strict";
// Cuts as the user wants them: shots joined, divided, their edges moved; out comes a shot list for the spec.

class CutList {
  constructor() {
    /** First frames of shots. @type {number[]} */
    this.starts = [];
    /** The film's own. @type {number[]} */
    this.own = [];
    this.frames = 0;
    this.place = "";
    this.changed = () => {};
  }

  /** The film's own cuts, or those that were edited on this page before; what was edited of another list of cuts is not taken. @param {FilmData} data */
  open(data) {
    const own = data.shots.map(shot => shot.start);
    this.frames = data.frames;
    this.place = `film-farm-cuts:${data.id}`;
    const {edited} = this;
    this.own = own;
    if (edited) return;
    this.starts = [...own];
    try {
      const kept = JSON.parse(localStorage.getItem(this.place) ?? "null");
      if (kept?.own?.join() === own.join() && kept.starts.every(Number.isInteger)) this.starts = kept.starts;
    } catch { /* nothing is kept here */ }
  }

  get edited() { return this.starts.join() !== this.own.join(); }

  /** The first frame of the shot that holds a frame, by this list. @param {number} frame */
  startOf(frame) { return this.starts.filter(start => start <= frame).at(-1) ?? 0; }

  /** A cut before a frame. @param {number} frame */
  split(frame) { if (frame > 0 && frame < this.frames && !this.starts.includes(frame)) this._set([...this.starts, frame]); }

  /** The shot at a frame joined with the one before. @param {number} frame */
  join(frame) { const start = this.startOf(frame); if (start) this._set(this.starts.filter(one => one !== start)); }

  /** The cut before the shot at a frame, moved. @param {number} frame @param {number} by */
  nudge(frame, by) {
    const start = this.startOf(frame), moved = start + by;
    const free = moved > (this.starts[this.starts.indexOf(start) - 1] ?? -1) && moved < (this.starts[this.starts.indexOf(start) + 1] ?? this.frames);
    if (start && free) this._set(this.starts.map(one => one === start ? moved : one));
  }

  undo() { this._set([...this.own]); }

  /** @param {number[]} starts */
  _set(starts) {
    this.starts = starts.sort((one, other) => one - other);
    try { localStorage.setItem(this.place, JSON.stringify({own: this.own, starts: this.starts})); } catch { /* it stays on this page */ }
    this.changed();
  }

  /** As PySceneDetect writes it; frames are counted from 1, and the end is the last frame. @param {FilmData} data */
  csv(data) {
    /** @param {number} frame */
    const time = frame => clock(frame * data.rate[1] / data.rate[0]);
    /** @param {number} frame */
    const seconds = frame => (frame * data.rate[1] / data.rate[0]).toFixed(3);
    const rows = this.starts.map((start, place) => {
      const stop = this.starts[place + 1] ?? this.frames;
      return csvLine([place + 1, start + 1, time(start), seconds(start), stop, time(stop), seconds(stop), stop - start, time(stop - start), seconds(stop - start)]);
    });
    const head = ["Scene Number", "Start Frame", "Start Timecode", "Start Time (seconds)", "End Frame", "End Timecode", "End Time (seconds)", "Length (frames)", "Length (timecode)", "Length (seconds)"];
    return [head.join(","), ...rows, ""].join("\n");
  }
}
