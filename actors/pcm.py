"""PCM as MXF holds it: one unbroken run of samples that begins and ends with the picture. Promises no sample moved against the picture; muxes nothing.

SMPTE ST 382 wraps sound edit unit by edit unit and gives it no times of its own: what lies before the first picture has no
place, and what begins late is preceded by silence.
"""

from collections.abc import Iterator
from fractions import Fraction

from av.audio.stream import AudioStream

RATE = 48000
"""Samples a second of all sound that libav's MXF holds."""

SAMPLE = Fraction(1, RATE)

BYTES = {"pcm_s16le": 2, "pcm_s24le": 3}
"""Sound that libav's MXF holds, and the bytes of one sample of one channel."""


def refuses_sound(stream: AudioStream) -> str:
    """Why MXF does not hold this sound; empty where it does."""
    codec = stream.codec_context.codec.canonical_name
    if codec not in BYTES:
        return f"mxf holds sound as {' or '.join(BYTES)} only"
    return "" if stream.rate == RATE else f"mxf holds sound of {RATE} Hz only, and this is of {stream.rate}"


class Run:
    """One stream's samples as they come, made one unbroken run as long as the picture."""

    def __init__(self, stream: AudioStream, seconds: Fraction) -> None:
        """`seconds`: length of the picture. libav's MXF cuts longer sound, and wants each picture to have its own."""
        context = stream.codec_context
        self._frame = context.channels * BYTES[context.codec.canonical_name]
        self._total = round(seconds * RATE)
        tick = stream.time_base or SAMPLE
        # Stamps of a coarse clock lie up to a tick beside their samples, and are no gap.
        self._slack = int(tick / SAMPLE) if tick > SAMPLE else 0
        self.place = 0
        """Samples of each channel given so far."""

    def add(self, start: Fraction, payload: bytes) -> bytes:
        """What of a packet belongs into the run: less what lies beside the picture, with silence for a gap before it.

        `start`: seconds from the first picture on, of the packet's first sample; may be negative.
        """
        gap = min(round(start / SAMPLE), self._total) - self.place
        if gap > self._slack:
            payload = bytes(gap * self._frame) + payload
        elif gap < -self._slack:
            payload = payload[-gap * self._frame :]
        payload = payload[: (self._total - self.place) * self._frame]
        self.place += len(payload) // self._frame
        return payload

    def rest(self) -> Iterator[bytes]:
        """Silence up to the picture's end, a second at a time."""
        while self.place < self._total:
            samples = min(RATE, self._total - self.place)
            self.place += samples
            yield bytes(samples * self._frame)
