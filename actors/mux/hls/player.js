const AHEAD = 40, KEPT = 60;  // seconds fetched before they are shown, and kept once they are
/** @typedef { {start: number, stop: number, url: URL} } Part seconds, and where it is */
/** @typedef { {parts: Part[], stop: number, ended: boolean, init: URL, target: number} } PartList */

/** @param {number} milliseconds */
const pause = milliseconds => new Promise(go => setTimeout(go, milliseconds));
/** @param {EventTarget} what @param {string} name */
const once = (what, name) => new Promise(go => what.addEventListener(name, go, {once: true}));
/** @param {number} seconds */
const clock = seconds => new Date(1000 * seconds).toISOString().slice(11, 19);
/** @param {number} number */
const hex = number => number.toString(16).padStart(2, "0");

/** Where a box's payload begins in an ISO file (ISO/IEC 14496-12); 0: there is none. @param {Uint8Array} bytes @param {string} name */
function payload(bytes, name) {
  const letters = [...name].map(one => one.charCodeAt(0));
  return Math.max(0, bytes.findIndex((_, at) => letters.every((letter, n) => bytes[at - 4 + n] == letter)));
}

/** As RFC 6381 names them. @param {Uint8Array} init */
function codecs(init) {
  const [avc, hevc, mpeg] = ["avcC", "hvcC", "esds"].map(name => payload(init, name)), said = [];
  if (avc) said.push("avc1." + [1, 2, 3].map(at => hex(init[avc + at])).join(""));
  if (hevc) {
    const profile = init[hevc + 1] & 31, tier = init[hevc + 1] & 32 ? "H" : "L";
    said.push(`hvc1.${profile}.${profile == 2 ? 4 : 6}.${tier}${init[hevc + 12]}.B0`);
  }
  // ISO/IEC 14496-1, 7.2.6: what kind of stream it is, and of AAC what kind of object.
  if (mpeg) said.push(init[mpeg + 17] == 0x40 ? `mp4a.40.${init[mpeg + 35] >> 3}` : "mp4a." + hex(init[mpeg + 17]).toUpperCase());
  if (payload(init, "fLaC")) said.push("flac");
  if (payload(init, "Opus")) said.push("opus");
  return said.join(",");
}

/** @param {URL} url @param {boolean} fresh */
async function fetched(url, fresh = false) {
  const answer = await fetch(url, {cache: fresh ? "no-store" : "default"});
  if (!answer.ok) throw Error(`${url} answers ${answer.status}`);
  return answer;
}

/** By RFC 8216. @param {URL} url @returns {Promise<PartList>} */
async function listed(url) {
  const text = await (await fetched(url, true)).text();
  /** @type {Part[]} */
  const parts = [];
  let stop = 0;
  for (const [, seconds, name] of text.matchAll(/#EXTINF:([\d.]+),\n(\S+)/g)) {
    parts.push({start: stop, stop: stop += +seconds, url: new URL(name, url)});
  }
  const said = (/** @type {string} */ name) => (text.match(new RegExp(`#EXT-X-${name}:(?:URI=")?([^"\n]+)`)) || [])[1];
  return {parts, stop, ended: text.includes("#EXT-X-ENDLIST"), init: new URL(said("MAP"), url), target: +said("TARGETDURATION")};
}

/** The playlist, which comes with the first fragment. @param {URL} url @param {HTMLOutputElement} says @returns {Promise<PartList>} */
async function begun(url, says) {
  for (;;) {
    const list = await listed(url).catch(error => { if (String(error).endsWith("404")) return null; throw error; });
    if (list && list.parts.length) return list;
    says.textContent = "Nothing is rendered yet; this page waits.";
    await pause(2000);
  }
}

/** What a browser holds of the stream. */
class Reel {
  /** @param {HTMLVideoElement} video @param {MediaSource} media @param {SourceBuffer} buffer */
  constructor(video, media, buffer) {
    this.video = video;
    this.media = media;
    this.buffer = buffer;
    this.late = 0;
  }

  async settled() { if (this.buffer.updating) await once(this.buffer, "updateend"); }

  /** @param {Part} part */
  holds(part) {
    const middle = (part.start + part.stop) / 2 + this.late, held = this.buffer.buffered;
    return [...Array(held.length).keys()].some(n => held.start(n) <= middle && middle <= held.end(n));
  }

  /** @param {PartList} list */
  wanted(list) {
    const now = this.video.currentTime - this.late;
    return list.parts.find(one => one.stop > now && one.start < now + AHEAD && !this.holds(one));
  }

  /** @param {BufferSource} data */
  async add(data) {
    await this.settled();
    try { this.buffer.appendBuffer(data); } catch (full) {
      if (/** @type {Error} */ (full).name != "QuotaExceededError") throw full;
      await this.forget(0);
    }
    await this.settled();
  }

  /** @param {number} kept seconds before what is shown */
  async forget(kept) {
    const before = this.video.currentTime - kept;
    await this.settled();
    if (this.buffer.buffered.length && before > this.buffer.buffered.start(0) + 1) this.buffer.remove(0, before);
    await this.settled();
  }

  /** @param {number} seconds */
  async lengthen(seconds) {
    await this.settled();
    if (this.media.readyState != "open") return;  // it is ended, and as long as what it holds
    const held = this.buffer.buffered, end = held.length ? held.end(held.length - 1) : 0;
    const length = Math.max(seconds + this.late, end);  // sound may end later than the picture
    if (this.media.duration == Infinity || this.media.duration < length) this.media.duration = length;
  }
}

/** @param {HTMLVideoElement} video @param {HTMLOutputElement} says @param {URL} url @returns {Promise<void>} */
async function follow(video, says, url) {
  let list = await begun(url, says), asked = performance.now(), wake = () => {};
  video.addEventListener("seeking", () => wake());
  const init = new Uint8Array(await (await fetched(list.init)).arrayBuffer());
  const kind = `video/mp4; codecs="${codecs(init)}"`;
  if (!MediaSource.isTypeSupported(kind)) throw Error(`this browser does not play ${kind}`);
  const media = new MediaSource();
  video.src = URL.createObjectURL(media);
  await once(media, "sourceopen");
  const reel = new Reel(video, media, media.addSourceBuffer(kind));
  const more = async (/** @type {Part} */ part) => reel.add(await (await fetched(part.url)).arrayBuffer());
  await reel.add(init);
  await more(list.parts[0]);
  reel.late = reel.buffer.buffered.start(0);  // a film may begin after its clock does
  if (reel.late > .05) video.currentTime = reel.late;
  for (;;) {
    await reel.lengthen(list.stop);
    says.textContent = list.ended ? `All of the film: ${clock(list.stop)}` : `So far ${clock(list.stop)}; it grows while the film is rendered.`;
    const part = reel.wanted(list);
    if (part) {
      await more(part).catch(async () => { await pause(2000); list = await listed(url).catch(() => list); });
      if (video.error) throw Error(video.error.message);
      continue;
    }
    await reel.forget(KEPT);
    const last = list.parts.at(-1);
    if (last && list.ended && media.readyState == "open" && reel.holds(last)) media.endOfStream();
    if (!list.ended && performance.now() > asked + 500 * list.target) {
      asked = performance.now();
      const next = await listed(url).catch(() => list);
      if (next.init.href != list.init.href) return follow(video, says, url);
      if (next.stop >= list.stop) list = next;  // a run that begins again is let come this far
    }
    await new Promise(go => { wake = () => go(null); setTimeout(wake, 500); });
  }
}

/** @param {HTMLElement} box */
function play(box) {
  const video = box.querySelector("video"), says = box.querySelector("output"), {stream, instead: other} = box.dataset;
  if (!video || !says || !stream) throw Error("This page names no stream, or has no video and output for it.");
  const url = new URL(stream, document.baseURI);
  if (!window.MediaSource) { video.src = url.href; return; }
  follow(video, says, url).catch(error => {
    if (other) video.src = other;
    const local = location.protocol == "file:" ? "A browser plays streams from a web server only: python3 -m http.server, in the output's folder, is one." : error;
    says.textContent = other ? "" : `The stream cannot be shown here. ${local}`;
  });
}
for (const box of document.querySelectorAll(".stream")) play(/** @type {HTMLElement} */ (box));
