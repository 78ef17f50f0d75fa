"""Containers: every codec in every container that holds it says what the paper says, and is decoded as its segments are."""

import subprocess
from fractions import Fraction
from pathlib import Path

import av
import pytest
from av.audio.stream import AudioStream
from av.video.stream import VideoStream

from actors.deliver.stitcher import Stitcher
from actors.survey.probe import timecode_of
from jobs.errors import BadMedia, BadSpec
from jobs.spec.codecs import CONTAINERS, PICTURES, PROFILES, Codec, Container
from jobs.spec.formats import Deliverable
from jobs.store import open_store
from jobs.store.s3.parts import PART
from tests.actors.mux.test_stream_plan import with_attachment
from tests.actors.reels import Reel, dressed, numbers_and_times, reel
from tests.films import Recipe

NTSC = Fraction(30000, 1001)
SMALL = Recipe(frames=12, size=(256, 128), sound="pcm_s16le", matrix="bt601")
PAIRS = [
    (codec, container, profile)
    for codec, containers in CONTAINERS.items()
    if codec not in PICTURES
    for container in containers
    for profile in PROFILES.get(codec, (None,))
]


def deliverable(codec: Codec, container: str, profile: str | None = None) -> Deliverable:
    return Deliverable(codec=codec, container=Container(container), profile=profile, preset="ultrafast", crf=30)


def proven(source: Path, folder: Path, one: Deliverable, edges: tuple[int, ...] = (5,)) -> Reel:
    """The deliverable, stitched, and inspected without a finding."""
    made = reel(source, folder, one, edges)
    assert made.inspect(made.stitch()).findings == ()
    return made


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("source")
    return dressed(SMALL.make(folder / "plain.mov"), folder / "a.mov", timecode="01:00:00:10")


@pytest.mark.parametrize(("codec", "container", "profile"), PAIRS)
def test_every_pair_says_what_the_paper_says(
    tmp_path: Path, source: Path, codec: Codec, container: str, profile: str | None
) -> None:
    made = proven(source, tmp_path, deliverable(codec, container, profile))
    assert numbers_and_times(made.path) == [(n, made.timing.at(n)) for n in range(12)]
    with av.open(str(made.path)) as media:
        picture = media.streams.video[0]
        assert timecode_of(media, picture) == ("" if container == "hls" else "01:00:00:10")
        # What a player goes by: the frame's own word, else the container's.
        assert int(next(media.decode(picture)).colorspace) in (5, 6)
    assert made.stitch() == made.stitch()


@pytest.mark.parametrize("container", ["mp4", "mov"])
def test_hevc_bears_the_tag_that_players_ask_for(tmp_path: Path, container: str) -> None:
    made = proven(
        Recipe(frames=6, size=(64, 48)).make(tmp_path / "a.mp4"), tmp_path, deliverable(Codec.HEVC, container)
    )
    with av.open(str(made.path)) as media:
        assert media.streams.video[0].codec_context.codec_tag == "hvc1"


@pytest.mark.parametrize(
    ("codec", "container"),
    [
        *((Codec.H264, one) for one in CONTAINERS[Codec.H264]),
        *((Codec.PRORES, one) for one in CONTAINERS[Codec.PRORES]),
        *((Codec.DNXHR, one) for one in CONTAINERS[Codec.DNXHR]),
        *((Codec.FFV1, one) for one in CONTAINERS[Codec.FFV1]),
    ],
)
@pytest.mark.parametrize("shape", [Fraction(64, 45), Fraction(399, 400)])
def test_pixels_keep_their_shape(tmp_path: Path, codec: Codec, container: str, shape: Fraction) -> None:
    wide = Recipe(frames=6, size=(256, 128), aspect=shape)
    made = proven(wide.make(tmp_path / "a.mp4"), tmp_path, deliverable(codec, container), (3,))
    assert shape_by_ffprobe(made.path) == shape
    assert numbers_and_times(made.path) == [(n, made.timing.at(n)) for n in range(6)]


def shape_by_ffprobe(path: Path) -> Fraction:
    """What another build of libav reads of the pixels' shape."""
    command = "ffprobe -v error -select_streams v:0 -show_entries stream=sample_aspect_ratio -of csv=p=0"
    said = subprocess.run([*command.split(), str(path)], capture_output=True, text=True, check=True).stdout
    return Fraction(said.split()[0].strip(",").replace(":", "/"))


@pytest.mark.parametrize("shape", [Fraction(64, 45), Fraction(45, 64), Fraction(1001, 997)])
def test_a_turned_anamorphic_film_with_a_font_and_sound_is_ffv1_in_mkv(tmp_path: Path, shape: Fraction) -> None:
    recipe = Recipe(frames=6, size=(180, 144), aspect=shape, sound="aac")
    with_font = attached(recipe.make(tmp_path / "plain.mp4"), tmp_path / "a.mkv", 90)
    made = proven(with_font, tmp_path, deliverable(Codec.FFV1, "mkv"), (3,))
    assert shape_by_ffprobe(made.path) == shape
    with av.open(str(made.path)) as media:
        assert [one.type for one in media.streams] == ["video", "audio", "attachment"]
        assert next(media.decode(video=0)).rotation == 90
    # Another reader's word that nothing beside was spoilt: checksums of elements, stamps, packets.
    check = ["ffmpeg", "-v", "error", "-err_detect", "crccheck", "-i", str(made.path), "-c", "copy", "-f", "null", "-"]
    assert subprocess.run(check, capture_output=True, text=True, check=True).stderr == ""


def attached(source: Path, path: Path, turned: int) -> Path:
    """The film in Matroska, turned, with a font attached; H.264 says its pixels' shape itself."""
    with av.open(str(source)) as media, av.open(str(path), "w") as out:
        copies = [
            out.add_stream_from_template(one, opaque=True) for one in (media.streams.video[0], media.streams.audio[0])
        ]
        assert isinstance(copies[0], VideoStream)
        copies[0].set_display_rotation(turned)
        out.add_attachment("a.ttf", "font/ttf", b"not really a font")
        for packet in media.demux(video=0, audio=0):
            if packet.size:
                packet.stream = copies[isinstance(packet.stream, AudioStream)]
                out.mux(packet)
    return path


def test_another_picture_that_comes_along_keeps_its_shape(tmp_path: Path) -> None:
    first = Recipe(frames=6, size=(64, 48)).make(tmp_path / "first.mkv")
    other = Recipe(frames=6, size=(64, 48), codec="mpeg4", aspect=Fraction(16, 11)).make(tmp_path / "other.mp4")
    source = tmp_path / "a.mkv"
    both = ["ffmpeg", "-v", "error", "-i", str(first), "-i", str(other), "-map", "0:v", "-map", "1:v", "-c", "copy"]
    both += ["-disposition:v:0", "default", "-disposition:v:1", "0"]
    subprocess.run([*both, str(source)], check=True)
    made = proven(source, tmp_path, deliverable(Codec.FFV1, "mkv"), (3,))
    with av.open(str(made.path)) as media:
        assert [one.sample_aspect_ratio or 1 for one in media.streams.video] == [1, Fraction(16, 11)]


def test_the_shape_of_the_pixels_is_written_in_a_bucket_too(tmp_path: Path, s3_bucket: str) -> None:
    # Long enough for parts: the head is written anew while the rest has gone.
    noise = Recipe(frames=40, size=(720, 576), aspect=Fraction(64, 45), pix_fmt="yuv444p", codec="ffv1")
    for codec, container in ((Codec.FFV1, "mkv"), (Codec.DNXHR, "mxf")):
        folder = tmp_path / container
        folder.mkdir()
        made = reel(noise.make(folder / "a.mp4"), folder, deliverable(codec, container), (5,))
        local = made.stitch()
        assert local.bytes > 0
        where = (str(made.source), made.store, "job", f"s3://{s3_bucket}/{container}")
        *_, facts = Stitcher(*where).stitch(made.film, made.plan, made.timing, made.records)
        assert facts == local
        there = open_store(where[-1]).read(made.plan.file)
        assert there == made.path.read_bytes()
        assert shape_by_ffprobe(made.path) == Fraction(64, 45)


def test_mxf_takes_no_turned_picture_and_no_rate_without_a_number(tmp_path: Path) -> None:
    turned = Recipe(frames=4, size=(64, 48), rotation=90).make(tmp_path / "turned.mp4")
    with pytest.raises(BadSpec, match=r"turned by 90 degrees.*container: mov"):
        reel(turned, tmp_path, deliverable(Codec.PRORES, "mxf"))
    slow = Recipe(frames=4, size=(64, 48), rate=Fraction(12)).make(tmp_path / "slow.mp4")
    with pytest.raises(BadSpec, match=r"12 frames a second.*container: mov"):
        reel(slow, tmp_path, deliverable(Codec.PRORES, "mxf"))
    uneven = Recipe(frames=12, size=(64, 48), rate=Fraction(24), times=lambda n: n + n // 4).make(tmp_path / "b.mp4")
    with pytest.raises((BadSpec, BadMedia), match="container: mov"):
        reel(uneven, tmp_path, deliverable(Codec.PRORES, "mxf"))


@pytest.mark.parametrize(("frames", "rate"), [(7, NTSC), (11, Fraction(60000, 1001)), (9, Fraction(25))])
@pytest.mark.parametrize("seconds", [Fraction(-1, 7), Fraction(1, 7)])
def test_sound_in_mxf_is_as_long_as_the_picture(tmp_path: Path, frames: int, rate: Fraction, seconds: Fraction) -> None:
    picture = Recipe(frames=frames, size=(64, 48), rate=rate).make(tmp_path / "plain.mov")
    samples = round((frames / rate + seconds) * 48000)
    made = proven(with_sound(picture, tmp_path / "a.mov", samples), tmp_path, deliverable(Codec.PRORES, "mxf"), (3,))
    with av.open(str(made.path)) as media:
        heard = sum(one.samples for one in media.decode(audio=0))
    assert heard == round(frames / rate * 48000)


def with_sound(picture: Path, path: Path, samples: int) -> Path:
    """A film with so many samples of PCM beside its picture."""
    with av.open(str(picture)) as media, av.open(str(path), "w") as out:
        copy = out.add_stream_from_template(media.streams.video[0], opaque=True)
        sound = out.add_stream("pcm_s16le", rate=48000, layout="mono")
        frame = av.AudioFrame(format="s16", layout="mono", samples=samples)
        frame.planes[0].update(
            bytes(range(1, 251)) * (frame.planes[0].buffer_size // 250) + bytes(frame.planes[0].buffer_size % 250)
        )
        frame.sample_rate, frame.pts, frame.time_base = 48000, 0, Fraction(1, 48000)
        for packet in media.demux(video=0):
            if packet.size:
                packet.stream = copy
                out.mux_one(packet)
        out.mux(sound.encode(frame))
        out.mux(sound.encode(None))
    return path


TIME_CODES = [
    ("01:00:00;02", NTSC),
    ("10:00:59;58", Fraction(60000, 1001)),
    ("23:59:59:23", Fraction(24)),
    ("00:59:58:24", Fraction(25)),
]


@pytest.mark.parametrize(("code", "rate"), TIME_CODES)
def test_time_code_comes_along(tmp_path: Path, code: str, rate: Fraction) -> None:
    plain = Recipe(frames=6, size=(64, 48), rate=rate).make(tmp_path / "plain.mov")
    source = dressed(plain, tmp_path / "a.mov", timecode=code)
    for codec, container in ((Codec.H264, "mp4"), (Codec.PRORES, "mov"), (Codec.PRORES, "mxf"), (Codec.FFV1, "mkv")):
        made = proven(source, tmp_path, deliverable(codec, container), (3,))
        with av.open(str(made.path)) as media:
            assert timecode_of(media, media.streams.video[0]) == code


def test_another_time_code_is_found(tmp_path: Path, source: Path) -> None:
    for codec, container in ((Codec.H264, "mp4"), (Codec.PRORES, "mxf"), (Codec.FFV1, "mkv")):
        made = proven(source, tmp_path, deliverable(codec, container))
        facts = made.stitch()
        made.film = made.film.model_copy(update={"timecode": "01:00:00:11"})
        assert made.inspect(facts).findings == ("its time code is 01:00:00:10 and not 01:00:00:11",)


def test_a_variable_rate_may_have_a_time_code(tmp_path: Path) -> None:
    uneven = Recipe(frames=12, size=(64, 48), rate=Fraction(24), times=lambda n: n + n // 4)
    source = dressed(uneven.make(tmp_path / "plain.mov"), tmp_path / "a.mov", timecode="01:00:00:00")
    for container in ("mp4", "mov", "mkv"):
        made = proven(source, tmp_path, deliverable(Codec.H264, container))
        assert [time for _, time in numbers_and_times(made.path)] == [made.timing.at(n) for n in range(12)]


@pytest.mark.parametrize(("codec", "container"), [(Codec.H264, "mov"), (Codec.H264, "mp4"), (Codec.PRORES, "mov")])
def test_two_hundred_segments_are_exact(tmp_path: Path, codec: Codec, container: str) -> None:
    source = Recipe(frames=200, size=(64, 48)).make(tmp_path / "a.mp4")
    made = proven(source, tmp_path, deliverable(codec, container), tuple(range(1, 200)))
    with av.open(str(made.path)) as media:
        picture = media.streams.video[0]
        assert (picture.average_rate, picture.start_time) == (Fraction(24000, 1001), 0)
        times = sorted(one.pts * one.time_base for one in media.demux(picture) if one.size and one.pts is not None)
    assert times == [n * Fraction(1001, 24000) for n in range(200)]


@pytest.mark.parametrize("kind", ["fonts", "prores in mxf"])
def test_what_is_patched_behind_its_head_goes_to_s3_all_the_same_and_the_plan_says_how(
    tmp_path: Path, s3_bucket: str, kind: str
) -> None:
    if kind == "fonts":
        # As many as to lie across the part that is held back.
        source, wish = with_attachment(tmp_path / "a.mkv", bytes(PART - 1000)), deliverable(Codec.H264, "mkv")
    else:
        source = Recipe(frames=4, size=(64, 48)).make(tmp_path / "a.mkv")
        wish = deliverable(Codec.PRORES, "mxf")
    made = reel(source, tmp_path, wish, (2,))
    stitcher = Stitcher(str(source), made.store, "job", f"s3://{s3_bucket}/out")
    list(stitcher.stitch(made.film, made.plan, made.timing, made.records))
    made.stitch()
    assert stitcher.output.read(made.plan.file) == made.path.read_bytes()
    assert "put together on the worker's own disk" in made.plan.fates[0].detail
