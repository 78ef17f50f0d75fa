"""Two films held against each other, frame for frame. Promises the first difference by frame number, in memory for two pictures; knows no plan."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import zip_longest

import av.error
from av.container import InputContainer
from av.video.frame import VideoFrame

from actors.media import opened, picture_stream
from actors.proofs import bare, differences, plain, planes_sha256, sums
from jobs.errors import BadMedia
from jobs.report import Comparison


@dataclass
class _Tally:
    frames: list[int] = field(default_factory=lambda: [0, 0])
    starts: list[Fraction] = field(default_factory=list)
    equal: dict[str, int] = field(default_factory=lambda: {"luma": 0, "picture": 0})
    first: dict[str, int] = field(default_factory=dict)

    def differs(self, what: str, number: int) -> None:
        self.first.setdefault(what, number)


def compare(a: str, b: str) -> Comparison:
    """Films `a` and `b` (paths or URLs): count, times, decoded picture, sound packets. Times count from each film's first frame.

    Raises BadMedia where one cannot be read.
    """
    tally = _Tally()
    try:
        with opened(a) as one, opened(b) as other:
            _count(tally, one, a, other, b)
        with opened(a) as one, opened(b) as other:
            packets, sound = _sound(one, other, tally.starts)
    except av.error.FFmpegError as error:
        # Of two decoders running side by side libav does not say which one failed.
        at = max(tally.frames)
        raise BadMedia(
            f"{a} or {b} is damaged near frame {at} and cannot be compared ({error.strerror}); copy it again."
        ) from None
    findings = [*_sentences(tally, a, b), *sound]
    return Comparison(
        same=not findings,
        findings=tuple(findings),
        frames=(tally.frames[0], tally.frames[1]),
        times_differ_at=tally.first.get("times"),
        luma_differs_at=tally.first.get("luma"),
        luma_equal=tally.equal["luma"],
        picture_differs_at=tally.first.get("picture"),
        picture_equal=tally.equal["picture"],
        sound_packets=packets,
    )


def _count(tally: _Tally, one: InputContainer, a: str, other: InputContainer, b: str) -> None:
    streams = picture_stream(one, a), picture_stream(other, b)
    tick = max(stream.time_base or Fraction(0) for stream in streams)
    frames = (_timed(one.decode(streams[0])), _timed(other.decode(streams[1])))
    for number, (ours, theirs) in enumerate(zip_longest(*frames)):
        tally.frames[0] += ours is not None
        tally.frames[1] += theirs is not None
        if ours is None or theirs is None:
            continue
        tally.starts = tally.starts or [ours[0], theirs[0]]
        # Each rounded once, and the first too.
        if abs((ours[0] - tally.starts[0]) - (theirs[0] - tally.starts[1])) > tick:
            tally.differs("times", number)
        _pictures(tally, number, ours[1], theirs[1])


def _timed(frames: Iterator[VideoFrame]) -> Iterator[tuple[Fraction, VideoFrame]]:
    for frame in frames:
        yield (frame.pts or 0) * (frame.time_base or Fraction(1)), frame


def _pictures(tally: _Tally, number: int, ours: VideoFrame, theirs: VideoFrame) -> None:
    sizes = [(one.width, one.height, one.format.components[0].bits) for one in (ours, theirs)]
    luma = sizes[0] == sizes[1] and planes_sha256(ours, 1) == planes_sha256(theirs, 1)
    alike = plain(ours.format.name) == plain(theirs.format.name)
    for what, equal in (("luma", luma), ("picture", luma and alike and planes_sha256(ours) == planes_sha256(theirs))):
        if equal:
            tally.equal[what] += 1
        else:
            tally.differs(what, number)


def _sound(one: InputContainer, other: InputContainer, starts: list[Fraction]) -> tuple[int, list[str]]:
    if len(one.streams.audio) != len(other.streams.audio):
        return 0, [
            f"there are {len(one.streams.audio)} sound streams in one and {len(other.streams.audio)} in the other"
        ]
    sides = [sums(media, media.streams.audio, bare) for media in (one, other)]
    origin = starts[1] - starts[0] if starts else Fraction(0)
    packets, findings = 0, []
    for ours, theirs in zip(one.streams.audio, other.streams.audio, strict=True):
        differ = list(differences(f"sound stream {ours.index}", sides[0][ours.index], sides[1][theirs.index], origin))
        findings += differ
        packets += 0 if differ else len(sides[0][ours.index].times)
    return packets, findings


def _sentences(tally: _Tally, a: str, b: str) -> Iterator[str]:
    if tally.frames[0] != tally.frames[1]:
        yield f"{a} has {tally.frames[0]} frames and {b} has {tally.frames[1]}"
    both = min(tally.frames)
    if "times" in tally.first:
        yield f"from frame {tally.first['times']} on, times differ by more than a tick"
    for what in ("luma", "picture"):
        if what in tally.first:
            yield f"frame {tally.first[what]} is the first whose {what} differs; {tally.equal[what]} of {both} are equal"
