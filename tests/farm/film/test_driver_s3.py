"""The driver on S3: source, store and output in a bucket, workers and driver in different processes."""

from pathlib import Path

from farm.fleet.fleet import Fleet
from jobs.store import open_store
from tests.farm.inline import rendered
from tests.farm.studio import Studio, same, spec_of
from tests.films import Recipe


def test_from_s3_to_s3_with_two_workers(s3_bucket: str, tmp_path: Path) -> None:
    film = Recipe(frames=90, cuts=(30, 40), open_gop=True, sound="aac").make(tmp_path / "film.mp4")
    place = f"s3://{s3_bucket}/farm"
    store = open_store(place)
    store.write_file("film.mp4", film)
    spec = spec_of(f"{place}/film.mp4", place, chunk_seconds=0.8, workers={"count": 2})
    # Workers learn of the endpoint from the environment in which Ray starts, so this film has a Ray of its own.
    with Fleet("local", workers=2) as fleet:
        report = Studio(fleet).render(spec).report()
    again = rendered(spec).report()
    assert report.conforms
    assert (report.chunks_rendered, again.chunks_rendered) == (report.chunks, 0)
    (tmp_path / "made.mkv").write_bytes(store.read("out/film.mkv"))
    same(tmp_path / "made.mkv", film)
