"""Hearing: that equal sound is known whatever it is packed in, and that other sound is told by how far it is off."""

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from av.audio.stream import AudioStream

from actors.verify.sound_difference import SoundFindings, sound_findings
from jobs.errors import BadMedia

RATE = 48000


def sound(path: Path, codec: str, delay: int = 0, seed: int = 1, *, seconds: float = 1.0, late: int = 0) -> Path:
    """A film of nothing but noise in bursts, 16 bit. `delay`: samples of silence before it; `late`: ms by which packets are late."""
    bursts = np.random.default_rng(seed).integers(-9000, 9000, int(seconds * RATE))
    wave = np.concatenate([np.zeros(delay, np.int64), bursts * (np.arange(len(bursts)) // 1500 % 3 > 0)])
    with av.open(str(path), "w") as out:
        stream = out.add_stream(codec, rate=RATE, layout="mono")
        assert isinstance(stream, AudioStream)
        form = stream.codec_context.format.name
        for start in range(0, len(wave), 960):
            piece = av.AudioFrame.from_ndarray(wave[None, start : start + 960].astype(np.int16), "s16", "mono")
            piece.sample_rate, piece.pts, piece.time_base = RATE, start + late * 48, Fraction(1, RATE)
            for ready in av.AudioResampler(form).resample(piece):
                out.mux(stream.encode(ready))
        out.mux(stream.encode(None))
    return path


def held(one: Path, other: Path) -> SoundFindings:
    return sound_findings(str(one), str(other), (Fraction(0), Fraction(0)))


def test_packets_of_one_codec_are_compared_as_they_are(tmp_path: Path) -> None:
    found = held(sound(tmp_path / "a.mkv", "flac"), sound(tmp_path / "b.mkv", "flac"))
    assert (found.findings, found.samples) == ([], 0)
    assert found.packets > 5
    assert found.compared == ["sound 1, packet for packet: flac"]


def test_lossless_codecs_hold_equal_samples(tmp_path: Path) -> None:
    found = held(sound(tmp_path / "a.mkv", "flac"), sound(tmp_path / "b.mov", "pcm_s24le"))
    assert (found.findings, found.packets, found.samples) == ([], 0, RATE)
    assert found.compared == ["sound 1, decoded: flac and pcm_s24le"]


def test_late_packets_are_told_in_milliseconds(tmp_path: Path) -> None:
    a, b = sound(tmp_path / "a.mkv", "flac"), sound(tmp_path / "b.mkv", "flac", late=40)
    assert held(a, b).findings == [f"sound 1 of {a} is -40.000 ms off from its packet 0 on"]


@pytest.mark.parametrize(("delay", "late", "said"), [(1920, 0, "40.0 ms later"), (0, 40, "40.0 ms later")])
def test_sound_of_another_codec_is_found_by_ear(tmp_path: Path, delay: int, late: int, said: str) -> None:
    a = sound(tmp_path / "a.mkv", "flac")
    b = sound(tmp_path / "b.mov", "pcm_s16le", delay, late=late)
    (finding,) = held(a, b).findings
    assert finding.startswith(f"sound 1 differs: decoded, the other is heard {said} (correlation 1.000)")
    (finding,) = held(b, a).findings
    assert "40.0 ms earlier" in finding


def test_a_lossy_codec_is_alike_and_in_time(tmp_path: Path) -> None:
    (finding,) = held(sound(tmp_path / "a.mkv", "flac"), sound(tmp_path / "b.mp4", "aac")).findings
    assert "the other is heard at the same time" in finding


def test_other_sound_and_silence_are_said_to_be_so(tmp_path: Path) -> None:
    a = sound(tmp_path / "a.mkv", "flac")
    (finding,) = held(a, sound(tmp_path / "b.mov", "pcm_s16le", seed=2)).findings
    assert "do not sound alike; 1.000 s in one and 1.000 s in the other" in finding
    (finding,) = held(a, sound(tmp_path / "c.mov", "pcm_s16le", RATE, seconds=0.0)).findings
    assert "one of them is silent" in finding


def test_another_length_is_no_equal_sound(tmp_path: Path) -> None:
    shorter = sound(tmp_path / "b.mkv", "flac", seconds=0.5)
    (finding,) = held(sound(tmp_path / "a.mkv", "flac"), shorter).findings
    assert "1.000 s in one and 0.500 s in the other" in finding


def test_damaged_sound_is_one_sentence(tmp_path: Path) -> None:
    a, b = sound(tmp_path / "a.mov", "pcm_s16le"), sound(tmp_path / "b.mp4", "aac")
    data = bytearray(b.read_bytes())
    media = data.index(b"mdat")
    data[media + 900 : media + 4000] = b"\xff" * 3100
    b.write_bytes(data)
    with pytest.raises(BadMedia, match=r"The sound of .*b\.mp4 is damaged and cannot be compared"):
        held(a, b)
