"""Prints, held against what renderers and dissolvers make of the same frames: byte for byte."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from actors.verify.compare import compare
from farm.film.calls import TranscodeCall
from farm.film.film_run import FilmRun
from farm.fleet.calls import Call, RetryPolicy
from farm.ops.status import statuses
from jobs.ledger.ledger import still_name
from jobs.records.orders import SegmentRecord
from jobs.records.transcode import serves
from jobs.spec.job import JobSpec
from tests.farm.inline import InlineFleet, rendered
from tests.farm.studio import same, spec_of
from tests.films import Recipe

WHOLE = {"detect": "adaptive", "threshold": 1000}
MASTER = {"name": "master", "codec": "ffv1"}
VIEW = {"name": "view", "preset": "ultrafast"}
NEGATIVE = {"name": "test-negative"}
DRIFT = {"name": "test-drift", "settings": {"dissolve": 3, "warmup": 2}}


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """60 frames, 10 a second, with sound."""
    return Recipe(frames=60, size=(96, 64), rate=Fraction(10), gop=4, sound="aac").make(
        tmp_path_factory.mktemp("film") / "film.mp4"
    )


def job(film: Path, folder: Path, *deliverables: dict[str, Any], **fields: Any) -> JobSpec:
    return spec_of(
        film,
        folder,
        **{"look": NEGATIVE, "shots": WHOLE, "chunk_seconds": 2, "deliverables": list(deliverables), **fields},
    )


def segments(made: FilmRun, file: str) -> list[tuple[str, str, Any]]:
    """Each by its digest: the hash of its bytes, and its still."""
    (plan,) = [one for one in made.deliverables if one.file == file]
    return [(one.digest, one.media.sha256, one.frames) for one in made.segments_of(plan)]


@pytest.mark.parametrize("look", [NEGATIVE, DRIFT], ids=["negative", "dissolved"])
def test_a_print_is_what_rendering_gives_byte_for_byte(film: Path, tmp_path: Path, look: dict[str, Any]) -> None:
    rendered(job(film, tmp_path / "a", MASTER, look=look))
    fleet = InlineFleet()
    printed = rendered(job(film, tmp_path / "a", MASTER, VIEW, look=look), fleet)
    verbs = fleet.verbs()
    assert (verbs["strike"], verbs["split"], verbs["render"], verbs["dissolve"]) == (3, 0, 0, 0)
    assert (
        printed.console.progress.chunks_rendered,
        printed.console.progress.chunks_printed,
        printed.report().chunks_printed,
        printed.report().conforms,
    ) == (
        0,
        3,
        3,
        True,
    )
    ordinary = rendered(job(film, tmp_path / "b", VIEW, look=look))
    assert segments(printed, "view.mp4") == segments(ordinary, "view.mp4")
    same(tmp_path / "a/out/view.mp4", tmp_path / "b/out/view.mp4")
    ours, theirs = (
        [made.ledger.record(name) for name, _, _ in segments(made, "view.mp4")] for made in (printed, ordinary)
    )
    assert [one.made_on for one in ours] == [one.made_on for one in theirs]  # type: ignore[union-attr]
    if look is NEGATIVE:
        for name, _, _ in segments(printed, "view.mp4"):
            assert printed.ledger.read(still_name(name)) == ordinary.ledger.read(still_name(name)) is not None


def test_the_lossless_one_need_not_be_a_deliverable_any_more(film: Path, tmp_path: Path) -> None:
    rendered(job(film, tmp_path, MASTER))
    fleet = InlineFleet()
    made = rendered(job(film, tmp_path, VIEW, {"name": "finer", "crf": 12}), fleet)
    # One decoding of a chunk serves both.
    assert (fleet.verbs()["strike"], fleet.verbs()["render"], made.report().conforms) == (3, 0, True)


def test_only_chunks_whose_frames_are_there_are_printed(film: Path, tmp_path: Path) -> None:
    first = rendered(job(film, tmp_path / "a", MASTER))
    first.ledger.set_aside(first.segments_of(first.deliverables[0])[1].digest)
    fleet = InlineFleet()
    made = rendered(job(film, tmp_path / "a", MASTER, VIEW), fleet)
    assert (
        fleet.verbs()["strike"],
        fleet.verbs()["render"],
        made.console.progress.chunks_printed,
        made.console.progress.chunks_rendered,
    ) == (2, 1, 2, 1)
    ordinary = rendered(job(film, tmp_path / "b", VIEW))
    assert segments(made, "view.mp4") == segments(ordinary, "view.mp4")


def test_a_dissolve_out_of_a_printed_chunk_is_still_made(film: Path, tmp_path: Path) -> None:
    first = rendered(job(film, tmp_path / "a", MASTER, look=DRIFT))
    ledger = first.ledger
    last = [one for one in first.segments_of(first.deliverables[0]) if one.frames.start >= 40]
    handles = [name for name in ledger.finished() if getattr(ledger.record(name), "kind", "") == "handles"]
    for name in (*(one.digest for one in last), *handles):
        ledger.set_aside(name)
    fleet = InlineFleet()
    made = rendered(job(film, tmp_path / "a", MASTER, VIEW, look=DRIFT), fleet)
    # The second chunk is printed, and shown to its look for the third one's dissolve alone.
    assert (fleet.verbs()["strike"], made.report().conforms) == (2, True)
    ordinary = rendered(job(film, tmp_path / "b", VIEW, look=DRIFT))
    assert segments(made, "view.mp4") == segments(ordinary, "view.mp4")


@pytest.mark.parametrize(
    "wish", [{"codec": "prores"}, {"codec": "h264", "depth": 10}, {"codec": "ffv1", "height": 128}]
)
def test_a_finer_form_is_rendered(film: Path, tmp_path: Path, wish: dict[str, Any]) -> None:
    rendered(job(film, tmp_path, MASTER))
    fleet = InlineFleet()
    rendered(job(film, tmp_path, {"name": "other", **wish}), fleet)
    assert (fleet.verbs()["strike"], fleet.verbs()["render"]) == (0, 3)


@pytest.mark.parametrize(
    ("mezzanine", "wish"),
    [
        (MASTER, {"codec": "h264", "height": 32}),
        ({"name": "hq", "codec": "prores", "profile": "hq"}, {"codec": "h264", "crf": 1}),
        ({"name": "hq", "codec": "prores", "profile": "hq"}, {"codec": "prores", "profile": "proxy"}),
    ],
    ids=["smaller", "h264", "proxy"],
)
def test_a_mezzanine_gives_nearly_the_same_under_names_of_its_own(
    film: Path, tmp_path: Path, mezzanine: dict[str, Any], wish: dict[str, Any]
) -> None:
    view = {"name": "view", **wish}
    first = rendered(job(film, tmp_path / "a", mezzanine))
    fleet = InlineFleet()
    made = rendered(job(film, tmp_path / "a", mezzanine, view), fleet)
    assert (
        fleet.verbs()["strike"],
        fleet.verbs()["render"],
        made.console.progress.chunks_printed,
        made.report().conforms,
    ) == (
        3,
        0,
        3,
        True,
    )
    ordinary = rendered(job(film, tmp_path / "b", view))
    (file,) = (one.file for one in made.deliverables if one.file.startswith("view"))
    ours, theirs = segments(made, file), segments(ordinary, file)
    assert not {name for name, *_ in ours} & {name for name, *_ in theirs}
    found = compare(str(tmp_path / "a/out" / file), str(tmp_path / "b/out" / file))
    assert (found.frames, found.times_differ_at) == ((60, 60), None)
    assert found.rgb_psnr is None or found.rgb_psnr.worst > 36
    # They are the chunks' own from then on: nothing is lacking, whichever deliverables a spec has, and the store's own view agrees.
    again = InlineFleet()
    rendered(job(film, tmp_path / "a", view), again)
    assert not {"strike", "split", "render"} & again.verbs().keys()
    (told,) = statuses(str(tmp_path / "a/store"), None)
    assert told.chunks_done == told.chunks == 3
    # Another master gives other prints: what was rendered otherwise is never mixed in.
    other = rendered(job(film, tmp_path / "a", mezzanine, view, look=DRIFT), InlineFleet())
    assert not {name for name, *_ in segments(other, file)} & {name for name, *_ in ours}
    assert first.console.progress.chunks_rendered == 3


def test_what_serves_what(film: Path, tmp_path: Path) -> None:
    made = rendered(job(film, tmp_path, MASTER, VIEW, {"name": "hq", "codec": "prores"}))
    master, view, finer = (one.encoding for one in made.deliverables)
    assert [serves(master, one) for one in (view, master, finer)] == ["exact", "exact", ""]
    assert [serves(finer, one) for one in (view, master, finer)] == ["mezzanine", "mezzanine", "mezzanine"]
    assert serves(view, view) == ""
    full = {"colour": master.colour.model_copy(update={"full_range": True})}
    for other, how in (
        (full, "mezzanine"),
        ({"rotation": 90}, ""),
        ({"pix_fmt": "yuv422p"}, "mezzanine"),
        ({"pix_fmt": "gbrp"}, ""),
    ):
        assert serves(master.model_copy(update=other), view) == how
    assert serves(master, view.model_copy(update={"encoder": "h264_nvenc"})) == ""
    proxy = finer.model_copy(update={"options": {**finer.options, "profile": "proxy"}})
    assert serves(proxy, view) == ""


def test_a_damaged_master_is_rendered_again(film: Path, tmp_path: Path) -> None:
    first = rendered(job(film, tmp_path / "a", MASTER))
    record = first.segments_of(first.deliverables[0])[0]
    media = tmp_path / "a/store/film" / record.media.key
    data = bytearray(media.read_bytes())
    data[len(data) // 2] ^= 1
    media.chmod(0o600)
    media.write_bytes(data)
    made = rendered(job(film, tmp_path / "a", MASTER, VIEW))
    assert made.report().conforms
    ordinary = rendered(job(film, tmp_path / "b", MASTER, VIEW))
    for file in ("master.mkv", "view.mp4"):
        assert segments(made, file) == segments(ordinary, file)


class Clumsy(InlineFleet):
    """A fleet whose printer never gets one chunk done."""

    def _made_by(self, call: Call) -> Any:
        if isinstance(call, TranscodeCall) and call.order.chunk == 2:
            raise OSError("the press is jammed")
        return super()._made_by(call)


def test_a_chunk_that_cannot_be_printed_is_rendered(film: Path, tmp_path: Path) -> None:
    rendered(job(film, tmp_path / "a", MASTER))
    fleet = Clumsy(budget=RetryPolicy(attempts=2))
    made = rendered(job(film, tmp_path / "a", MASTER, VIEW), fleet)
    assert (
        made.console.progress.chunks_printed,
        made.console.progress.chunks_rendered,
        made.aside.reports,
        made.report().conforms,
    ) == (
        2,
        1,
        {},
        True,
    )


def test_a_print_that_is_there_is_not_struck_again(film: Path, tmp_path: Path) -> None:
    rendered(job(film, tmp_path, MASTER))
    fleet = InlineFleet({"strike": 1})  # its worker is lost after the first finding
    made = rendered(job(film, tmp_path, MASTER, VIEW), fleet)
    assert (made.console.progress.chunks_printed, made.report().conforms) == (3, True)
    orders = [call.order for call in fleet.calls(TranscodeCall)]
    assert len(orders) == 3
    assert all(isinstance(made.ledger.record(one.digest), SegmentRecord) for order in orders for one in order.prints)
