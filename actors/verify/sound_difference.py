"""Compares two films' sound: packet for packet, decoded where packets differ, and how far apart in time it is.

Decoded samples are compared as they are, in 64-bit floats, which hold every integer and float that a decoder gives. How far
one is behind the other is the peak of the cross-correlation of their first seconds (by Fourier transform), as mono of 48 kHz.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction

import av.error
import numpy as np
from av.audio.resampler import AudioResampler
from av.audio.stream import AudioStream
from av.container import InputContainer
from numpy.typing import NDArray

from actors.media.container import opened
from actors.mux.frame_access import StreamSum, bare, differences, sums
from jobs.errors import BadMedia

RATE = 48000
HEAD_SECONDS = 20
"""How much of the beginning tells how far apart two sounds are."""

ALIKE = 0.3
"""Normalised correlation from which two heads are taken for the same sound: lossy codecs keep 0.9 and more."""


@dataclass
class SoundFindings:
    """What was found of all sound streams together."""

    findings: list[str] = field(default_factory=list)
    compared: list[str] = field(default_factory=list)
    packets: int = 0
    """Equal in payload and time."""
    samples: int = 0
    """Equal once decoded, where packets are not, at the same times."""


@dataclass
class _Heard:
    """One stream, decoded to its end."""

    start: Fraction | None = None
    """When its first sample is heard, in seconds on the film's clock."""
    form: tuple[int, str] = (0, "")
    """Sample rate and layout."""
    samples: int = 0
    sha256: str = ""
    head: NDArray[np.float32] = field(default_factory=lambda: np.zeros(0, np.float32))

    @property
    def seconds(self) -> float:
        return self.samples / self.form[0] if self.form[0] else 0.0


def sound_findings(a: str, b: str, starts: tuple[Fraction, Fraction]) -> SoundFindings:
    """The sound of films `a` and `b` (paths or URLs), stream by stream in their order.

    `starts`: when their first frames are shown, each on its own clock. Raises BadMedia where one cannot be read.
    """
    found = SoundFindings()
    with opened(a) as one, opened(b) as other:
        pairs = list(zip(one.streams.audio, other.streams.audio, strict=False))
        if len(one.streams.audio) != len(other.streams.audio):
            counts = f"there are {len(one.streams.audio)} sound streams in {a} and {len(other.streams.audio)} in {b}"
            found.findings.append(counts)
        ours, theirs = _sums(one, a), _sums(other, b)
        indices = [(first.index, second.index) for first, second in pairs]
    for number, (first, second) in enumerate(indices, 1):
        _pair(found, f"sound {number}", ((a, first, ours[first]), (b, second, theirs[second])), starts)
    return found


def _sums(media: InputContainer, url: str) -> dict[int, StreamSum]:
    try:
        return sums(media, media.streams.audio, lambda packet: (bare(packet),))
    except av.error.FFmpegError as error:
        raise _damaged(url, error) from None


def _damaged(url: str, error: Exception) -> BadMedia:
    why = error.strerror if isinstance(error, av.error.FFmpegError) else error
    return BadMedia(f"The sound of {url} is damaged and cannot be compared ({why}); copy it again.")


def _pair(
    found: SoundFindings, name: str, sides: tuple[tuple[str, int, StreamSum], ...], starts: tuple[Fraction, Fraction]
) -> None:
    (a, first, ours), (b, second, theirs) = sides
    same_codec = ours.codec == theirs.codec
    found_off = differences(f"{name} of {a}", ours, theirs, starts[1] - starts[0]) if same_codec else ()
    packets = [one.replace("the source's", f"{b}'s") for one in found_off]
    if same_codec and (not packets or ours.payload.digest() == theirs.payload.digest()):
        found.compared.append(f"{name}, packet for packet: {ours.codec}")
        found.packets += 0 if packets else len(ours.times)
        found.findings += packets
        return
    found.compared.append(f"{name}, decoded: {ours.codec} and {theirs.codec}")
    one, other = _heard(a, first), _heard(b, second)
    tolerance = max(ours.time_base, theirs.time_base)
    off = _off(one, other, starts)
    if one.form == other.form and one.sha256 == other.sha256 and off is not None and abs(off) <= tolerance:
        found.samples += one.samples
        return
    found.findings += [f"{name} differs: {sentence}" for sentence in _sentences(one, other, starts)]


def _off(one: _Heard, other: _Heard, starts: tuple[Fraction, Fraction]) -> Fraction | None:
    """By how many seconds the other begins later, each counted from its film's first frame."""
    if one.start is None or other.start is None:
        return None
    return (other.start - starts[1]) - (one.start - starts[0])


def _sentences(one: _Heard, other: _Heard, starts: tuple[Fraction, Fraction]) -> Iterator[str]:
    if one.form != other.form:
        yield f"{one.form[0]} Hz {one.form[1]} in one and {other.form[0]} Hz {other.form[1]} in the other"
    begins = _off(one, other, starts)
    lag, likeness = _lag(one.head, other.head)
    lengths = f"{one.seconds:.3f} s in one and {other.seconds:.3f} s in the other"
    if begins is None or not likeness:
        yield f"one of them is silent where it begins, or empty; {lengths}"
    elif likeness < ALIKE:
        yield f"their first {HEAD_SECONDS} s do not sound alike; {lengths}"
    else:
        off = float(begins) + lag / RATE
        when = (
            "at the same time" if abs(off) < 0.001 else f"{abs(off) * 1000:.1f} ms {'later' if off > 0 else 'earlier'}"
        )
        yield f"decoded, the other is heard {when} (correlation {likeness:.3f}); {lengths}"


def _lag(one: NDArray[np.float32], other: NDArray[np.float32]) -> tuple[int, float]:
    """By how many samples `other` is behind `one`, and how alike they are then, 0 to 1."""
    energy = float(np.linalg.norm(one)) * float(np.linalg.norm(other))
    if not energy:
        return 0, 0.0
    length = 1 << (len(one) + len(other) - 1).bit_length()
    product = np.fft.rfft(other, length) * np.conj(np.fft.rfft(one, length))
    correlation = np.fft.irfft(product, length)
    place = int(correlation.argmax())
    return (place if place < len(other) else place - length), float(correlation[place]) / energy


def _heard(url: str, index: int) -> _Heard:
    found, digest = _Heard(), hashlib.sha256()
    exact, mono = AudioResampler("dbl"), AudioResampler("flt", "mono", RATE)
    heads: list[NDArray[np.float32]] = []
    try:
        with opened(url) as media:
            stream = media.streams[index]
            assert isinstance(stream, AudioStream)
            for frame in media.decode(stream):
                if found.start is None and frame.pts is not None and frame.time_base is not None:
                    found.start = frame.pts * frame.time_base
                found.form = (frame.sample_rate, frame.layout.name)
                found.samples += frame.samples
                for piece in exact.resample(frame):
                    digest.update(np.ascontiguousarray(piece.to_ndarray()).data)
                if found.seconds < HEAD_SECONDS:
                    frame.pts = None
                    heads += [piece.to_ndarray()[0].astype(np.float32) for piece in mono.resample(frame)]
    except (av.error.FFmpegError, ValueError) as error:
        raise _damaged(url, error) from None
    found.sha256 = digest.hexdigest()
    found.head = np.concatenate(heads) if heads else found.head
    return found
