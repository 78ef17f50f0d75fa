"""Two tenants of one cluster with places of their own in one bucket: neither reads, writes, lists or learns of what is the other's."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from actors.deliver.finisher import Finisher
from actors.looks import fit
from actors.looks.package import open_package
from actors.shot_lists.cut_lists import given_cuts
from actors.survey.surveyor import Surveyor
from actors.training.dataset.pictures import gather
from farm.cli.sessions import deliver, list_shots, plan_only
from farm.film.setup import preflight
from farm.learn.evaluate import place_of
from farm.learn.train import train_look
from farm.specs.place_policy import confine_spec
from jobs.errors import BadInput, BadSpec
from jobs.ledger.ledger import Ledger
from jobs.spec.job import LookChoice
from jobs.spec.parser import parse_spec
from jobs.spec.training_recipe import Recipe, parse_recipe
from jobs.stills.listing import stills_in
from jobs.store import Store, open_store
from jobs.store.allowed_places import PLACES
from tests.farm.inline import InlineFleet, quiet, rendered
from tests.farm.studio import spec_of
from tests.films import Recipe as FilmRecipe
from tests.s3 import MotoServer

NOWHERE = "127.0.0.1:1"
"""Nothing answers there: whatever is refused is refused before."""


@pytest.fixture(scope="module")
def shared_bucket(s3_server: MotoServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A bucket in which both tenants have a film, and a third one whose name begins as the first one's does."""
    with pytest.MonkeyPatch.context() as here:
        for name, value in s3_server.env.items():
            here.setenv(name, value)
        bucket = s3_server.make_bucket()
        film = FilmRecipe(frames=12, size=(64, 48)).make(tmp_path_factory.mktemp("film") / "film.mp4")
        whole = open_store(f"s3://{bucket}")
        for key in ("mine/film.mp4", "mine-too/film.mp4", "theirs/film.mp4"):
            whole.write_file(key, film)
        for key in (
            "f.0001.dpx",
            "shot0001.f000000.png",
            "cuts.edl",
            "look/look.json",
            "work/film/job.json",
            "p/a.jpg",
        ):
            for tenant in ("theirs", "mine-too"):
                whole.write(f"{tenant}/{key}", b"theirs")
        yield bucket


@pytest.fixture
def bucket(shared_bucket: str, s3_server: MotoServer, monkeypatch: pytest.MonkeyPatch) -> str:
    """The bucket; this process is of the tenant whose places are in `mine`."""
    for name, value in s3_server.env.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv(PLACES, f"s3://{shared_bucket}/mine")
    return shared_bucket


def held(bucket: str) -> list[tuple[str, object]]:
    store: Store = open_store(f"s3://{bucket}")
    return [(key, store.stat(key)) for key in store.list("") if not key.startswith("mine/")]


DOTTED = "A key in S3 is written out: no part of s3://bucket/key is '.' or '..'."
OTHERS = ("theirs", "mine-too", "mine/../theirs", "none-such")


def spec(bucket: str, **fields: Any) -> Any:
    return spec_of(fields.pop("source", f"s3://{bucket}/mine/film.mp4"), f"s3://{bucket}/mine", **fields)


def by_field(at: str) -> dict[str, dict[str, Any]]:
    blend = {"name": "blend", "settings": {"looks": [{"name": "none"}, {"name": f"{at}/look"}]}}
    return {
        "source": {"source": f"{at}/film.mp4"},
        "sequence": {"source": f"{at}/f.%04d.dpx", "rate": "24000/1001"},
        "folder": {"source": at, "rate": 24},
        "store": {"store": f"{at}/work"},
        "output": {"output": at},
        "stills": {"stills": at},
        "shots": {"shots": {"file": f"{at}/cuts.edl"}},
        "look": {"look": {"name": f"{at}/look"}},
        "blend": {"look": blend},
        "override": {"overrides": [{"shots": "1", "look": {"name": f"{at}/look"}}]},
    }


@pytest.mark.parametrize("field", by_field(""))
def test_no_spec_names_what_is_the_others(bucket: str, field: str) -> None:
    """Whether there is anything makes no difference to what is said; and what is said names no tenant's places."""
    said = set()
    for other in OTHERS:
        for command in (deliver, plan_only, lambda one, address: list_shots(one, "cuts.edl", address=address)):
            with pytest.raises(BadInput) as refused:
                command(spec(bucket, **by_field(f"s3://{bucket}/{other}")[field]), address=NOWHERE)
            said.add(str(refused.value).replace(other, "OTHER"))
    assert len(said - {DOTTED}) == 1
    assert not [one for one in said if "mine" in one]


def recipe(bucket: str, at: str, out: str) -> Recipe:
    fields = {"name": "one", "kind": "colorize", "licence": "MIT", "steps": 1, "out": out, "data": [{"pictures": at}]}
    return parse_recipe(fields, "recipe")


@pytest.mark.parametrize("other", OTHERS)
def test_no_recipe_does(bucket: str, other: str) -> None:
    mine, theirs = f"s3://{bucket}/mine/out", f"s3://{bucket}/{other}"
    for one in (
        recipe(bucket, f"{theirs}/p", mine),
        recipe(bucket, f"{theirs}/film.mp4", mine),
        recipe(bucket, f"{mine}/p", theirs),
    ):
        with pytest.raises(BadInput):
            train_look(one, address=NOWHERE)


@pytest.mark.parametrize("other", OTHERS)
def test_no_worker_and_no_driver_opens_it(bucket: str, other: str) -> None:
    """Whatever was written where: each opening is asked, and refused in the same words whether there is something or not."""
    at, mine = f"s3://{bucket}/{other}", spec(bucket)
    film = Surveyor(mine.source).film()
    openings: dict[str, Callable[[], object]] = {
        "survey": lambda: Surveyor(f"{at}/film.mp4").film(),
        "sequence": lambda: Surveyor(f"{at}/f.%04d.dpx?rate=24000/1001").film(),
        "list": lambda: [*open_store(at).list("")],
        "write": lambda: open_store(at).write("film.mp4", b"mine"),
        "store": lambda: Ledger.at(at, "film").spec(),
        "output": lambda: Finisher(mine.source, mine.store, "film", at),
        "stills": lambda: stills_in(at),
        "cuts": lambda: given_cuts(f"{at}/cuts.edl", film, []),  # type: ignore[arg-type]
        "package": lambda: open_package(f"{at}/look"),
        "look": lambda: fit(LookChoice(name=f"{at}/look")),
        "pictures": lambda: gather(recipe(bucket, f"{at}/p", mine.store)),
        "training film": lambda: gather(recipe(bucket, f"{at}/film.mp4", mine.store)),
        "evaluation": lambda: place_of(f"{at}/p"),
    }
    before = held(bucket)
    with confine_spec(mine, NOWHERE):
        for name, opening in openings.items():
            with pytest.raises(BadInput, match=r"is not among the places|is written out") as refused:
                opening()
            assert "theirs" not in str(refused.value).replace(other, ""), name
    assert held(bucket) == before


def test_a_paper_in_ones_own_store_leads_nowhere_else(bucket: str) -> None:
    """What a tenant writes into a job's folder by hand is no way around: the output that its spec names is opened like any other."""
    forged = spec(bucket, output=f"s3://{bucket}/theirs")
    ledger = Ledger.at(forged.store, forged.name)
    ledger.enter(forged)
    with confine_spec(spec(bucket), NOWHERE):
        stored = Ledger.at(forged.store, forged.name).spec()
        assert stored.output == forged.output
        with pytest.raises(BadInput, match="is not among the places"):
            open_store(stored.output)
        with pytest.raises(BadSpec, match="output = "):
            confine_spec(stored, NOWHERE)


@pytest.mark.minutes
def test_ones_own_film_is_rendered_as_ever(bucket: str) -> None:
    mine, before = spec(bucket), held(bucket)
    with confine_spec(mine, NOWHERE):
        preflight(mine)
        film = rendered(mine, InlineFleet(), quiet())
        assert film.report().conforms
    assert "film.mkv" in [*open_store(mine.output).list("")]
    assert held(bucket) == before


def test_a_name_in_the_library_is_no_way_out(bucket: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FILM_FARM_LOOKS", f"s3://{bucket}/mine/looks")
    for name in ("..", "...", "../../theirs/look", "%2e%2e"):
        choice = {"look": {"name": name}}
        with pytest.raises(BadInput):
            deliver(parse_spec({**spec(bucket).model_dump(mode="json"), **choice}, "spec"), address=NOWHERE)
