"""Converts packets of text subtitles from one container's form to another's, keeping words and lines but no styling.

A payload is one packet's bytes. Times and durations are the packet's own and are no business of this file.
"""

import html
import re

MOV_TEXT = "mov_text"
SUBRIP = "subrip"

_NAMES = {"srt": SUBRIP, "ssa": "ass", "text": SUBRIP}

TEXTS = frozenset({MOV_TEXT, SUBRIP, "ass", "webvtt"})
"""Forms of text subtitles that are read, by libav's names."""

_OWN = {
    "mp4": frozenset({MOV_TEXT}),
    "mov": frozenset({MOV_TEXT}),
    "mkv": frozenset({SUBRIP, "ass", "webvtt"}),
}
"""The text forms that a container holds; MXF and folders hold none."""

_LOST = {
    MOV_TEXT: "fonts, colours, positions, bold and italic",
    SUBRIP: "bold, italic, colours and positions",
    "ass": "styles, fonts, colours, positions and effects",
    "webvtt": "styles, voices, cue settings and positions",
}

HEADER = b"""[Script Info]\r
ScriptType: v4.00+\r
PlayResX: 384\r
PlayResY: 288\r
\r
[V4+ Styles]\r
Format: Name, Fontname, Fontsize, PrimaryColour, SecondaryColour, OutlineColour, BackColour, Bold, Italic, Underline, \
StrikeOut, ScaleX, ScaleY, Spacing, Angle, BorderStyle, Outline, Shadow, Alignment, MarginL, MarginR, MarginV, Encoding\r
Style: Default,Arial,16,&Hffffff,&Hffffff,&H0,&H0,0,0,0,0,100,100,0,0,1,1,0,2,10,10,10,1\r
\r
[Events]\r
Format: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text\r
"""
"""What libav's subtitle encoders want before they open: white Arial at the bottom, its own default."""


def converted_to(codec: str, container: str) -> str | None:
    """The text format a stream must become to enter the container: "mov_text" or "subrip". None where it need not, or cannot."""
    codec, own = _NAMES.get(codec, codec), _OWN.get(container)
    if own is None or codec not in TEXTS or codec in own:
        return None
    return SUBRIP if SUBRIP in own else MOV_TEXT


def what_is_lost(codec: str) -> str:
    """For a person: what a conversion leaves out, as part of a sentence."""
    return _LOST[_NAMES.get(codec, codec)]


def convert(payload: bytes, codec: str, target: str) -> bytes | None:
    """A payload of `codec` as one of `target`. None where it shows nothing: mov_text fills its gaps with such."""
    text = text_of(payload, codec)
    return payload_of(text, target) if text else None


def text_of(payload: bytes, codec: str) -> str:
    """The words of a payload, lines parted by newlines, without markup. Bytes that are no UTF-8 become U+FFFD."""
    match _NAMES.get(codec, codec):
        case "mov_text":
            text = _mov_text(payload)
        case "ass":
            text = _ass(_decoded(payload))
        case "webvtt":
            text = html.unescape(_TAGS.sub("", _decoded(payload)))
        case _:
            text = _OVERRIDES.sub("", _TAGS.sub("", _decoded(payload)))
    return text.replace("\r\n", "\n").replace("\r", "\n").strip("\n\0 ")


def payload_of(text: str, target: str) -> bytes:
    """Words as a payload of "mov_text" or "subrip"."""
    data = text.encode()
    if target == SUBRIP:
        return data
    # mov_text counts bytes in 16 bits: cut at a whole character.
    data = data[:65535].decode(errors="ignore").encode()
    return len(data).to_bytes(2, "big") + data


_TAGS = re.compile(r"</?[A-Za-z][^<>]*>|<\d[\d:.]*>")
"""Tags as in <i>, <font color=...>, <v Roger>, and WebVTT's time stamps; not "a < b"."""

_OVERRIDES = re.compile(r"\{\\[^{}]*\}")
"""ASS overrides as in {\\an8}, which subrip has taken over."""


def _decoded(payload: bytes) -> str:
    return payload.decode("utf-8-sig", errors="replace")


def _mov_text(payload: bytes) -> str:
    # Two bytes of length, the text, then boxes of styles.
    text = payload[2 : 2 + int.from_bytes(payload[:2], "big")]
    if text.startswith((b"\xfe\xff", b"\xff\xfe")):
        return text.decode("utf-16", errors="replace")
    return _decoded(text)


def _ass(event: str) -> str:
    # ReadOrder, Layer, Style, Name, three margins, Effect, Text: the text may hold commas.
    fields = event.split(",", 8)
    text = _OVERRIDES.sub("", fields[-1])
    return text.replace("\\N", "\n").replace("\\n", "\n").replace("\\h", "\u00a0")
