"""Small files that claim much are refused in a sentence, before they cost much; and what is within the limits is read."""

import io
import resource
import struct
import subprocess
import sys
import zlib
from fractions import Fraction
from pathlib import Path

import av
import pytest

from actors.media.container import decode_one, open_media, opened
from actors.media.limits import (
    LARGEST_SIDE,
    LONGEST_SECONDS,
    LONGEST_TAG,
    MOST_CHAPTERS,
    MOST_FRAMES,
    MOST_PIXELS,
    MOST_STREAMS,
    bounded_memory,
    refuse_size,
)
from actors.survey.packet_index import PacketRow, _page
from actors.survey.surveyor import Surveyor
from jobs.errors import BadMedia
from jobs.ledger.ledger import Ledger
from jobs.spec.job import Reading
from tests.actors.bombs import far_apart, many_chapters, many_frames, many_streams
from tests.actors.cutting import surveyed
from tests.films import Recipe


def png(width: int, height: int) -> bytes:
    """A whole grey picture of one tone: a thousandth of its pixels in bytes."""
    rows = zlib.compress(bytes(height * (width + 1)), 9)
    parts = ((b"IHDR", struct.pack(">2I5B", width, height, 8, 0, 0, 0, 0)), (b"IDAT", rows), (b"IEND", b""))
    chunks = (
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data)) for name, data in parts
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


def test_streams_are_counted(tmp_path: Path) -> None:
    film, _ = surveyed(many_streams(tmp_path / "some.mkv", MOST_STREAMS - 1))
    assert len(film.others) == MOST_STREAMS - 1
    for count in (MOST_STREAMS, 900):
        path = many_streams(tmp_path / f"{count}.mkv", count)
        with pytest.raises(BadMedia, match=rf"has more than {MOST_STREAMS} streams") as refused, opened(str(path)):
            pass
        assert str(refused.value).startswith(f"The source {path} has more than ")


def test_chapters_are_counted(tmp_path: Path) -> None:
    """A hundred thousand took the farm more than two minutes. What is advised helps on that very film."""
    for ending in ("mkv", "mp4"):
        surveyed(many_chapters(tmp_path / f"some.{ending}", 300))
        path = many_chapters(tmp_path / f"many.{ending}", MOST_CHAPTERS + 10)
        with pytest.raises(
            BadMedia, match=rf"has [\d,]+ chapters; up to {MOST_CHAPTERS:,} are carried: leave them out"
        ) as refused:
            Surveyor(str(path)).film()
        command = str(refused.value).partition("for example with ")[2].rstrip(".")
        words = command.replace("FILM", str(path)).replace("NEW", str(tmp_path / f"new-{ending}")).split()
        subprocess.run([*words, "-v", "error", "-nostdin"], check=True)
        surveyed(tmp_path / f"new-{ending}.mkv")


def test_a_film_that_libav_opens_for_hours_ends_the_worker_that_reads_it(tmp_path: Path) -> None:
    """Tags by their number take the square of it; here a fiftieth of a second is too long. What ends soon is left alone."""
    with av.open(str(tmp_path / "film.mkv"), "w") as out:
        stream = out.add_stream("ffv1", 24)
        stream.width, stream.height, stream.pix_fmt = 16, 16, "yuv420p"
        out.metadata.update({f"K{number}": "v" for number in range(5_000)})
        out.mux(stream.encode(av.VideoFrame(16, 16, "yuv420p")))
    opening = (
        "from actors.media.container import open_media\nfrom actors.media.limits import bounded_time\nimport sys\n"
    )
    opening += "for _ in 1, 2:\n  with bounded_time(float(sys.argv[2])): open_media(sys.argv[1], 'it')\nprint('read')"
    command = [sys.executable, "-c", opening, str(tmp_path / "film.mkv")]
    read, ended = (
        subprocess.run([*command, limit], capture_output=True, text=True, check=False) for limit in ("60", ".02")
    )
    assert (read.returncode, read.stdout) == (0, "read\n")
    assert (ended.returncode, ended.stdout) == (1, "")


def test_time_has_an_end(tmp_path: Path) -> None:
    surveyed(far_apart(tmp_path / "near.mkv", LONGEST_SECONDS - 10))
    path = far_apart(tmp_path / "far.mkv", 2 * LONGEST_SECONDS)
    with pytest.raises(BadMedia, match=r"far\.mkv lasts 200 hours by its time stamps; up to 100 are carried"):
        Surveyor(str(path)).film()
    # Whatever the header says, each packet is looked at.
    with pytest.raises(BadMedia, match=r"far\.mkv lasts 200 hours by its time stamps"):
        list(Surveyor(str(path)).pages())


def test_tables_get_no_more_memory(tmp_path: Path) -> None:
    """Some hundred bytes of tables that ask for gigabytes: libav takes the film for one without frames."""
    path = many_frames(tmp_path / "film.mp4", 50_000_000)
    assert path.stat().st_size < 8192
    before = resource.getrlimit(resource.RLIMIT_DATA)
    with bounded_memory(256 << 20), pytest.raises(BadMedia, match="without frames"):
        Surveyor(str(path)).film()
    assert resource.getrlimit(resource.RLIMIT_DATA) == before


class Greedy(io.BytesIO):
    """A file that cannot be read in any memory there is."""

    def read(self, size: int | None = -1, /) -> bytes:
        return bytes(1 << 60)


def test_what_gets_no_memory_is_refused() -> None:
    with pytest.raises(BadMedia, match="asks for more than 8 GiB of memory, or has more than 512 streams"):
        open_media(Greedy(b"x" * 4096), "The source")


def test_the_bound_holds_python_too_and_ends_with_the_last_block() -> None:
    with bounded_memory(64 << 20), bounded_memory(1 << 40), pytest.raises(MemoryError):
        bytearray(256 << 20)
    outer, inner = bounded_memory(64 << 20), bounded_memory()
    outer.__enter__()
    inner.__enter__()
    outer.__exit__(None, None, None)
    with pytest.raises(MemoryError):
        bytearray(256 << 20)
    inner.__exit__(None, None, None)
    assert len(bytearray(256 << 20)) == 256 << 20


@pytest.mark.parametrize(("size", "frames"), [((LARGEST_SIDE, 64), 1), ((2 * LARGEST_SIDE, LARGEST_SIDE), 0)])
def test_a_decoder_makes_no_larger_picture(tmp_path: Path, size: tuple[int, int], frames: int) -> None:
    """Two whole pictures, of a megabyte at most: the larger one is known by its header, and gets no memory."""
    path = tmp_path / "film.mov"
    with av.open(str(path), "w") as out:
        stream = out.add_stream("png", rate=24)
        stream.width, stream.height, stream.pix_fmt = 64, 64, "gray"
        packet = av.Packet(png(*size))
        packet.stream, packet.pts, packet.dts, packet.time_base = stream, 0, 0, Fraction(1, 24)
        out.mux(packet)
    with opened(str(path)) as container:
        video = container.streams.video[0]
        assert video.codec_context.options == {"max_pixels": str(MOST_PIXELS)}
        found = [frame for packet in container.demux(video) for frame in decode_one(video.codec_context, packet)]
    assert len(found) == frames


def test_sides_are_judged_by_the_longer() -> None:
    refuse_size(LARGEST_SIDE, LARGEST_SIDE, "The source")
    with pytest.raises(BadMedia, match=r"is 16x8193; up to 8,192 pixels in width and height are carried"):
        refuse_size(16, LARGEST_SIDE + 1, "The source")


def test_an_index_of_the_most_frames_is_within_the_memory() -> None:
    row = PacketRow(0, 0, 0, 0, False, False)
    page = _page([row] * 1000)
    bytes_each = sum(getattr(page, name).nbytes for name in PacketRow._fields) / 1000
    assert MOST_FRAMES * bytes_each < 1 << 30


def test_a_film_with_a_tag_that_no_paper_can_hold_is_refused(tmp_path: Path) -> None:
    film = Recipe(frames=3, size=(64, 48)).make(tmp_path / "film.mp4")
    for characters, fits in ((LONGEST_TAG, True), (LONGEST_TAG + 1, False)):
        tagged = str(tmp_path / f"{characters}.mkv")
        with av.open(str(film)) as source, av.open(tagged, "w") as target:
            stream = target.add_stream_from_template(source.streams.video[0])
            target.metadata["comment"] = "a" * characters
            for packet in source.demux(video=0):
                if packet.dts is not None:
                    packet.stream = stream
                    target.mux(packet)
        if fits:
            film_read = Surveyor(tagged).film()
            assert max(map(len, film_read.tags.values())) == characters
            ledger = Ledger.at(f"{tmp_path}/store", "film")
            ledger.keep_film(Reading(), film_read)
            assert ledger.film(Reading()) == film_read
        else:
            with pytest.raises(
                BadMedia, match=r"has a tag '(?i:comment)' of 1,048,577 characters; up to 1,048,576 are carried"
            ):
                Surveyor(tagged).film()
