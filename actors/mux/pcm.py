"""Makes PCM sound one unbroken run that begins and ends with the picture, as MXF holds it.

No sample moves against the picture.

SMPTE ST 382 wraps sound edit unit by edit unit and gives it no times of its own: what lies before the first picture has no
place, and what begins late is preceded by silence.
"""

from collections.abc import Iterator
from fractions import Fraction

from av.audio.stream import AudioStream

from jobs.errors import FilmFailed

RATE = 48000
"""Samples a second of all sound that libav's MXF holds."""

SAMPLE = Fraction(1, RATE)

BYTES = {"pcm_s16le": 2, "pcm_s24le": 3}
"""Sound that libav's MXF holds, and the bytes of one sample of one channel."""

LAG = Fraction(5)
"""Seconds by which a sound may come later in the file than what is heard or seen with it: containers interleave closer. What
lags further has ended, or pauses."""


def refuses_sound(stream: AudioStream) -> str:
    """Why MXF does not hold this sound; empty where it does."""
    codec = stream.codec_context.codec.canonical_name
    if codec not in BYTES:
        return f"mxf holds sound as {' or '.join(BYTES)} only"
    return "" if stream.rate == RATE else f"mxf holds sound of {RATE} Hz only, and this is of {stream.rate}"


Piece = tuple[int, bytes]
"""Samples of a run: the place of the first, counted from the first picture on, and their bytes."""


class SampleRun:
    """One stream's samples as they come, made one unbroken run as long as the picture."""

    def __init__(self, stream: AudioStream, seconds: Fraction) -> None:
        """`seconds`: length of the picture. libav's MXF cuts longer sound, and wants each picture to have its own."""
        context = stream.codec_context
        self._frame = context.channels * BYTES[context.codec.canonical_name]
        self._total = round(seconds * RATE)
        tick = stream.time_base or SAMPLE
        # Stamps of a coarse clock lie up to a tick beside their samples, and are no gap.
        self._slack = int(tick / SAMPLE) if tick > SAMPLE else 0
        self._index = stream.index
        self._silence = bytes(RATE * self._frame)
        self._kept_up = 0
        self.place = 0
        """Samples of each channel given so far."""

    def add(self, start: Fraction, payload: bytes) -> Iterator[Piece]:
        """What of a packet belongs into the run: less what lies beside the picture, after silence for a gap before it.

        `start`: seconds from the first picture on, of the packet's first sample; may be negative. Raises FilmFailed where
        the packet comes so late in the file that its place is taken (`keep_up`).
        """
        at = min(round(start / SAMPLE), self._total)
        gap = at - self.place
        if gap > self._slack:
            yield from self._silent(at)
        elif gap < -self._slack:
            if max(at, 0) < self._kept_up:
                raise FilmFailed(
                    f"audio stream {self._index} lies more than {LAG} s later in the file than what is seen with it, which mxf "
                    "is not written from: remux the source first (for example to mkv)."
                )
            payload = payload[-gap * self._frame :]
        place, payload = self.place, payload[: (self._total - self.place) * self._frame]
        if payload:
            self.place += len(payload) // self._frame
            yield place, payload

    def keep_up(self, time: Fraction) -> Iterator[Piece]:
        """Silence, in whole seconds, where the run lags further than LAG behind the file's other streams, which are at `time`.

        A muxer holds all of them until each has what belongs beside them.
        """
        lag = int((time - LAG) / SAMPLE) - self.place
        if lag >= RATE:
            yield from self._silent(min(self.place + lag // RATE * RATE, self._total))
            self._kept_up = self.place

    def rest(self) -> Iterator[Piece]:
        """Silence up to the picture's end."""
        yield from self._silent(self._total)

    def _silent(self, stop: int) -> Iterator[Piece]:
        # A second at a time, and always the same bytes: a pause may be hours long.
        while self.place < stop:
            place, samples = self.place, min(RATE, stop - self.place)
            self.place += samples
            yield place, self._silence[: samples * self._frame]
