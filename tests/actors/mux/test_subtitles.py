"""Subtitle payloads: a table from each form to each container's own."""

import pytest

from actors.mux.subtitles import convert, converted_to, payload_of, text_of, what_is_lost


def mov(text: bytes, boxes: bytes = b"") -> bytes:
    """A mov_text payload."""
    return len(text).to_bytes(2, "big") + text + boxes


WORDS = [
    ("mov_text", mov(b"hello"), "hello"),
    ("mov_text", mov(b"two\nlines", b"\0\0\0\x16styl" + b"\0" * 14), "two\nlines"),
    ("mov_text", mov("grün".encode()), "grün"),
    ("mov_text", mov("\ufeffgrün".encode("utf-16-be")), "grün"),
    ("mov_text", mov(b""), ""),
    ("mov_text", b"", ""),
    ("subrip", b'<i>who</i> is <font color="red">there</font>?\r\nI', "who is there?\nI"),
    ("subrip", rb"{\an8}up there", "up there"),
    ("subrip", b"3 < 4 > 2", "3 < 4 > 2"),
    ("ass", rb"7,0,Default,,0,0,0,,one, {\i1}two{\i0}\Nthree\hfour", "one, two\nthree\u00a0four"),
    ("webvtt", b"<v Roger>you &amp; <00:00:01.000>me</v>", "you & me"),
    ("subrip", b"torn \xff", "torn \ufffd"),
]


@pytest.mark.parametrize(("codec", "payload", "words"), WORDS)
def test_words_and_lines_are_kept(codec: str, payload: bytes, words: str) -> None:
    assert text_of(payload, codec) == words


@pytest.mark.parametrize("target", ["mov_text", "subrip"])
@pytest.mark.parametrize(("codec", "payload", "words"), WORDS)
def test_every_form_converts(codec: str, payload: bytes, words: str, target: str) -> None:
    converted = convert(payload, codec, target)
    if not words:
        assert converted is None
    else:
        assert converted is not None
        assert text_of(converted, target) == words


@pytest.mark.parametrize(
    ("codec", "container", "target"),
    [
        ("mov_text", "mp4", None),
        ("mov_text", "mkv", "subrip"),
        ("subrip", "mkv", None),
        ("srt", "mkv", None),
        ("subrip", "mp4", "mov_text"),
        ("srt", "mp4", "mov_text"),
        ("ass", "mkv", None),
        ("ssa", "mp4", "mov_text"),
        ("webvtt", "mp4", "mov_text"),
        ("webvtt", "mkv", None),
        ("mov_text", "mov", None),
        ("subrip", "mov", "mov_text"),
        ("subrip", "mxf", None),
        ("hdmv_pgs_subtitle", "mp4", None),
        ("dvd_subtitle", "mkv", None),
    ],
)
def test_what_must_be_converted(codec: str, container: str, target: str | None) -> None:
    assert converted_to(codec, container) == target


def test_a_text_too_long_for_mov_text_ends_at_a_whole_character() -> None:
    payload = payload_of("ü" * 40_000, "mov_text")
    assert len(payload) == 2 + 65534
    assert set(text_of(payload, "mov_text")) == {"ü"}


def test_what_is_lost_is_said() -> None:
    assert "effects" in what_is_lost("ssa")
    assert "bold" in what_is_lost("srt")
