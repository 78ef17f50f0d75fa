"use strict";
// Keeps notes and verdicts in the browser, each bound to the version that was seen; writes them to a file, and reads such files.

/**
 * As notes.json has them (jobs/review/notes.py).
 * @typedef {Record<string, number>} Controls
 * @typedef {{start: number, stop: number, version: string, verdict: string, settings: Setting[], controls?: Controls, at: string}} Verdict
 * @typedef {{start: number, stop: number, version: string, text: string, at: string}} Note
 */

const VERDICTS = ["approved", "rejected"];
/** @type {Record<string, [number, number]>} */
const CONTROLS = {strength: [0, 1], saturation: [0, 3], warmth: [-1, 1]};  // of colour, with what each may be (jobs/spec/controls.py)
const LONGEST_NOTE = 4000, MOST_NOTES = 20000;

class ReviewNotes {
  constructor() {
    /** @type {Verdict[]} */
    this.verdicts = [];
    /** @type {Note[]} */
    this.notes = [];
    this.changed = () => {};
    this.place = this.film = this.title = "";
    /** The browser keeps nothing; what it kept cannot be read. */
    this.lost = this.damaged = false;
  }

  /** What was written on this film's page in this browser. @param {FilmData} data */
  open(data) {
    this.film = data.id;
    this.title = data.title;
    this.place = `film-farm-review:${data.id}`;
    let kept = null;
    try { kept = localStorage.getItem(this.place); } catch { this.lost = true; }
    if (kept) try { this.take(JSON.parse(kept)); } catch { this.damaged = true; }
  }

  save() {
    try { localStorage.setItem(this.place, this.text()); this.lost = false; } catch { this.lost = true; }
    this.changed();
  }

  /** What was said of a shot. @param {{start: number, stop: number}} shot */
  of(shot) { return this.verdicts.find(one => one.start === shot.start && one.stop === shot.stop); }

  /** The notes on it. @param {{start: number, stop: number}} shot */
  in(shot) { return this.notes.filter(one => one.start < shot.stop && one.stop > shot.start); }

  /** `verdict`: approved, rejected, or empty to take it back; asked for instead: `settings` of the look, as [name, value], and `controls` of colour. @param {Shot} shot @param {string} verdict @param {Setting[]} settings @param {Controls} controls */
  judge(shot, verdict, settings = [], controls = {}) {
    this.verdicts = this.verdicts.filter(one => one.start !== shot.start || one.stop !== shot.stop);
    if (verdict) this.verdicts.push({start: shot.start, stop: shot.stop, version: shot.version, verdict, settings, controls, at: new Date().toISOString()});
    this.save();
  }

  /** @param {number} start @param {number} stop @param {string} version @param {string} text */
  write(start, stop, version, text) {
    this.notes.push({start, stop, version, text: text.slice(0, LONGEST_NOTE), at: new Date().toISOString()});
    this.notes.sort((one, other) => one.start - other.start);
    this.save();
  }

  /** @param {Note} note */
  remove(note) { this.notes = this.notes.filter(one => one !== note); this.save(); }

  text() {
    const {film, title, verdicts, notes} = this;
    return JSON.stringify({kind: "review-notes", version: 1, film, title, verdicts, notes}, null, 1);
  }

  /** Adds what a file holds; gives how much. Throws where it is none of this page's, and then nothing is changed. @param {any} found anything: it comes from a file */
  take(found) {
    if (found?.kind !== "review-notes" || found.version !== 1) throw Error("This is no file of notes that this page can read.");
    if (found.film !== this.film) throw Error(`These notes are of another job, ${String(found.title).slice(0, 80)}.`);
    /** @param {any} one */
    const range = one => Number.isInteger(one?.start) && Number.isInteger(one.stop) && 0 <= one.start && one.start < one.stop && typeof one.version === "string";
    /** @param {any} one */
    const pair = one => Array.isArray(one) && typeof one[0] === "string" && ["string", "number", "boolean"].includes(typeof one[1]);
    /** @param {any} one */
    const verdict = one => range(one) && VERDICTS.includes(one.verdict) && Array.isArray(one.settings) && one.settings.every(pair)
      && Object.entries(one.controls ?? {}).every(([name, value]) => Object.hasOwn(CONTROLS, name) && typeof value === "number");
    const good = Array.isArray(found.verdicts) && Array.isArray(found.notes) && found.notes.length <= MOST_NOTES
      && found.verdicts.every(verdict) && found.notes.every((/** @type {any} */ one) => range(one) && typeof one.text === "string");
    if (!good) throw Error("This file of notes is damaged.");
    const known = new Set(this.notes.map(one => `${one.start} ${one.stop} ${one.text}`));
    const fresh = found.notes.filter((/** @type {Note} */ one) => !known.has(`${one.start} ${one.stop} ${one.text}`));
    const later = new Map(this.verdicts.map(one => [`${one.start} ${one.stop}`, one]));
    for (const one of found.verdicts) {
      const mine = later.get(`${one.start} ${one.stop}`);
      if (!mine || String(one.at) > String(mine.at)) later.set(`${one.start} ${one.stop}`, one);
    }
    this.notes = [...this.notes, ...fresh].sort((one, other) => one.start - other.start);
    this.verdicts = [...later.values()];
    return {notes: fresh.length, verdicts: found.verdicts.length};
  }

  /** @param {FilmData} data */
  csv(data) {
    /** @param {string} what @param {Verdict | Note} one @param {string} words */
    const row = (what, one, words) => csvLine([what, shotAt(data, one.start)?.number ?? "", one.start, one.stop - 1, frameName(data, one.start), frameName(data, one.stop - 1), one.version, words]);
    const rows = [...this.verdicts.map(one => row(one.verdict, one, [...Object.entries(one.controls ?? {}), ...one.settings].map(pair => pair.join(" ")).join("; "))), ...this.notes.map(one => row("note", one, one.text))];
    return [csvLine(["What", "Shot", "First frame", "Last frame", "First time code", "Last time code", "Version", "Words"]), ...rows, ""].join("\r\n");
  }
}
