"""Containers whose tags would take libav minutes, or gigabytes, are refused before it reads them, wherever they lie; what films carry passes."""

import subprocess
import sys
from pathlib import Path

import pytest

from actors.media.container import opened
from actors.media.ebml import element
from actors.media.metadata.container_header import MOST_TAGS
from actors.media.metadata.ogg_comments import comments_in
from actors.media.metadata.vetting import refuse_costly
from actors.survey.describe import inspection
from actors.survey.surveyor import Surveyor
from jobs.errors import BadMedia
from jobs.store import open_store
from jobs.store.traffic import drain
from tests.actors.media.large_headers import FORMS, OWN, Parts, avi, matroska, mp4, udta

MANY: dict[str, Parts] = dict.fromkeys(FORMS, (MOST_TAGS + 100, 1)) | {
    "mkv": (200_000, 1),
    "ogg": (200_000, 1),
    "mp4": (60_000, 1),
}
"""Of those that are counted as libav reads them, few enough that it is soon."""
CHILD = """
import resource, sys, time
from actors.survey.surveyor import Surveyor
from jobs.errors import BadMedia
before = int(open("/proc/self/statm").read().split()[5]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_DATA, (before + (500 << 20),) * 2)
for path in sys.argv[1:]:
    began = time.process_time()
    try:
        Surveyor(path).film()
    except BadMedia as refused:
        print(time.process_time() - began < 5, refused)
"""


def refusals(*paths: Path) -> list[str]:
    """What a process that gets no more than 500 MiB is told of each, and whether within five seconds of a processor."""
    done = subprocess.run([sys.executable, "-c", CHILD, *map(str, paths)], capture_output=True, text=True, check=True)
    return done.stdout.splitlines()


def written(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path


def test_more_tags_than_libav_can_compare_are_refused_in_every_container(tmp_path: Path) -> None:
    paths = [written(tmp_path / f"many.{ending}", make(MANY[ending])) for ending, make in FORMS.items()]
    paths.append(written(tmp_path / "behind.mkv", matroska((200_000, 1), behind=True)))
    for path, told in zip(paths, refusals(*paths), strict=True):
        assert told.startswith(
            f"True The source {path} has more than 10,000 tags, or more texts, covers and attachments"
        )


def test_tags_of_many_megabytes_are_refused(tmp_path: Path) -> None:
    large = {
        "mkv": matroska((1, 66 << 20)),
        "behind.mkv": matroska((1, 66 << 20), behind=True),
        "mp4": mp4((1, 66 << 20)),
    }
    large |= {"mov": udta((1, 66 << 20)), "avi": avi((1, 97 << 20))}
    paths = [written(tmp_path / f"large.{ending}", data) for ending, data in large.items()]
    for path, told in zip(paths, refusals(*paths), strict=True):
        assert told.startswith(f"True The source {path} has more than 10,000 tags, or more texts, covers")


@pytest.mark.parametrize("ending", FORMS)
def test_what_films_carry_is_read(tmp_path: Path, ending: str) -> None:
    path = written(tmp_path / f"film.{ending}", FORMS[ending]((300, 100)))
    refuse_costly(str(path))
    with opened(str(path)) as film:
        picture = film.streams.video[0]
        assert len(film.metadata) + len(picture.metadata) >= 300
        assert sum(bool(packet.size) for packet in film.demux(picture)) == OWN


def test_a_cover_and_fonts_of_some_megabytes_pass(tmp_path: Path) -> None:
    fonts = element(bytes.fromhex("1941a469"), element(bytes.fromhex("61a7"), bytes(80 << 20)))
    whole = matroska((1, 1))
    place = whole.index(bytes.fromhex("1254c367"))
    refuse_costly(str(written(tmp_path / "fonts.mkv", whole[:place] + fonts + whole[place:])))
    refuse_costly(str(written(tmp_path / "cover.mov", udta((1, 20 << 20)))))


def test_what_is_advised_helps(tmp_path: Path) -> None:
    path = written(tmp_path / "many.mp4", mp4((MOST_TAGS + 1, 1)))
    with pytest.raises(BadMedia, match="more than 10,000 tags") as refused:
        Surveyor(str(path)).film()
    command = str(refused.value).partition("or try ")[2].partition(",")[0]
    words = command.replace("FILM", str(path)).replace("NEW", str(tmp_path / "new")).split()
    subprocess.run([*words, "-v", "error", "-nostdin"], check=True)
    assert len(Surveyor(str(tmp_path / "new.mkv")).film().tags) < 10


def test_who_only_looks_at_a_film_does_not_open_it_either(tmp_path: Path) -> None:
    path = written(tmp_path / "many.mkv", matroska((200_000, 1)))
    with pytest.raises(BadMedia, match="more than 10,000 tags"):
        inspection(str(path))


def test_damaged_headers_are_no_headers(tmp_path: Path) -> None:
    """Cut anywhere, or with any byte set to ones, they are told of by who opens them."""
    for ending in ("mkv", "mp4", "ogg"):
        whole = FORMS[ending]((3, 3))
        for place in range(0, len(whole), len(whole) // 40):
            for broken in (whole[:place] or b"x", whole[:place] + b"\xff" * 4 + whole[place + 4 :]):
                path = written(tmp_path / f"broken.{ending}", broken)
                refuse_costly(str(path))
                with path.open("rb") as file:
                    assert comments_in(file) >= 0


def test_in_s3_few_requests_are_made(s3_bucket: str) -> None:
    store = open_store(f"s3://{s3_bucket}/films")
    store.write("many.mkv", matroska((400_000, 1)))
    store.write("behind.mkv", matroska((400_000, 1), behind=True))
    store.write("some.mp4", mp4((9, 9)))
    for name in ("many.mkv", "behind.mkv"):
        drain()
        with pytest.raises(BadMedia, match="has more than 10,000 tags"):
            refuse_costly(f"s3://{s3_bucket}/films/{name}")
        assert 0 < drain().requests["read"] < 10
    refuse_costly(f"s3://{s3_bucket}/films/some.mp4")
    assert 0 < drain().requests["read"] < 5
