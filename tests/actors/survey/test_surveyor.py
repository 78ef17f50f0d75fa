"""The survey: what a film is, its index after any interruption, its cuts in any ranges, and what is refused with one sentence."""

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from av.stream import Disposition
from av.video.stream import VideoStream

from actors.media.container import open_media, picture_stream
from actors.media.pixel_formats import carried
from actors.survey.surveyor import Surveyor
from jobs.errors import BadMedia
from jobs.film.source import Colour
from jobs.spec.job import Reading
from tests.actors.cutting import clip, surveyed
from tests.films import KINDS, Recipe, remux, serial


def x264(**more: str) -> dict[str, str]:
    return {"x264-params": ":".join(f"{name}={value}" for name, value in more.items())}


# what a film is


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_is_indexed_frame_by_frame(tmp_path: Path, kind: str) -> None:
    path = KINDS[kind].make(tmp_path / kind)
    film, index = surveyed(path)
    recipe = KINDS[kind]
    assert index.frames == recipe.frames - recipe.hidden == len(serial(path))
    assert (film.picture.width, film.picture.height, film.picture.pix_fmt) == (*recipe.size, recipe.pix_fmt)
    assert film.source == str(path)
    assert film.identity.bytes == path.stat().st_size
    if recipe.times is None:
        assert film.picture.rate == recipe.rate
        assert abs(film.seconds - recipe.frames / recipe.rate) < 0.5
    assert [other.kind for other in film.others] == (["audio"] if recipe.sound else [])
    assert all(other.codec == recipe.sound for other in film.others)


@pytest.mark.parametrize(
    ("recipe", "colour"),
    [
        (Recipe(frames=2), Colour(matrix="bt601", full_range=False, primaries=6, transfer=6, space=6, assumed=True)),
        (
            Recipe(frames=2, size=(1280, 720)),
            Colour(matrix="bt709", full_range=False, primaries=1, transfer=1, space=1, assumed=True),
        ),
        (
            Recipe(frames=2, pix_fmt="yuvj420p"),
            Colour(matrix="bt601", full_range=True, primaries=6, transfer=6, space=6, assumed=True),
        ),
        (
            Recipe(frames=2, options=x264(colormatrix="bt709")),
            Colour(matrix="bt709", full_range=False, primaries=1, transfer=1, space=1, assumed=False),
        ),
        (
            Recipe(frames=2, size=(1280, 720), pix_fmt="yuvj420p", options=x264(colormatrix="bt470bg")),
            Colour(matrix="bt601", full_range=True, primaries=5, transfer=6, space=5, assumed=False),
        ),
        (
            Recipe(frames=2, options=x264(colormatrix="bt2020nc", colorprim="bt2020", transfer="smpte2084")),
            Colour(matrix="bt2020", full_range=False, primaries=9, transfer=16, space=9, assumed=False),
        ),
        (
            Recipe(frames=2, codec="ffv1", pix_fmt="gray"),
            Colour(matrix="bt601", full_range=False, primaries=6, transfer=6, space=6, assumed=True),
        ),
    ],
)
def test_colour_is_as_tagged_or_assumed_by_its_lines(tmp_path: Path, recipe: Recipe, colour: Colour) -> None:
    assert Surveyor(str(recipe.make(tmp_path / "film.mkv"))).film().picture.colour == colour


@pytest.mark.parametrize(("picture", "container"), [(1, 2), (2, 1)])
def test_the_pictures_own_range_goes_before_its_containers(tmp_path: Path, picture: int, container: int) -> None:
    source = Recipe(frames=2, matrix="bt709", full=picture == 2).make(tmp_path / "a.mkv")

    def tell_another(stream: VideoStream) -> None:
        stream.codec_context.color_range = container

    other = remux(source, tmp_path / "b.mkv", prepare=tell_another)
    with av.open(str(other)) as media:
        assert media.streams.video[0].codec_context.color_range == container
    assert Surveyor(str(other)).film().picture.colour.full_range is (picture == 2)


@pytest.mark.parametrize("name", ["a.mkv", "a.nut", "a.mp4", "a.ts"])
def test_a_late_start_is_no_part_of_the_length(tmp_path: Path, name: str) -> None:
    film = Surveyor(str(Recipe(rate=Fraction(24), start=24 * 3600).make(tmp_path / name))).film()
    assert abs(film.seconds - 2) < 0.2


@pytest.mark.parametrize("degrees", [0, 90, 180, 270])
def test_rotation_is_counter_clockwise(tmp_path: Path, degrees: int) -> None:
    source = Recipe(frames=3).make(tmp_path / "film.mp4")
    turned = remux(source, tmp_path / "turned.mp4", prepare=lambda stream: stream.set_display_rotation(degrees))
    assert Surveyor(str(turned)).film().picture.rotation == degrees


def test_the_default_picture_is_taken_and_a_cover_is_not(tmp_path: Path) -> None:
    path = tmp_path / "film.mp4"
    with av.open(str(path), "w") as out:
        streams = [out.add_stream(codec, rate=24) for codec in ("mjpeg", "libx264", "libx264")]
        wishes = (Disposition.attached_pic, Disposition(0), Disposition.default)
        for stream, wish in zip(streams, wishes, strict=True):
            assert isinstance(stream, VideoStream)
            stream.width, stream.height, stream.disposition = 64, 32, wish
            stream.pix_fmt = "yuvj420p" if stream.index == 0 else "yuv420p"
        for stream in streams:
            assert isinstance(stream, VideoStream)
            for number in range(1 if stream.index == 0 else 3):
                frame = Recipe(size=(64, 32), pix_fmt=str(stream.pix_fmt)).frame(number)
                frame.pts, frame.time_base = number, Fraction(1, 24)
                out.mux(stream.encode(frame))
            out.mux(stream.encode(None))
    film = Surveyor(str(path)).film()
    assert film.picture.codec == "h264"
    with av.open(str(path)) as container:
        chosen = container.streams[film.picture.stream]
        assert chosen.disposition & Disposition.default
        assert not chosen.disposition & Disposition.attached_pic
    assert len(film.others) == 2


def test_real_clips_are_what_their_makers_say() -> None:
    turned = Surveyor(str(clip("vfr-rotated.mp4"))).film()
    assert turned.picture.rotation == 180
    sound_first = Surveyor(str(clip("audio-first.mp4"))).film()
    assert (sound_first.picture.stream, sound_first.others[0].kind) == (1, "audio")
    many = Surveyor(str(clip("nasa-multistream.mp4"))).film()
    assert [other.kind for other in many.others].count("subtitle") == 2
    assert Surveyor(str(clip("bt709-full-range.mp4"))).film().picture.colour.full_range


@pytest.mark.parametrize(
    ("name", "yes"),
    [
        *((name, True) for name in ("yuv420p", "yuvj422p", "yuv444p12le", "gray", "gray10le", "gray16le", "yuv411p")),
        *((name, False) for name in ("nv12", "p010le", "yuyv422", "rgb24", "gbrp10le", "pal8", "xyz12le")),
        *((name, False) for name in ("yuva420p", "ya8", "gray16be", "yuv420p10be", "grayf32le", "grayf16le", "monob")),
    ],
)
def test_pixel_formats(name: str, yes: bool) -> None:
    assert carried(name) is yes


@pytest.mark.parametrize(
    ("recipe", "words"),
    [
        (Recipe(options=x264(tff="1")), r"is interlaced; set deinterlace: bwdif \(--deinterlace bwdif\) to have"),
        (Recipe(options=x264(colormatrix="smpte240m")), "colours by matrix 7"),
        (Recipe(codec="ffv1", pix_fmt="yuva420p"), r"alpha channel \(yuva420p\).*set drop: unsupported"),
        (Recipe(codec="ffv1", pix_fmt="bgra"), "has an alpha channel"),
        (Recipe(codec="ffv1", size=(8194, 16), frames=1), "is 8194x16; up to 8,192"),
    ],
)
def test_pictures_that_are_not_carried_are_refused(tmp_path: Path, recipe: Recipe, words: str) -> None:
    with pytest.raises(BadMedia, match=words):
        Surveyor(str(recipe.make(tmp_path / "film.mkv"))).film()


@pytest.mark.parametrize(
    ("recipe", "reading", "picture"),
    [
        (Recipe(codec="ffv1", pix_fmt="gbrp10le"), Reading(), ("gbrp10le", "yuv444p12le", 12, False, False)),
        (Recipe(codec="ffv1", pix_fmt="bgra"), Reading(alpha=True), ("bgra", "yuv444p10le", 10, False, True)),
        (Recipe(codec="ffv1", pix_fmt="yuva420p"), Reading(alpha=True), ("yuva420p", "yuv420p", 8, False, True)),
        (Recipe(codec="rawvideo", pix_fmt="uyvy422"), Reading(), ("uyvy422", "yuv422p", 8, False, False)),
        (Recipe(options=x264(tff="1")), Reading(deinterlace=True), ("yuv420p", "yuv420p", 8, True, False)),
        (Recipe(codec="mpeg2video"), Reading(deinterlace=True), ("yuv420p", "yuv420p", 8, False, False)),
    ],
)
def test_what_pictures_are_developed_to(
    tmp_path: Path, recipe: Recipe, reading: Reading, picture: tuple[str, str, int, bool, bool]
) -> None:
    found = Surveyor(str(recipe.make(tmp_path / "film.mkv")), reading=reading).film().picture
    assert (found.stored, found.pix_fmt, found.depth, found.deinterlace, found.alpha_dropped) == picture
    assert found.developed is (picture[0] != picture[1] or picture[3])
    assert bool(found.remarks) is (found.developed and "uyvy" not in picture[0])


@pytest.mark.parametrize(("order", "fields"), [("tt", "top"), ("bb", "bottom")])
def test_fields_that_only_the_header_tells_of(tmp_path: Path, order: str, fields: str) -> None:
    path = Recipe(frames=3, codec="ffv1", options={"field_order": order}).make(tmp_path / "film.mkv")
    with pytest.raises(BadMedia, match="is interlaced; set deinterlace"):
        Surveyor(str(path)).film()
    picture = Surveyor(str(path), reading=Reading(deinterlace=True)).film().picture
    assert (picture.deinterlace, picture.fields) == (True, fields)


def test_colours_of_rgb_are_limited_range_of_its_primaries(tmp_path: Path) -> None:
    plain = Surveyor(str(Recipe(codec="ffv1", pix_fmt="gbrp10le", frames=2).make(tmp_path / "a.mkv"))).film()
    assert plain.picture.colour == Colour(
        matrix="bt709", full_range=False, primaries=1, transfer=1, space=1, assumed=True
    )
    wide = remux(tmp_path / "a.mkv", tmp_path / "b.mkv", prepare=_as_bt2020)
    assert Surveyor(str(wide)).film().picture.colour.matrix == "bt2020"


def _as_bt2020(stream: VideoStream) -> None:
    stream.codec_context.color_primaries = 9


def test_the_spec_chooses_among_pictures(tmp_path: Path) -> None:
    path = tmp_path / "film.mkv"
    with av.open(str(path), "w") as out:
        recipes = (Recipe(size=(64, 32), frames=3, codec="ffv1"), Recipe(size=(96, 64), frames=5, codec="ffv1"))
        streams = [out.add_stream("ffv1", rate=24) for _ in recipes]
        for stream, recipe in zip(streams, recipes, strict=True):
            assert isinstance(stream, VideoStream)
            stream.width, stream.height = recipe.size
            stream.pix_fmt = "yuv420p"
        for stream, recipe in zip(streams, recipes, strict=True):
            assert isinstance(stream, VideoStream)
            for number in range(recipe.frames):
                frame = recipe.frame(number)
                frame.pts, frame.time_base = number, Fraction(1, 24)
                out.mux(stream.encode(frame))
            out.mux(stream.encode(None))
    chosen = Surveyor(str(path), reading=Reading(video=1))
    film = chosen.film()
    assert (film.picture.stream, film.picture.width, [one.stream for one in film.others]) == (1, 96, [0])
    assert sum(map(len, chosen.pages())) == 5
    assert Surveyor(str(path)).film().picture.width == 64
    with pytest.raises(BadMedia, match=r"no video stream 2; set video to .*: 0 \(ffv1, 64x32\), 1 \(ffv1, 96x64\)\."):
        Surveyor(str(path), reading=Reading(video=2)).film()


def test_mirrored_pictures_are_refused(tmp_path: Path) -> None:
    source = Recipe(frames=3).make(tmp_path / "film.mp4")
    flipped = remux(source, tmp_path / "m.mp4", prepare=lambda stream: stream.set_display_rotation(0, hflip=True))
    with pytest.raises(BadMedia, match="mirrored"):
        Surveyor(str(flipped)).film()


def test_encrypted_films_are_refused(tmp_path: Path) -> None:
    key = "0123456789abcdef" * 2
    source = Recipe(frames=3).make(tmp_path / "film.mp4")
    locked = remux(
        source, tmp_path / "locked.mp4", encryption_scheme="cenc-aes-ctr", encryption_key=key, encryption_kid=key
    )
    with pytest.raises(BadMedia, match="is encrypted; deliver it without"):
        Surveyor(str(locked)).film()


# files that are no films


def only_sound(path: Path) -> None:
    with av.open(str(path), "w") as out:
        stream = out.add_stream("flac", rate=48000, layout="mono")
        silence = av.AudioFrame.from_ndarray(np.zeros((1, 4608), np.int16), format="s16", layout="mono")
        silence.sample_rate = 48000
        out.mux(stream.encode(silence))
        out.mux(stream.encode(None))


def no_frames(path: Path) -> None:
    kind = {"movflags": "empty_moov+frag_keyframe"} if path.suffix == ".mp4" else {}
    with (
        av.open(str(path), "w", container_options=kind) as out,
        av.open(str(Recipe(frames=2).make(path.with_name("two.mkv")))) as old,
    ):
        out.add_stream_from_template(old.streams.video[0])
        out.start_encoding()


def beheaded(path: Path) -> None:
    whole = Recipe().make(path.with_name("whole.mp4")).read_bytes()
    path.write_bytes(whole[: len(whole) // 2])


def noise(path: Path) -> None:
    remux(Recipe(frames=12).make(path.with_name("whole.mp4")), path, change=lambda place, data: bytes(len(data)))


@pytest.mark.parametrize(
    ("name", "fill", "words"),
    [
        ("text.mp4", lambda path: path.write_text("This is no film.\n" * 100), "is not a video"),
        ("empty.mp4", lambda path: path.write_bytes(b""), "is empty"),
        ("cut.mp4", beheaded, "truncated mp4 or mov"),
        ("cut.mkv", lambda path: path.write_bytes(b"\x1a\x45\xdf\xa3" + bytes(99)), "truncated or damaged mkv"),
        ("sound.mka", only_sound, "has no video stream"),
        ("none.mkv", no_frames, "truncated or damaged mkv"),
        ("none.mp4", no_frames, "without frames"),
        ("noise.mp4", noise, "has no first frame that can be decoded"),
        ("list.m3u8", lambda path: path.write_text("#EXTM3U\n#EXTINF:1,\n/etc/passwd\n"), "is an HLS play list"),
        ("list.mp4", lambda path: path.write_text("ffconcat version 1.0\nfile a.mp4\n"), "is a concat list"),
        ("list.mpd", lambda path: path.write_text('<?xml version="1.0"?>\n<MPD></MPD>\n'), "is a DASH manifest"),
    ],
)
def test_what_is_no_film_is_refused_in_one_sentence(
    tmp_path: Path, name: str, fill: Callable[[Path], None], words: str
) -> None:
    path = tmp_path / name
    fill(path)
    with pytest.raises(BadMedia, match=words) as refused:
        Surveyor(str(path)).film()
    assert str(path) in str(refused.value)
    assert "\n" not in str(refused.value)
    assert str(refused.value).endswith(".")


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadMedia, match="does not exist"):
        Surveyor(str(tmp_path / "gone.mp4")).film()
    with pytest.raises(BadMedia, match="does not exist"):
        open_media(str(tmp_path / "gone.mp4"), "The film")


def test_a_stream_is_opened_like_a_file(tmp_path: Path) -> None:
    path = Recipe(frames=5).make(tmp_path / "film.mp4")
    with path.open("rb") as file, open_media(file, "The film") as container:
        assert picture_stream(container, "The film").codec_context.width == 192


def test_avi_with_b_frames_is_refused(tmp_path: Path) -> None:
    # libav fills in decode times: every frame would bear another's number.
    with pytest.raises(BadMedia, match="wrong display times"):
        Surveyor(str(Recipe().make(tmp_path / "film.avi"))).film()
