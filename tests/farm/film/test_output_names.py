"""Two jobs and one output: films through the real driver, done here. What is another job's, or a user's own, is refused before any work and stays as it is."""

import hashlib
import unicodedata
from pathlib import Path
from typing import Any

import pytest

from farm.specs.places import refuse_nested
from jobs.errors import BadSpec, NameTaken, Stopped
from jobs.ledger.ledger import Ledger
from jobs.output.ownership import FOLDER
from jobs.records.orders import SegmentRecord
from jobs.records.report import FilmReport
from jobs.spec.job import JobSpec
from jobs.store import Store, open_store
from tests.farm.inline import InlineFleet, rendered
from tests.farm.studio import Stopping, spec_of
from tests.films import Recipe

FFV1 = {"name": "film", "codec": "ffv1"}
PICTURES = {"name": "film", "codec": "png"}
STREAM = {"name": "film", "codec": "h264", "container": "hls", "crf": 40, "preset": "ultrafast"}


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return Recipe(frames=12, size=(64, 48)).make(tmp_path_factory.mktemp("film") / "film.mp4")


@pytest.fixture(params=["folder", "s3"])
def output(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    return str(tmp_path / "out") if request.param == "folder" else f"s3://{request.getfixturevalue('s3_bucket')}/out"


def job(film: Path, folder: Path, output: str, name: str, **fields: Any) -> JobSpec:
    """A job of a store of its own; `two` makes negatives."""
    look = {"look": {"name": "test-negative"}} if name == "two" else {}
    known = {"name": name, "store": f"{folder}/store-of-{name}", "output": output, **look}
    return spec_of(film, folder, **{**known, **fields})


def sums(output: Store) -> dict[str, str]:
    return {key: hashlib.sha256(output.read(key)).hexdigest() for key in output.list("")}


@pytest.mark.parametrize("wish", [FFV1, PICTURES, STREAM], ids=["file", "pictures", "stream"])
def test_a_second_job_of_one_name_is_refused_before_any_work(
    film: Path, tmp_path: Path, output: str, wish: dict[str, Any]
) -> None:
    """Whatever the name, in any case and Unicode form."""
    wish = wish | {"name": "Die Bäume 木"}
    rendered(job(film, tmp_path, output, "one", deliverables=[wish]))
    before, fleet = sums(open_store(output)), InlineFleet()
    assert any(key.startswith("Die Bäume 木") for key in before)
    alike = wish | {"name": unicodedata.normalize("NFD", "DIE BÄUME 木")}
    with pytest.raises(NameTaken, match=r"Die Bäume 木(\.mkv)? is of the job 'one' in .*store-of-one: ") as refused:
        rendered(job(film, tmp_path, output, "two", deliverables=[alike]), fleet)
    assert refused.value.exit_code == 2
    assert set(fleet.verbs()) == {"film", "decide"}
    assert sums(open_store(output)) == before, "nothing is lost, and no claim is left"
    # The owner goes on with its own.
    assert rendered(job(film, tmp_path, output, "one", deliverables=[wish])).report().conforms


def test_the_owner_replaces_its_own_when_its_spec_changes(film: Path, tmp_path: Path, output: str) -> None:
    rendered(job(film, tmp_path, output, "one"))
    before = open_store(output).read("film.mkv")
    assert rendered(job(film, tmp_path, output, "one", look={"name": "test-negative"})).report().conforms
    assert open_store(output).read("film.mkv") != before
    assert not list(open_store(output).list("unproven"))


def test_two_jobs_share_an_output_by_other_names(film: Path, tmp_path: Path, output: str) -> None:
    rendered(job(film, tmp_path, output, "one"))
    rendered(job(film, tmp_path, output, "two", deliverables=[{"name": "negative", "codec": "ffv1"}]))
    there = sums(open_store(output))
    assert {"film.mkv", "negative.mkv"} <= there.keys()
    assert there["film.mkv"] != there["negative.mkv"]


def test_two_jobs_of_one_name_and_two_stores_do_not_share_a_report(film: Path, tmp_path: Path, output: str) -> None:
    rendered(job(film, tmp_path, output, "one"))
    other = [{"name": "other", "codec": "ffv1"}]
    with pytest.raises(NameTaken, match=r"one\.report\.json is of the job 'one' in .*store-of-one"):
        rendered(job(film, tmp_path, output, "one", store=f"{tmp_path}/elsewhere", deliverables=other))


@pytest.mark.parametrize(
    ("wish", "place"),
    [(FFV1, "film.mkv"), (FFV1, "film.mkv.sha256"), (PICTURES, "film/notes.txt"), (STREAM, "film/index.html")],
)
def test_a_users_own_file_is_not_replaced(
    film: Path, tmp_path: Path, output: str, wish: dict[str, Any], place: str
) -> None:
    open_store(output).write(place, b"a user's own")
    spec, fleet = job(film, tmp_path, output, "one", deliverables=[wish]), InlineFleet()
    for _ in range(2):
        with pytest.raises(NameTaken, match="is there already, and this job is not known to have made it"):
            rendered(spec, fleet)
        assert open_store(output).read(place) == b"a user's own"
    assert fleet.verbs()["split"] == 0
    # As the sentence says.
    open_store(output).delete(place)
    assert rendered(spec).report().conforms


def test_what_an_earlier_farm_delivered_is_replaced_by_its_job(film: Path, tmp_path: Path, output: str) -> None:
    wishes = [FFV1, {**STREAM, "name": "view"}, {**PICTURES, "name": "pictures"}]
    spec = job(film, tmp_path, output, "one", deliverables=wishes)
    made, there = rendered(spec), open_store(output)
    # As that farm left it: a report in the store, and no claims.
    made.ledger.keep_paper("report.json", made.report(), only_if_absent=False)
    for key in list(there.list(FOLDER)):
        there.delete(key)
    assert isinstance(Ledger.at(spec.store, "one").paper("report.json", FilmReport), FilmReport)
    changed = spec.model_copy(update={"chunk_seconds": 0.25})
    assert rendered(changed).report().conforms
    with pytest.raises(NameTaken):
        rendered(job(film, tmp_path, output, "two"))


@pytest.mark.parametrize("ending", ["film.mkv.sha256", "one.review", "x.report.json", "x.shots.edl", "Unproven"])
def test_no_folder_bears_the_name_of_what_lies_beside_deliverables(tmp_path: Path, ending: str) -> None:
    with pytest.raises(BadSpec, match="give it a name of its own"):
        spec_of("/films/a.mp4", tmp_path, deliverables=[{"name": ending, "codec": "png"}])
    spec_of("/films/a.mp4", tmp_path, deliverables=[{"name": ending, "codec": "ffv1"}])  # with .mkv behind it


def test_a_job_that_is_cancelled_gives_its_names_back_and_one_that_is_interrupted_keeps_them(
    film: Path, tmp_path: Path, output: str
) -> None:
    one = job(film, tmp_path, output, "one", chunk_seconds=0.25)
    other = job(film, tmp_path, output, "two")
    for error, is_free in ((KeyboardInterrupt(), False), (Stopped("asked to"), True)):
        fleet: Any = Stopping(InlineFleet(), SegmentRecord, 1, error)  # type: ignore[arg-type]
        with pytest.raises(type(error)):
            rendered(one, fleet)
        assert (list(open_store(output).list(FOLDER)) == []) == is_free
    assert rendered(other).report().conforms
    with pytest.raises(NameTaken, match=r"film\.mkv is of the job 'two'"):
        rendered(one)


# places in one another


def test_the_places_that_the_command_chooses_are_allowed(tmp_path: Path, s3_bucket: str) -> None:
    refuse_nested(spec_of("/films/a.mp4", tmp_path, store=f"{tmp_path}/out/store", output=f"{tmp_path}/out"))
    refuse_nested(
        spec_of("/films/a.mp4", tmp_path, store=f"s3://{s3_bucket}/out/store", output=f"s3://{s3_bucket}/out")
    )


@pytest.mark.parametrize("where", ["folder", "s3", "link"])
def test_places_that_lie_in_one_another_are_refused(
    film: Path, tmp_path: Path, request: pytest.FixtureRequest, where: str
) -> None:
    root = f"s3://{request.getfixturevalue('s3_bucket')}/work" if where == "s3" else str(tmp_path / "work")
    rendered(spec_of(film, tmp_path, name="first", store=root))
    there = root
    if where == "link":
        (tmp_path / "link").symlink_to(root)
        there = str(tmp_path / "link")
    refused = {
        there: "is the store itself",
        f"{there}/": "is the store itself",
        f"{there}/first": "in the folder where the job 'first' keeps its work",
        f"{there}/first/media/deep": "in the folder where the job 'first' keeps its work",
        f"{there}/film/chunks": "in the folder where the job 'film' keeps its work",
    }
    for output, words in refused.items():
        with pytest.raises(BadSpec, match=words):
            refuse_nested(spec_of(film, tmp_path, store=root, output=output))
    refuse_nested(spec_of(film, tmp_path, store=root, output=f"{there}/delivered"))


def test_a_job_does_not_begin_in_an_output(film: Path, tmp_path: Path) -> None:
    rendered(spec_of(film, tmp_path, name="first", output=f"{tmp_path}/store/delivered"))
    with pytest.raises(BadSpec, match="holds an output of other jobs"):
        refuse_nested(spec_of(film, tmp_path, name="delivered"))
    refuse_nested(spec_of(film, tmp_path, name="first", output=f"{tmp_path}/store/delivered"))


@pytest.mark.parametrize("folder", ["film", "unproven", "film.review", ".film-farm"])
def test_no_store_lies_where_a_job_writes(film: Path, tmp_path: Path, folder: str) -> None:
    store = f"{tmp_path}/out/{folder}"
    with pytest.raises(BadSpec, match="which this job writes into its output"):
        refuse_nested(spec_of(film, tmp_path, store=store, deliverables=[PICTURES]))


def test_nothing_lies_in_another_jobs_deliverable(film: Path, tmp_path: Path) -> None:
    rendered(spec_of(film, tmp_path, deliverables=[PICTURES]))
    place = f"{tmp_path}/out/film"
    for fields in ({"store": f"{place}/store"}, {"output": place}):
        with pytest.raises(BadSpec, match=r"lies in film, which is a deliverable of some job in .*out: "):
            refuse_nested(spec_of(film, tmp_path, name="other", **fields))
