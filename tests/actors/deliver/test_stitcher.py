"""The stitcher: every frame once, at its own time, with its own sound, whatever the source's container does."""

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from av.video.stream import VideoStream

from jobs.errors import FilmFailed
from jobs.plan.output_timing import Timing
from jobs.plan.plan import Range
from jobs.spec.codecs import Codec, Container, Drop
from jobs.spec.formats import Deliverable
from tests.actors.mux.test_stream_plan import with_attachment, with_cover
from tests.actors.reels import Reel, dressed, numbers_and_times, reel, same_sound, sound_of
from tests.films import Recipe

SHARED = Path(__file__).parents[4] / "shared/media"
H264 = Deliverable(preset="fast", crf=20)
MP4 = Deliverable(preset="ultrafast", crf=20, container=Container.MP4)
MKV = Deliverable(preset="fast", crf=20, container=Container.MKV)
FFV1 = Deliverable(codec=Codec.FFV1)
EDGES = (7, 20)


FILMS: dict[str, tuple[str, Recipe, Deliverable]] = {
    "mp4": ("a.mp4", Recipe(frames=40, sound="aac"), H264),
    "mp4 to mkv": ("a.mp4", Recipe(frames=40, sound="aac"), MKV),
    "mp4 to ffv1": ("a.mp4", Recipe(frames=40, sound="aac"), FFV1),
    "mkv in milliseconds": ("a.mkv", Recipe(frames=40, sound="flac", rate=Fraction(24)), H264),
    "mkv stays mkv": ("a.mkv", Recipe(frames=40, sound="flac"), MKV),
    "open gop": ("a.mp4", Recipe(frames=40, open_gop=True), H264),
    "late": ("a.mp4", Recipe(frames=40, start=3, sound="aac"), H264),
    "late to mkv": ("a.mp4", Recipe(frames=40, start=3, sound="aac"), FFV1),
    "edit list": ("a.mp4", Recipe(frames=40, hidden=5, sound="aac"), H264),
    "variable rate": ("a.mp4", Recipe(frames=40, times=lambda n: n * 3 + n % 3), H264),
    "variable rate to mkv": ("a.mp4", Recipe(frames=40, times=lambda n: n * 3 + n % 3), MKV),
    "transport stream": ("a.ts", Recipe(frames=40, rate=Fraction(25), sound="aac"), H264),
    "transport stream ntsc to mkv": ("a.ts", Recipe(frames=40, sound="aac"), MKV),
    "program stream": ("a.mpg", Recipe(frames=40, codec="mpeg2video", rate=Fraction(25)), H264),
    "webm with opus to mkv": ("a.webm", Recipe(frames=40, codec="libvpx", rate=Fraction(24), sound="libopus"), FFV1),
    "pcm": ("a.mov", Recipe(frames=40, sound="pcm_s16le"), MKV),
    "ten bit": ("a.mkv", Recipe(frames=40, codec="libx265", pix_fmt="yuv420p10le"), FFV1),
}


@pytest.mark.parametrize(("name", "recipe", "deliverable"), FILMS.values(), ids=FILMS.keys())
def test_every_frame_once_at_its_own_time_with_its_own_sound(
    tmp_path: Path, name: str, recipe: Recipe, deliverable: Deliverable
) -> None:
    source = recipe.make(tmp_path / name)
    made = reel(source, tmp_path, deliverable, EDGES)
    facts = made.stitch()
    wanted = [(number, made.timing.at(number - recipe.hidden)) for number in range(recipe.hidden, recipe.frames)]
    assert numbers_and_times(made.path) == wanted
    source_times = [time - made.timing.origin for _, time in numbers_and_times(source)]
    if recipe.codec != "mpeg2video":  # mpegps keeps a time for some frames only; the decoder guesses the others
        assert all(abs(a - b) <= Fraction(1, 1000) for a, (_, b) in zip(source_times, wanted, strict=True))
    same_sound(made.path, source, made.timing.origin)
    proof = made.inspect(facts)
    assert proof.findings == ()
    assert proof.conforms
    assert (proof.frames, proof.edges, proof.compared) == (len(wanted), 4, 6)


def test_a_stitch_can_be_made_again_bit_for_bit(tmp_path: Path) -> None:
    for ending, deliverable in (("mp4", MP4), ("mkv", MKV)):
        made = reel(Recipe(frames=24, sound="aac").make(tmp_path / "a.mp4"), tmp_path, deliverable, EDGES)
        assert made.stitch() == made.stitch()
        assert made.plan.file == f"a.{ending}"


def test_one_segment_and_one_frame_are_films(tmp_path: Path) -> None:
    made = reel(Recipe(frames=1).make(tmp_path / "a.mp4"), tmp_path, H264)
    assert made.inspect(made.stitch()).findings == ()
    assert [number for number, _ in numbers_and_times(made.path)] == [0]


def test_forty_segments_of_one_frame_drift_by_nothing(tmp_path: Path) -> None:
    made = reel(Recipe(frames=40, sound="aac").make(tmp_path / "a.mp4"), tmp_path, H264, tuple(range(1, 40)))
    made.stitch()
    assert numbers_and_times(made.path) == [(n, n * Fraction(1001, 24000)) for n in range(40)]


@pytest.mark.parametrize("deliverable", [MP4, MKV], ids=["mp4", "mkv"])
@pytest.mark.parametrize(("ending", "subtitles"), [("mp4", "mov_text"), ("mkv", "subrip"), ("mkv", "ass")])
def test_subtitles_chapters_titles_and_time_code_come_along(
    tmp_path: Path, ending: str, subtitles: str, deliverable: Deliverable
) -> None:
    sound = "aac" if ending == "mp4" else "flac"
    plain = Recipe(frames=48, sound=sound, rate=Fraction(24)).make(tmp_path / f"plain.{ending}")
    source = dressed(plain, tmp_path / f"a.{ending}", subtitles=subtitles, chapters=True, timecode="01:00:00:00")
    made = reel(source, tmp_path, deliverable, EDGES)
    proof = made.inspect(made.stitch())
    assert proof.findings == ()
    with av.open(str(made.path)) as media:
        assert media.metadata["title"] == "a film"
        assert [one["metadata"]["title"] for one in media.chapters()] == ["one", "two"]
        assert [float(one["start"] * (one["time_base"] or 0)) for one in media.chapters()] == [0, 0.5]
        tags = {name.lower(): value for name, value in media.streams.video[0].metadata.items()}
        assert tags["timecode"] == "01:00:00:00"
        assert "the picture" in tags.values()
        assert media.streams.subtitles[0].language == "deu"
        shown = [
            (float(one.pts * one.time_base), bytes(one))
            for one in media.demux(media.streams.subtitles[0])
            if one.size > 2 and one.pts
        ]
    assert [time for time, _ in shown] == [0.1, 0.6]
    assert b"second, with a comma" in shown[1][1]


def test_covers_and_attachments_come_along(tmp_path: Path) -> None:
    with_attachment(tmp_path / "font.mkv")
    with_cover(tmp_path / "cover.mp4")
    for name, deliverable in (("font.mkv", MKV), ("cover.mp4", MP4)):
        made = reel(tmp_path / name, tmp_path, deliverable, (2,))
        assert made.inspect(made.stitch()).findings == ()
        with av.open(str(made.path)) as media:
            assert len(media.streams) == 2


def test_what_the_user_lets_go_is_left_out(tmp_path: Path) -> None:
    made = reel(with_attachment(tmp_path / "font.mkv"), tmp_path, MP4, (2,), Drop.UNSUPPORTED)
    assert made.inspect(made.stitch()).conforms
    with av.open(str(made.path)) as media:
        assert len(media.streams) == 1


@pytest.mark.parametrize("deliverable", [MP4, MKV], ids=["mp4", "mkv"])
def test_rotation_and_sample_aspect_are_kept(tmp_path: Path, deliverable: Deliverable) -> None:
    plain = Recipe(frames=24).make(tmp_path / "plain.mp4")
    with av.open(str(plain)) as media, av.open(str(tmp_path / "a.mp4"), "w") as out:
        copy = out.add_stream_from_template(media.streams.video[0], opaque=True)
        assert isinstance(copy, VideoStream)
        copy.set_display_rotation(90)
        copy.codec_context.sample_aspect_ratio = Fraction(4, 3)
        for packet in media.demux(video=0):
            if packet.size:
                packet.stream = copy
                out.mux_one(packet)
    made = reel(tmp_path / "a.mp4", tmp_path, deliverable, EDGES)
    assert (made.film.picture.rotation, made.film.picture.aspect) == (90, Fraction(4, 3))
    assert made.inspect(made.stitch()).findings == ()
    with av.open(str(made.path)) as media:
        assert next(media.decode(video=0)).rotation == 90
        assert media.streams.video[0].sample_aspect_ratio == Fraction(4, 3)


@pytest.mark.parametrize(
    "name",
    [
        "chaplin.mp4",
        "nasa-multistream.mp4",
        "vfr-rotated.mp4",
        "no-duration.webm",
        "audio-first.mp4",
        "flower-ntsc.mp4",
    ],
)
@pytest.mark.parametrize("deliverable", [MP4, MKV], ids=["mp4", "mkv"])
def test_real_films(tmp_path: Path, name: str, deliverable: Deliverable) -> None:
    if not (SHARED / name).exists():
        pytest.skip(f"{SHARED / name} is not on this machine")
    quick = deliverable.model_copy(update={"preset": "ultrafast", "crf": 40})
    made = reel(SHARED / name, tmp_path, quick, EDGES)
    assert made.inspect(made.stitch()).findings == ()
    same_sound(made.path, SHARED / name)


def test_a_webm_of_24_frames_a_second_is_exactly_that_in_mp4(tmp_path: Path) -> None:
    name = SHARED / "big-buck-bunny-30s.webm"
    if not name.exists():
        pytest.skip(f"{name} is not on this machine")
    made = reel(name, tmp_path, MP4.model_copy(update={"crf": 45}), (100,))
    assert made.timing.rule == "grid"
    assert made.inspect(made.stitch()).findings == ()
    with av.open(str(made.path)) as media:
        assert media.streams.video[0].average_rate == 24
    same_sound(made.path, name)


def test_priming_survives_mp4_to_mkv_to_mp4(tmp_path: Path) -> None:
    there = reel(Recipe(frames=40, sound="aac").make(tmp_path / "a.mp4"), tmp_path, FFV1, EDGES)
    there.stitch()
    back = reel(there.path, tmp_path, H264, EDGES)
    assert back.inspect(back.stitch()).findings == ()
    same_sound(back.path, there.source)


def test_opus_in_mp4_is_at_most_a_packet_longer(tmp_path: Path) -> None:
    # Matroska trims a last packet by samples, mp4 cannot.
    recipe = Recipe(frames=40, codec="libvpx", rate=Fraction(24), sound="libopus")
    made = reel(recipe.make(tmp_path / "a.webm"), tmp_path, MP4, EDGES)
    assert "longer" in made.plan.fates[1].detail
    assert made.inspect(made.stitch()).findings == ()
    ((_, ours),), ((_, theirs),) = sound_of(made.path), sound_of(made.source)
    assert 0 <= len(ours) - len(theirs) <= 960
    assert np.array_equal(ours[: len(theirs)], theirs)


def dropped(made: Reel) -> None:
    made.records.pop(1)


def swapped(made: Reel) -> None:
    made.records[0], made.records[1] = made.records[1], made.records[0]


def swapped_media(made: Reel) -> None:
    first, second = made.records[:2]
    made.records[0] = first.model_copy(update={"media": second.media})
    made.records[1] = second.model_copy(update={"media": first.media})


def too_short(made: Reel) -> None:
    made.records.pop()


def shorter_segment(made: Reel) -> None:
    made.records[1] = made.records[1].model_copy(update={"frames": Range(7, 19)})
    made.records[2] = made.records[2].model_copy(update={"frames": Range(19, 40)})


def other_encoder(made: Reel) -> None:
    made.records[2] = made.records[2].model_copy(update={"extradata_sha256": "0" * 64})


def false_extradata(made: Reel) -> None:
    made.records = [one.model_copy(update={"extradata_sha256": "0" * 64}) for one in made.records]


def damaged(made: Reel) -> None:
    path = Path(made.store) / "job" / made.records[1].media.key
    data = bytearray(path.read_bytes())
    data[-20] ^= 1
    path.write_bytes(bytes(data))


def other_film(made: Reel) -> None:
    timing = made.timing
    made.timing = Timing(
        timing.pts[:-1], timing.durations[:-1], timing.time_base, timing.origin, timing.rule, timing.rate
    )


@pytest.mark.parametrize(
    ("tamper", "said"),
    [
        (dropped, "do not tile"),
        (swapped, "do not tile"),
        (swapped_media, "damaged"),
        (too_short, "end at frame 20"),
        (shorter_segment, "damaged"),
        (other_encoder, "different codec headers"),
        (false_extradata, "codec header is not the recorded one"),
        (damaged, "its bytes are not the recorded ones"),
        (other_film, "not of this film"),
    ],
)
def test_what_does_not_join_is_refused_and_nothing_is_handed_over(
    tmp_path: Path, tamper: Callable[[Reel], None], said: str
) -> None:
    made = reel(Recipe(frames=40).make(tmp_path / "a.mp4"), tmp_path, H264, EDGES)
    tamper(made)
    with pytest.raises(FilmFailed, match=said):
        made.stitch()
    assert not made.path.exists()
