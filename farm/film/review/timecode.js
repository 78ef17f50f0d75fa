"use strict";
// Names a film's frames by time code (SMPTE ST 12-1) or by the clock, as jobs/film/timecode.py does.

/** @param {number} number */
const two = number => String(number).padStart(2, "0");

/** So many of a thing: 1 frame, 2 frames. @param {number} count @param {string} noun */
const numberOf = (count, noun) => `${count} ${noun}${count === 1 ? "" : "s"}`;

/** The clock's time, HH:MM:SS.mmm. @param {number} seconds */
function clock(seconds) {
  const all = Math.round(seconds * 1000);
  return `${two(Math.floor(all / 3600000))}:${two(Math.floor(all / 60000) % 60)}:${two(Math.floor(all / 1000) % 60)}.${String(all % 1000).padStart(3, "0")}`;
}

/** The time code of a frame counted from 00:00:00:00; `left_out`: numbers that drop-frame leaves out each minute. @param {{nominal: number, left_out: number}} counting @param {number} number */
function label({nominal, left_out}, number) {
  const tenMinutes = 600 * nominal - 9 * left_out, minute = 60 * nominal - left_out;
  const within = number % (144 * tenMinutes), tens = Math.floor(within / tenMinutes), rest = within % tenMinutes;
  const counted = within + left_out * (9 * tens + Math.max(0, Math.floor((rest - left_out) / minute)));
  const seconds = Math.floor(counted / nominal);
  return `${two(Math.floor(seconds / 3600))}:${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}${left_out ? ";" : ":"}${two(counted % nominal)}`;
}

/** What people call a frame. Where a film's rate varies it is told by the clock, about: frames within a piece are counted. @param {FilmData} data @param {number} frame */
function frameName(data, frame) {
  if (data.timecode) return label(data.timecode, data.timecode.first + frame);
  const [rate, per] = data.rate, piece = pieceAt(shotAt(data, frame), frame);
  return piece ? `~${clock(piece.seconds + (frame - piece.start) * per / rate)}` : `~${clock(frame * per / rate)}`;
}
