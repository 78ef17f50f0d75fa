"use strict";
// Tells of the open shot beside its picture: how it was made, what was said of it, and what is asked for.

class ShotPanel {
  /** @param {HTMLElement} box @param {ReviewNotes} notes @param {CutList} cuts */
  constructor(box, notes, cuts) {
    this.box = box;
    this.notes = notes;
    this.cuts = cuts;
    /** First and last frame of the note to come. @type {[number | null, number | null]} */
    this.marks = [null, null];
    /** @type {(frame: number) => void} */
    this.goes = () => {};
    /** @type {(shot: Shot, text: string) => void} */
    this.writes = () => {};
    this.savesCuts = () => {};
    /** @type {Shot | null} */
    this.shot = null;
    this.frame = 0;
    /** @type {boolean | undefined} */
    this.cutsOpen = undefined;
  }

  /** @param {Shot | null} shot @param {number} frame */
  show(shot, frame) {
    this.shot = shot;
    this.frame = frame;
    if (!shot) return this.box.replaceChildren();
    const {data} = film, held = this.box.contains(document.activeElement) && document.activeElement?.id;
    /** @type {HTMLTextAreaElement | null} */
    const written = this.box.querySelector("#note"), words = written?.value ?? "";
    this.box.replaceChildren(
      element("h2", {textContent: `Shot ${shot.number}`}),
      element("p", {textContent: `Frames ${shot.start} to ${shot.stop - 1}, ${frameName(data, shot.start)} to ${frameName(data, shot.stop - 1)}; version ${shot.older.length + 1} (${shot.version})`}),
      ...shot.looks.map(look => element("p", {className: "look", textContent: [look.title, ...look.settings.filter(pair => pair[1] !== null).map(pair => pair.join(" "))].join(", ")})),
      ...shot.warnings.map(words => element("p", {className: "bad", textContent: words})),
      element("ul", {className: "findings"}, ...shot.findings.map(one => element("li", {}, element("button", {type: "button", className: "link", textContent: `${one.at} · ${frameName(data, one.at)}`, onclick: () => this.goes(one.at)}), ` ${one.words}`))),
      this._verdict(shot), this._noteForm(shot, words), this._list(shot), this._cuts(frame));
    if (held) document.getElementById(held)?.focus();
  }

  /** @param {Shot} shot */
  _verdict(shot) {
    const said = this.notes.of(shot), box = element("div", {className: "verdict"});
    for (const [verdict, name] of [["approved", "Approve (1)"], ["rejected", "Reject (2)"]]) {
      const given = said?.verdict === verdict;
      box.append(element("button", {id: verdict, type: "button", textContent: name, "aria-pressed": given, onclick: () => this.notes.judge(shot, given ? "" : verdict)}));
    }
    if (said && said.version !== shot.version) box.append(element("p", {className: "bad", textContent: `${said.verdict} was version ${said.version}; this is another.`}));
    if (shot.locked) box.append(element("p", {textContent: "Locked in the spec."}));
    if (said?.verdict === "rejected") box.append(this._wishes(shot, said));
    return box;
  }

  /** @param {Shot} shot @param {Verdict} said */
  _wishes(shot, said) {
    const numbers = shot.looks[0]?.settings.filter(pair => typeof pair[1] === "number") ?? [];
    const settings = new Map(said.settings), controls = {...said.controls}, ask = () => this.notes.judge(shot, "rejected", [...settings], controls);
    /** @param {string} name @param {unknown} value @param {Record<string, number>} range @param {(value: number | null) => void} set */
    const field = (name, value, range, set) => {
      const box = element("input", {type: "number", step: "any", value: value ?? "", placeholder: "as it is", ...range});
      box.onchange = () => { if (box.validity.valid) { set(box.value === "" ? null : box.valueAsNumber); ask(); } else box.reportValidity(); };
      return element("label", {}, `${name} `, box);
    };
    return element("div", {className: "wishes"}, element("p", {textContent: "Ask for other colour:"}),
      ...Object.entries(CONTROLS).map(([name, [min, max]]) => field(name, controls[name], {min, max}, value => { if (value === null) delete controls[name]; else controls[name] = value; })),
      ...(numbers.length ? [element("p", {textContent: "Or for other settings of its look, which is rendered anew:"})] : []),
      ...numbers.map(([name, now]) => field(name, settings.get(name) ?? now, {}, value => { if (value === null || value === now) settings.delete(name); else settings.set(name, value); })));
  }

  /** @param {Shot} shot @param {string} words */
  _noteForm(shot, words) {
    const [first, last] = this.marks, {data} = film;
    const where = first === null && last === null ? `frame ${this.frame}` : `frames ${first ?? shot.start} to ${last ?? shot.stop - 1}`;
    const field = element("textarea", {id: "note", rows: 2, value: words, maxLength: LONGEST_NOTE, "aria-label": "Note"});
    const write = () => { if (field.value.trim()) { const text = field.value.trim(); field.value = ""; field.blur(); this.writes(shot, text); } };
    field.onkeydown = (/** @type {KeyboardEvent} */ event) => { if (event.key === "Enter" && !event.shiftKey) { event.preventDefault(); write(); } if (event.key === "Escape") field.blur(); };
    return element("div", {}, element("h3", {textContent: `Note at ${where}${first === null && last === null ? `, ${frameName(data, this.frame)}` : ""}`}), field, element("button", {type: "button", textContent: "Write", onclick: write}));
  }

  /** @param {Shot} shot */
  _list(shot) {
    return element("ul", {className: "notes"}, ...this.notes.in(shot).map(note => {
      const range = note.stop - note.start > 1 ? `${note.start} to ${note.stop - 1}` : `${note.start}`;
      return element("li", {}, element("button", {type: "button", className: "link", textContent: `${range} · ${frameName(film.data, note.start)}`, onclick: () => this.goes(note.start)}),
        element("span", {textContent: ` ${note.text}${note.version === shot.version ? "" : ` (of version ${note.version})`} `}),
        element("button", {type: "button", textContent: "×", "aria-label": `Delete the note at frame ${range}`, onclick: () => this.notes.remove(note)}));
    }));
  }

  /** @param {number} frame */
  _cuts(frame) {
    const {cuts} = this, button = (/** @type {string} */ name, /** @type {() => void} */ act) => element("button", {type: "button", textContent: name, onclick: act});
    const box = element("details", {className: "cuts", open: this.cutsOpen ?? cuts.edited}, element("summary", {textContent: cuts.edited ? "Cuts, edited" : "Cuts"}),
      element("p", {textContent: `The cut before this frame is at ${cuts.startOf(frame)}.`}),
      button("Cut before this frame", () => cuts.split(frame)), button("Join with the shot before", () => cuts.join(frame)),
      button("Cut one frame earlier", () => cuts.nudge(frame, -1)), button("Cut one frame later", () => cuts.nudge(frame, 1)),
      ...(cuts.edited ? [button("Save the shot list", () => this.savesCuts()), button("Undo all", () => cuts.undo()), element("p", {textContent: "In the spec: shots: {file: ...csv}. What does not change is not made again."})] : []));
    box.ontoggle = () => { this.cutsOpen = box.open; };
    return box;
  }
}
