"""Seams of looks with a memory, through the whole driver: no step across one, nothing changed where nothing differs, nothing made twice."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from farm.film.calls import RenderCall
from farm.film.film_run import FilmRun
from jobs.digest import sealed
from jobs.errors import FilmFailed
from jobs.records.orders import HandlesRecord, SegmentRecord
from tests.actors.cutting import clip
from tests.farm.inline import InlineFleet, quiet, rendered
from tests.farm.studio import same, spec_of
from tests.films import Recipe, plane_of

NO_CUTS = {"detect": "adaptive", "threshold": 1000}
BOTH = [{"name": "film", "codec": "ffv1"}, {"name": "view", "codec": "h264", "preset": "ultrafast"}]


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One shot of 240 frames, 16 a second."""
    return Recipe(frames=240, size=(128, 96), rate=Fraction(16)).make(tmp_path_factory.mktemp("film") / "film.mp4")


def drift(**settings: Any) -> dict[str, Any]:
    return {"name": "test-drift", "settings": settings}


def calm(domain: str = "chroma") -> dict[str, Any]:
    return {"name": "test-calm", "settings": {"domain": domain}}


def steps(path: Path) -> NDArray[np.float64]:
    """How far chroma moves from each frame to the next: the mean over the picture, in codes."""

    def chroma() -> Iterator[NDArray[np.float64]]:
        with av.open(str(path)) as container:
            for frame in container.decode(video=0):
                yield np.stack([plane_of(plane, 8) for plane in frame.planes[1:]]).astype(np.float64)

    return np.array([np.abs(later - earlier).mean() for earlier, later in pairwise(chroma())])


def seam_ratio(path: Path, made: FilmRun, dissolve: int) -> float:
    """The largest step around any seam over the largest inside."""
    moved = steps(path)
    near = np.zeros(len(moved), bool)
    for chunk in made.chunks:
        if chunk.seam:
            # Step n leads from frame n to n + 1.
            near[chunk.core.start - 1 : chunk.core.start + dissolve] = True
    return float(moved[near].max() / moved[~near].max())


def apart(made: FilmRun) -> list[float]:
    """How far the renderings of each dissolved opening lie apart, by its record."""
    return [one.apart for one in made.segments_of(made.deliverables[0]) if one.apart is not None]


def test_no_step_across_a_seam_is_larger_than_those_inside(film: Path, tmp_path: Path) -> None:
    blended = rendered(spec_of(film, tmp_path, look=drift(), shots=NO_CUTS, chunk_seconds=3.9))
    assert blended.report().seams == 3
    assert blended.report().conforms
    assert seam_ratio(tmp_path / "out/film.mkv", blended, 12) <= 1.05
    assert [one > 0.001 for one in apart(blended)] == [True] * 3
    hard = rendered(spec_of(film, tmp_path / "hard", look=drift(dissolve=0), shots=NO_CUTS, chunk_seconds=3.9))
    assert seam_ratio(tmp_path / "hard/out/film.mkv", hard, 12) > 1.5


@pytest.mark.slow
def test_no_step_across_a_seam_of_a_real_static_shot(tmp_path: Path) -> None:
    source = clip("person-static-139s.mp4")
    ratios = []
    for dissolve in (12, 0):
        spec = spec_of(source, tmp_path / str(dissolve), look=drift(dissolve=dissolve), chunk_seconds=5)
        made = rendered(spec)
        assert made.report().seams > 20
        ratios.append(seam_ratio(tmp_path / f"{dissolve}/out/film.mkv", made, 12))
    assert ratios[0] <= 1.05 < ratios[1]


@pytest.mark.parametrize("domain", ["chroma", "rgb", "luma"])
def test_where_both_renderings_agree_many_chunks_equal_one(film: Path, tmp_path: Path, domain: str) -> None:
    looks: dict[str, Any] = {"look": calm(domain), "shots": NO_CUTS}
    many = rendered(spec_of(film, tmp_path / "many", chunk_seconds=2.5, **looks))
    one = rendered(spec_of(film, tmp_path / "one", chunk_seconds=60, **looks))
    assert (many.report().seams, one.report().seams) == (5, 0)
    assert apart(many) == [0.0] * 5
    same(tmp_path / "many/out/film.mkv", tmp_path / "one/out/film.mkv")


def test_openings_are_whole_keyframe_intervals_and_tile_the_film(film: Path, tmp_path: Path) -> None:
    spec = spec_of(film, tmp_path, look=drift(), shots=NO_CUTS, chunk_seconds=5, deliverables=BOTH)
    made = rendered(spec)
    assert made.report().conforms
    assert [chunk.core for chunk in made.chunks] == [(0, 80), (80, 160), (160, 240)]
    frames = [[one.frames for one in made.segments_of(deliverable)] for deliverable in made.deliverables]
    assert frames[0] == [(0, 80), (80, 92), (92, 160), (160, 172), (172, 240)]
    # h264 has a keyframe every 32 frames, and would have one there too.
    assert frames[1] == [(0, 80), (80, 112), (112, 160), (160, 192), (192, 240)]
    with av.open(str(tmp_path / "out/view.mp4")) as view:
        keys = [place for place, one in enumerate(view.demux(video=0)) if one.size and one.is_keyframe]
    assert keys == [0, 32, 64, 80, 112, 144, 160, 192, 224]


def forget(made: FilmRun, *digests: str) -> None:
    for digest in digests:
        made.ledger.store.delete(made.ledger.key(f"records/{digest}.json"))


def handles(made: FilmRun) -> list[HandlesRecord]:
    """What is kept for seams, in film order; of one seam the earlier chunk's first, which is shorter."""
    records = [made.ledger.record(name) for name in made.ledger.finished()]
    kept = [one for one in records if isinstance(one, HandlesRecord)]
    return sorted(kept, key=lambda one: (one.frames.start, one.frames.frames, one.digest))


def asked(fleet: InlineFleet) -> list[tuple[int, int, list[tuple[int, int]]]]:
    """Of every render order: the chunk, how many encodings, and the frames to be kept."""
    orders = [order for call in fleet.calls(RenderCall) for order in call.orders]
    return sorted(
        (order.chunk, len(order.encodings), [(one.start, one.stop) for one in order.handles]) for order in orders
    )


def test_only_what_a_seam_lacks_is_made_again(film: Path, tmp_path: Path) -> None:
    spec = spec_of(film, tmp_path, look=drift(), shots=NO_CUTS, chunk_seconds=5, deliverables=BOTH)
    fleet = InlineFleet()
    made = rendered(spec, fleet)
    assert asked(fleet) == [
        (1, 2, [(80, 92)]),
        (2, 2, [(160, 172), (80, 112)]),
        (3, 2, [(160, 192)]),
    ]
    assert fleet.verbs()["dissolve"] == 2
    opening = made.segments_of(made.deliverables[0])[1]
    forget(made, opening.digest)
    # Both renderings are on paper still.
    fleet, console = InlineFleet(), quiet()
    again = rendered(spec, fleet, console)
    assert (asked(fleet), fleet.verbs()["dissolve"], again.report().chunks_rendered) == ([], 1, 1)
    assert console.progress.done_frames == 240
    earlier = [one for one in handles(made) if one.frames.frames == 12]
    forget(made, opening.digest, earlier[0].digest)
    fleet, console = InlineFleet(), quiet()
    again = rendered(spec, fleet, console)
    assert console.progress.done_frames == 240
    # The earlier chunk is shown again for its tail alone; its own segments are there.
    assert (asked(fleet), fleet.verbs()["dissolve"]) == ([(1, 0, [(80, 92)])], 1)
    assert again.report().conforms


@pytest.mark.parametrize("verb", ["render", "dissolve"])
def test_a_lost_worker_changes_no_seam(film: Path, tmp_path: Path, verb: str) -> None:
    looks: dict[str, Any] = {"look": drift(), "shots": NO_CUTS, "chunk_seconds": 2.2, "deliverables": BOTH}
    console = quiet()
    made = rendered(spec_of(film, tmp_path / "lost", **looks), InlineFleet({verb: 1}), console)
    rendered(spec_of(film, tmp_path / "calm", **looks))
    assert (console.progress.done_frames, set(console.progress.chunks.values())) == (240, {"done"})
    assert made.report().conforms
    same(tmp_path / "lost/out/film.mkv", tmp_path / "calm/out/film.mkv")
    assert (tmp_path / "lost/out/view.mp4").read_bytes() == (tmp_path / "calm/out/view.mp4").read_bytes()


def test_records_say_which_machines_made_both_renderings(film: Path, tmp_path: Path) -> None:
    made = rendered(spec_of(film, tmp_path, look=drift(), shots=NO_CUTS, chunk_seconds=5))
    for record in handles(made):
        other = record.model_copy(
            update={"made_on": f"a card of frame {record.frames.start}, {record.frames.frames} frames"}
        )
        made.ledger.store.write(made.ledger.key(f"records/{record.digest}.json"), sealed(other))
    first = made.segments_of(made.deliverables[0])[1]
    forget(made, first.digest)
    again = rendered(spec_of(film, tmp_path, look=drift(), shots=NO_CUTS, chunk_seconds=5))
    (opening,) = [one for one in again.segments_of(again.deliverables[0]) if one.frames == first.frames]
    assert isinstance(opening, SegmentRecord)
    assert opening.made_on == "a card of frame 80, 12 frames"
    assert opening.media.sha256 == first.media.sha256


def test_handles_whose_record_is_damaged_are_made_again(film: Path, tmp_path: Path) -> None:
    spec = spec_of(film, tmp_path, look=drift(), shots=NO_CUTS, chunk_seconds=5)
    made = rendered(spec)
    whole = (tmp_path / "out/film.mkv").read_bytes()
    made.ledger.store.write(made.ledger.key(f"records/{handles(made)[0].digest}.json"), b'{"kind": "handles"')
    forget(made, made.segments_of(made.deliverables[0])[1].digest)
    assert rendered(spec).report().conforms
    assert (tmp_path / "out/film.mkv").read_bytes() == whole


def test_neighbours_that_read_the_same_frames_share_what_is_kept(tmp_path: Path) -> None:
    short = Recipe(frames=26, size=(128, 96)).make(tmp_path / "film.mp4")
    look = {"name": "test-calm", "settings": {"context": 12, "warmup": 24, "dissolve": 4}}
    made = rendered(spec_of(short, tmp_path, look=look, shots=NO_CUTS, chunk_seconds=1))
    assert [(chunk.core, chunk.read) for chunk in made.chunks] == [((0, 13), (0, 26)), ((13, 26), (0, 26))]
    assert len(handles(made)) == 1
    assert made.report().conforms


def test_what_is_not_a_number_is_not_kept(film: Path, tmp_path: Path) -> None:
    look = {"name": "test-calm", "settings": {"nan": True}}
    with pytest.raises(FilmFailed, match="no numbers"):
        rendered(spec_of(film, tmp_path, look=look, shots=NO_CUTS, chunk_seconds=5))
