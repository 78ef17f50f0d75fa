"""What `farm plan` says would be made again, held against what the driver then makes."""

from __future__ import annotations

from fractions import Fraction
from io import StringIO
from pathlib import Path
from typing import Any

import pytest

from actors.mux.stream_plan import plan_deliverables
from farm.estimate.rerender_diff import RerenderDiff, again, show_again
from farm.film.calls import RenderCall
from farm.fleet.calls import RetryPolicy
from farm.progress.plain_console import PlainConsole
from jobs.errors import BadSpec
from jobs.ledger.ledger import Ledger
from jobs.ledger.quarantine import lift
from jobs.spec.job import JobSpec
from jobs.store import open_store
from tests.farm.inline import InlineFleet, quiet, rendered, shot_list, surveyed
from tests.farm.studio import spec_of
from tests.films import Recipe

MASTER = {"name": "film", "codec": "ffv1"}
VIEW = {"name": "view", "preset": "ultrafast"}


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """60 frames, 10 a second."""
    return Recipe(frames=60, size=(96, 64), rate=Fraction(10), gop=4).make(tmp_path_factory.mktemp("film") / "film.mp4")


@pytest.fixture
def cuts(tmp_path: Path) -> dict[str, str]:
    """Three shots of 20 frames, two chunks each."""
    return {"file": str(shot_list(tmp_path / "cuts.csv", 0, 20, 40, frames=60))}


def window(radius: int) -> dict[str, Any]:
    return {"name": "test-window", "settings": {"radius": radius, "declared": radius}}


def drift(dissolve: int) -> dict[str, Any]:
    return {"name": "test-drift", "settings": {"dissolve": dissolve, "warmup": 2}}


def told(spec: JobSpec) -> RerenderDiff:
    survey = surveyed(spec)
    return again(survey, plan_deliverables(survey.film, spec, spec.source))


def asked(spec: JobSpec) -> tuple[int, ...]:
    """The chunks that the driver then has rendered."""
    fleet = InlineFleet()
    rendered(spec, fleet)
    return tuple(sorted(order.chunk for call in fleet.calls(RenderCall) for order in call.orders))


def test_it_names_what_the_driver_then_renders_and_why(film: Path, tmp_path: Path, cuts: dict[str, str]) -> None:
    def spec(**fields: Any) -> JobSpec:
        return spec_of(film, tmp_path, **{"look": window(2), "shots": cuts, "chunk_seconds": 1, **fields})

    first = told(spec())
    assert (first.rendered_before, first.chunks, {one.why for one in first.shots}) == (False, 6, {("first time",)})
    assert asked(spec()) == (1, 2, 3, 4, 5, 6)
    nothing = told(spec())
    assert (nothing.chunks, nothing.shots, nothing.sentence) == (
        0, (), "Nothing is to be rendered.",
    )  # fmt: skip
    # One shot's look: its own two chunks, with two frames of handles on either side of the seam.
    changed = spec(overrides=[{"shots": "2", "look": window(1)}])
    found = told(changed)
    (shot,) = found.shots
    assert (shot.shot, shot.chunks, shot.frames, shot.shown) == (2, (3, 4), (20, 40), 22)
    assert shot.why == ("settings changed: declared 2 -> 1, radius 2 -> 1",)
    assert (found.frames, found.frames_percent) == (22, 36.667)
    assert asked(changed) == (3, 4)
    back = told(spec())
    assert (back.chunks, back.rendered_before) == (0, True)
    other = spec(look={"name": "none"}, overrides=[{"frames": [20, 60], "look": window(2)}])
    (shot,) = told(other).shots
    assert (shot.shot, shot.why) == (1, ("look changed: test-window -> none",))
    assert asked(other) == (1, 2)
    divided = told(spec(chunk_seconds=0.5))
    assert {one.why for one in divided.shots} == {
        ("look changed: none -> test-window",), ("its shot is divided otherwise: chunk_seconds, or its edges",),
    }  # fmt: skip


def test_what_is_gone_and_what_is_new_are_told_apart(film: Path, tmp_path: Path, cuts: dict[str, str]) -> None:
    spec = spec_of(film, tmp_path, look=window(1), shots=cuts)
    made = rendered(spec)
    gone = made.segments_of(made.deliverables[0])[1]
    made.ledger.set_aside(gone.digest)
    (shot,) = told(spec).shots
    assert (shot.chunks, shot.why) == ((2,), ("its record is gone or was set aside",))
    both = told(spec_of(film, tmp_path, look=window(1), shots=cuts, deliverables=[{"name": "film", "codec": "prores"}]))
    assert (both.chunks, {one.why for one in both.shots}) == (3, {("new deliverable: film.mov",)})
    finer = [{"name": "film", "codec": "prores", "profile": "4444"}]
    rendered(spec_of(film, tmp_path, look=window(1), shots=cuts, deliverables=[{**finer[0], "profile": "lt"}]))
    said = told(spec_of(film, tmp_path, look=window(1), shots=cuts, deliverables=finer))
    assert {one.why for one in said.shots} == {("deliverable changed: film.mov",)}


def test_a_dissolve_takes_its_neighbour_along(film: Path, tmp_path: Path) -> None:
    whole = {"detect": "adaptive", "threshold": 1000}
    spec = spec_of(film, tmp_path, look=drift(2), shots=whole, chunk_seconds=2)
    made = rendered(spec)
    later = made.chunks[1]
    records = made.segments_of(made.deliverables[0])
    gone = [one.digest for one in records if later.core.start <= one.frames.start < later.core.stop]
    handles = [name for name in made.ledger.finished() if getattr(made.ledger.record(name), "kind", "") == "handles"]
    for name in (*gone, *handles):
        made.ledger.set_aside(name)
    (shot,) = told(spec).shots
    assert (shot.chunks, shot.why) == (
        (1, 2), ("neighbour of a chunk that is made again: its dissolve", "its record is gone or was set aside"),
    )  # fmt: skip
    assert asked(spec) == (1, 2)


def test_a_chunk_that_stands_in_is_told(film: Path, tmp_path: Path, cuts: dict[str, str]) -> None:
    look = {"name": "test-poison", "settings": {"frames": 20}}
    fields: dict[str, Any] = {"shots": cuts, "overrides": [{"shots": "2", "look": look}]}
    spec = spec_of(film, tmp_path, **fields, on_error="passthrough")
    made = rendered(spec, InlineFleet(budget=RetryPolicy(attempts=1)))
    assert told(spec).chunks == 0
    made.ledger.set_aside(made.segments_of(made.deliverables[0])[1].digest)
    (shot,) = told(spec).shots
    assert (shot.chunks, shot.why) == ((2,), ("it was set aside, and the source's own frames stand in for it",))
    # Mended, its own pictures are a first time.
    lift(made.ledger, None)
    (shot,) = told(spec).shots
    assert (shot.chunks, shot.why) == ((2,), ("first time",))


def test_people_are_told_one_sentence_or_a_table(film: Path, tmp_path: Path, cuts: dict[str, str]) -> None:
    def shown(spec: JobSpec) -> str:
        text = StringIO()
        show_again(told(spec), PlainConsole(file=text, width=120))
        return text.getvalue()

    spec = spec_of(film, tmp_path, look=window(1), shots=cuts)
    assert shown(spec) == "To be rendered: 3 chunks of 3 shots, 60 frames shown to their looks (100.0 % of the film).\n"
    rendered(spec)
    said = shown(spec_of(film, tmp_path, look=window(1), shots=cuts, overrides=[{"shots": "3", "look": window(2)}]))
    assert "1 chunk of shot 3" in said
    assert "radius 1 -> 2" in said


# locks


def test_a_locked_shot_is_refused_a_change(film: Path, tmp_path: Path, cuts: dict[str, str]) -> None:
    lock = {"shots": "2", "locked": True}

    def spec(*overrides: dict[str, Any], **fields: Any) -> JobSpec:
        return spec_of(film, tmp_path, **{"look": window(1), "shots": cuts, "overrides": [lock, *overrides], **fields})

    assert asked(spec()) == (1, 2, 3)
    own = {"shots": "2-3", "look": window(2)}
    words = r"override 1: shot 2 is locked and would change, frames 20 to 39 .*: settings changed: declared 1 -> 2, radius 1 -> 2\. Undo that change"
    fleet = InlineFleet()
    with pytest.raises(BadSpec, match=words):
        rendered(spec(own), fleet)
    assert not {"split", "render", "finish"} & fleet.verbs().keys()
    with pytest.raises(BadSpec, match="look changed: test-window -> none"):
        told(spec(look={"name": "none"}))
    # The film's look may change where the locked shot keeps its own.
    kept = spec_of(film, tmp_path, look={"name": "none"}, shots=cuts, overrides=[{**lock, "look": window(1)}])
    assert asked(kept) == (1, 3)
    # Another way of dividing shots changes nothing in a look without a memory; without the lock all may change.
    assert told(spec(chunk_seconds=1)).chunks == 6
    assert asked(spec_of(film, tmp_path, look=window(2), shots=cuts)) == (1, 2, 3)


def test_a_lock_is_no_cut_and_holds_its_frames(film: Path, tmp_path: Path, cuts: dict[str, str]) -> None:
    lock = {"frames": [25, 30], "locked": True}
    spec = spec_of(film, tmp_path, look=window(2), shots=cuts, overrides=[lock])
    assert [chunk.core for chunk in rendered(spec).chunks] == [(0, 20), (20, 40), (40, 60)]
    beside = {"frames": [32, 40], "look": window(1)}
    assert told(spec_of(film, tmp_path, look=window(2), shots=cuts, overrides=[lock, beside])).chunks == 2
    near = {"frames": [31, 40], "look": window(1)}
    with pytest.raises(BadSpec, match="its edges changed: frames 20 to 39 -> 20 to 30"):
        told(spec_of(film, tmp_path, look=window(2), shots=cuts, overrides=[lock, near]))


def test_other_cuts_unlock_nothing(film: Path, tmp_path: Path, cuts: dict[str, str]) -> None:
    lock = [{"shots": "2", "locked": True}]
    rendered(spec_of(film, tmp_path, shots=cuts, overrides=lock))
    moved = {"file": str(shot_list(tmp_path / "moved.csv", 0, 10, 20, 40, frames=60))}
    # What was shot 2 is shot 3 now.
    over = [*lock, {"shots": "3", "look": {"name": "test-negative"}}]
    with pytest.raises(BadSpec, match=r"shot 2 is locked and would change, frames 20 to 39"):
        told(spec_of(film, tmp_path, shots=moved, overrides=over))


def test_a_refused_spec_is_not_the_jobs(film: Path, tmp_path: Path) -> None:
    def spec(**fields: Any) -> JobSpec:
        return spec_of(film, tmp_path, **fields, shots={"detect": "adaptive", "threshold": 1000})

    first = spec(overrides=[{"shots": "1", "locked": True}])
    rendered(first, console=quiet())
    with pytest.raises(BadSpec, match="shot 1 is locked"):
        rendered(spec(look=window(1), overrides=[{"shots": "1", "locked": True}]))
    assert Ledger(open_store(first.store), "film").spec() == first


def test_what_is_printed_is_not_rendered(film: Path, tmp_path: Path, cuts: dict[str, str]) -> None:
    rendered(spec_of(film, tmp_path, look=window(1), shots=cuts, deliverables=[MASTER]))
    found = told(spec_of(film, tmp_path, look=window(1), shots=cuts, deliverables=[MASTER, VIEW]))
    assert (found.chunks, found.printed, found.frames) == (0, 3, 0)
    assert found.sentence.startswith(
        "Nothing is to be rendered. To be encoded from another deliverable, no look shown anything: 3 chunks."
    )
