"""Image sequences as films: every kind of picture file is surveyed, split and read back with its own samples, from a folder and from S3."""

import struct
import zlib
from contextlib import closing
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from av.video.codeccontext import VideoCodecContext
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from actors.media.chunk_reader import read_chunk
from actors.media.normalise import curved
from actors.media.pixel_formats import is_rgb, samples_of
from actors.media.planes import planes_of
from actors.render.splitter import Splitter
from actors.survey.surveyor import Surveyor
from actors.verify.compare import compare
from jobs.errors import BadMedia
from jobs.film.frame_index import FrameIndex
from jobs.film.source import Film
from jobs.ledger.ledger import Ledger
from jobs.plan.plan import Range
from jobs.spec.job import Reading
from jobs.store import open_store
from tests.actors.cutting import order_of
from tests.actors.media.test_normalise import noise, rgb_of
from tests.films import Recipe, remux

FRAMES = 7
RATE = Fraction(24000, 1001)
KINDS = {
    # ending, form: what its frames are worked on as, and whether the range is full
    ("png", "rgb24"): ("yuv444p10le", False),
    ("png", "rgb48be"): ("yuv444p16le", False),
    ("png", "gray"): ("gray", True),
    ("png", "gray16be"): ("gray16le", True),
    ("tiff", "rgb24"): ("yuv444p10le", False),
    ("tif", "rgb48le"): ("yuv444p16le", False),
    ("tiff", "gray16le"): ("gray16le", True),
    ("dpx", "rgb24"): ("yuv444p10le", False),
    ("dpx", "gbrp10le"): ("yuv444p12le", False),
    ("dpx", "gbrp12le"): ("yuv444p14le", False),
    ("dpx", "gray"): ("gray", True),
    ("jpg", "yuvj420p"): ("yuvj420p", True),
}
CODECS = {"jpg": "mjpeg", "tif": "tiff"}


def encoded(frame: VideoFrame, codec: str, options: dict[str, str] | None = None) -> bytes:
    """One picture file."""
    encoder = av.CodecContext.create(codec, "w")
    assert isinstance(encoder, VideoCodecContext)
    encoder.width, encoder.height, encoder.pix_fmt = frame.width, frame.height, frame.format.name
    encoder.time_base, encoder.options = Fraction(1, 24), options or {}
    return b"".join(bytes(one) for one in [*encoder.encode(frame), *encoder.encode(None)])


def sequence(place: str, ending: str, form: str, first: int = 996) -> str:
    """Frames of noise as files, whose numbers outgrow their zeros; gives the source's URL."""
    store = open_store(place)
    for number in range(FRAMES):
        frame = noise(form, (64, 48), seed=number)
        store.write(f"f.{first + number:03d}.{ending}", encoded(frame, CODECS.get(ending, ending)))
    return f"{place}/f.###.{ending}?rate={RATE}"


def surveyed(url: str) -> tuple[Film, FrameIndex]:
    surveyor = Surveyor(url, reading=Reading(alpha=True))
    return surveyor.film(), FrameIndex(list(surveyor.pages()), complete=True)


def chunk(url: str, store: str, film: Film, index: FrameIndex, read: Range) -> list[VideoFrame]:
    order = order_of(film, index, read)
    (record,) = Splitter(url, store, "job", 1).split([order])
    with closing(Ledger.at(store, "job").store.open(f"job/{record.media.key}")) as media:
        return list(read_chunk(media, order))


@pytest.mark.parametrize(("ending", "form"), KINDS)
def test_every_kind_of_picture_file_comes_back(tmp_path: Path, ending: str, form: str) -> None:
    url = sequence(str(tmp_path / "shot"), ending, form)
    film, index = surveyed(url)
    pix_fmt, full = KINDS[ending, form]
    picture = film.picture
    assert (picture.stored, picture.pix_fmt, picture.colour.full_range) == (form, pix_fmt, full)
    assert (picture.rate, picture.width, picture.height, index.frames) == (RATE, 64, 48, FRAMES)
    assert [pts * picture.time_base for pts in index.pts.tolist()] == [number / RATE for number in range(FRAMES)]
    frames = chunk(url, str(tmp_path / "store"), film, index, Range(2, 6))
    for number, frame in enumerate(frames, 2):
        path = tmp_path / "shot" / f"f.{996 + number:03d}.{ending}"
        with av.open(str(path)) as media:
            source = next(media.decode(video=0))
        same_samples(frame, source)


def same_samples(frame: VideoFrame, source: VideoFrame) -> None:
    """Asserts that R'G'B' of 8 to 12 bits comes back exactly, of 16 within two steps, and anything else sample by sample."""
    own, bits = samples_of(source), source.format.components[0].bits
    if not is_rgb(source.format.name):
        assert all(np.array_equal(one, other) for one, other in zip(planes_of(frame), own, strict=True))
        return
    planes = [plane.astype(np.float64) for plane in planes_of(frame)]
    back = rgb_of(planes, frame.format.components[0].bits, "bt709", bits)
    assert np.abs(back - np.stack(own).astype(np.int64)).max() <= (2 if bits == 16 else 0)


@pytest.mark.parametrize("kind", ["half", "float"])
def test_exr_is_linear_light_and_cut_above_white(tmp_path: Path, kind: str) -> None:
    light = np.linspace(0, 2, 64 * 48, dtype=np.float32).reshape(48, 64)
    for number in range(3):
        frame = VideoFrame(64, 48, "gbrpf32le")
        for plane, share in zip(frame.planes, (1.0, 0.5, 0.25), strict=True):  # green, blue, red
            plane.update((light * share).astype(np.float32).tobytes())
        (tmp_path / f"f.{number}.exr").write_bytes(encoded(frame, "exr", {"format": kind}))
    url = f"{tmp_path}/f.%d.exr?rate=24"
    film, index = surveyed(url)
    assert film.picture.stored == {"half": "gbrpf16le", "float": "gbrpf32le"}[kind]
    assert (film.picture.pix_fmt, film.picture.colour.transfer) == ("yuv444p16le", 1)
    assert any("brighter than white" in words for words in film.picture.remarks)
    (frame,) = chunk(url, str(tmp_path / "store"), film, index, Range(1, 2))
    back = rgb_of([plane.astype(np.float64) for plane in planes_of(frame)], 16, "bt709", 16)
    stored = light.astype(np.float16).astype(np.float32) if kind == "half" else light
    wanted = np.stack([curved(stored * share) for share in (0.25, 1.0, 0.5)])
    assert np.abs(back / 65535 - wanted).max() < 1e-3
    (whole,) = [Range(0, index.frames)]
    assert Surveyor(url).cuts(film.picture, index.span(*whole), whole, 0).cuts == ()


def test_a_sequence_in_s3_is_read_in_ranges(s3_bucket: str, tmp_path: Path) -> None:
    url = sequence(f"s3://{s3_bucket}/shots/a", "dpx", "gbrp10le")
    film, index = surveyed(url)
    frames = chunk(url, f"s3://{s3_bucket}/farm", film, index, Range(5, 7))
    for number, frame in enumerate(frames, 5):
        same_samples(frame, noise("gbrp10le", (64, 48), seed=number))


def test_a_file_that_was_exchanged_is_noticed(tmp_path: Path) -> None:
    url = sequence(str(tmp_path / "shot"), "png", "rgb24")
    film, index = surveyed(url)
    (tmp_path / "shot" / "f.999.png").write_bytes(encoded(noise("rgb24", (64, 48), seed=99), "png"))
    with pytest.raises(BadMedia, match="was changed since its survey"):
        chunk(url, str(tmp_path / "store"), film, index, Range(2, 6))


def test_alpha_is_refused_or_left_out_and_one_bit_is_not_known(tmp_path: Path) -> None:
    url = sequence(str(tmp_path / "alpha"), "png", "rgba")
    with pytest.raises(BadMedia, match=r"has an alpha channel \(rgba\)"):
        Surveyor(url).film()
    film, index = surveyed(url)
    assert film.picture.alpha_dropped
    (frame,) = chunk(url, str(tmp_path / "store"), film, index, Range(3, 4))
    back = rgb_of([plane.astype(np.float64) for plane in planes_of(frame)], 10, "bt709", 8)
    assert np.array_equal(back, np.stack(samples_of(noise("rgba", (64, 48), seed=3))))
    with pytest.raises(BadMedia, match="pixels in the form monob"):
        Surveyor(sequence(str(tmp_path / "bits"), "png", "monob")).film()


@pytest.mark.parametrize("form", ["gbrp10be", "gbrp10le"])
@pytest.mark.parametrize(("field", "timecode"), [(0x01223307, "01:22:33:07"), (0xFFFFFFFF, ""), (0x01000024, "")])
def test_the_time_code_of_the_first_dpx_is_the_films(tmp_path: Path, form: str, field: int, timecode: str) -> None:
    for number in range(3):
        file = encoded(noise(form, (64, 48), seed=number), "dpx")
        order = {b"SDPX": ">", b"XPDS": "<"}[file[:4]]
        (begins,) = struct.unpack_from(f"{order}I", file, 4)
        # libav writes no television header: 2048 bytes is where pictures begin after one.
        head = bytearray(file[:begins].ljust(2048, b"\xff"))
        struct.pack_into(f"{order}I", head, 4, 2048)
        struct.pack_into(f"{order}I", head, 16, len(file) + 2048 - begins)
        struct.pack_into(f"{order}I", head, 1920, field + number if field < 0xFFFFFFFF else field)
        (tmp_path / f"f.{number}.dpx").write_bytes(head + file[begins:])
    film = Surveyor(f"{tmp_path}/f.#.dpx?rate=24").film()
    assert (film.timecode, film.picture.rate) == (timecode, Fraction(24))
    assert order == {"gbrp10be": ">", "gbrp10le": "<"}[form]


def test_dpx_without_a_television_header_has_no_time_code(tmp_path: Path) -> None:
    assert Surveyor(sequence(str(tmp_path), "dpx", "gbrp10le")).film().timecode == ""


def huge(ending: str) -> bytes:
    """A picture file whose header says 16384x16384, with hardly anything behind it."""
    if ending == "png":
        chunks = (
            (b"IHDR", struct.pack(">2I5B", 16384, 16384, 8, 0, 0, 0, 0)),
            (b"IDAT", zlib.compress(bytes(9999))),
            (b"IEND", b""),
        )
        return b"\x89PNG\r\n\x1a\n" + b"".join(
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
            for kind, data in chunks
        )
    if ending == "dpx":
        file = bytearray(encoded(noise("gbrp10le", (64, 48), seed=1), "dpx"))
        struct.pack_into("<2I", file, 772, 16384, 16384)
        return bytes(file)
    file = bytearray(encoded(VideoFrame(64, 48, "gbrpf32le"), "exr"))
    window = file.index(b"dataWindow")
    struct.pack_into("<4i", file, window + 21, 0, 0, 16383, 16383)
    return bytes(file)


@pytest.mark.parametrize("ending", ["png", "dpx", "exr"])
def test_pictures_too_large_for_libav_are_called_too_large(tmp_path: Path, ending: str) -> None:
    for number in range(2):
        (tmp_path / f"f.{number}.{ending}").write_bytes(huge(ending))
    with pytest.raises(BadMedia, match=r"is 16384x16384; up to 8,192 pixels in width and height are carried"):
        Surveyor(f"{tmp_path}/f.#.{ending}?rate=24").film()


@pytest.mark.parametrize(
    ("side", "words"),
    [
        (9000, "is 9000x9000; up to 8,192 pixels"),
        (16384, "it is damaged, encrypted, or far larger than the 8,192 pixels a side"),
    ],
)
def test_so_are_those_whose_container_alone_tells(tmp_path: Path, side: int, words: str) -> None:
    source = Recipe(frames=2, codec="prores_ks", pix_fmt="yuv422p10le").make(tmp_path / "a.mov")

    def enlarge(stream: VideoStream) -> None:
        stream.width = stream.height = side

    large = remux(source, tmp_path / "b.mov", change=lambda place, data: bytes(len(data)), prepare=enlarge)
    with pytest.raises(BadMedia, match=words):
        Surveyor(str(large)).film()


def test_a_sequence_is_compared_like_any_film(tmp_path: Path) -> None:
    one = sequence(str(tmp_path / "a"), "png", "gray")
    other = sequence(str(tmp_path / "b"), "png", "gray", first=100)
    assert compare(one, other).same
    (tmp_path / "b" / "f.104.png").write_bytes(encoded(noise("gray", (64, 48), seed=99), "png"))
    assert compare(one, other).picture_differs_at == 4


@pytest.mark.parametrize(
    ("ending", "form"), [("png", "gray"), ("dpx", "rgb24"), ("jpg", "yuvj420p"), ("tiff", "rgb24")]
)
def test_a_single_picture_is_no_film(tmp_path: Path, ending: str, form: str) -> None:
    sequence(str(tmp_path), ending, form)
    with pytest.raises(BadMedia, match="is a single picture; name its sequence, with #### or %04d for the number"):
        Surveyor(f"{tmp_path}/f.998.{ending}").film()
