"""A review page in S3 by one signed link: all of it is seen without credentials, and nothing by the link to its index alone but what to do."""

from pathlib import Path
from urllib.error import HTTPError
from urllib.parse import parse_qs, urlsplit
from urllib.request import urlopen

import pytest
import yaml

from farm.film.review.publisher import published
from farm.film.review.shared_page import share_page
from jobs.errors import BadSpec
from jobs.spec.job import JobSpec
from jobs.store import open_store
from tests.devtools import browsing
from tests.farm.film.review.test_page import browser
from tests.farm.inline import rendered
from tests.farm.studio import spec_of
from tests.films import Recipe

ICON = {"favicon.ico"}


def written(spec: JobSpec, path: Path) -> str:
    path.write_text(yaml.safe_dump(spec.model_dump(mode="json", exclude_unset=True)))
    return str(path)


def shared(s3_bucket: str, tmp_path: Path) -> tuple[str, JobSpec]:
    """The link to the page of a small film that lies in a bucket."""
    film = Recipe(frames=30, cuts=(12,), sound="aac").make(tmp_path / "film.mp4")
    place = f"s3://{s3_bucket}/a film #1"
    spec = spec_of(film, place, look={"name": "test-negative"}, chunk_seconds=0.5, deliverables=[{"codec": "h264"}])
    made = rendered(spec)
    published(made, made.report(), open_store(spec.output))
    return share_page(written(spec, tmp_path / "job.yaml"), 48), spec


@browser
def test_all_of_it_is_seen_by_one_link(s3_bucket: str, tmp_path: Path) -> None:
    link, spec = shared(s3_bucket, tmp_path)
    assert parse_qs(urlsplit(link).query)["X-Amz-Expires"] == ["172800"]
    index = open_store(spec.output).link("film.review/index.html", 60)
    assert index
    with browsing(tmp_path) as tab:
        tab.open(link + "#frame=7")
        tab.until("player.shown === 7")  # of the clip
        assert tab.js("stage.right.picture.tagName") == "VIDEO"
        tab.press("ArrowDown")
        tab.until("stage.right.picture?.tagName === 'IMG'")
        tab.until("document.querySelector('#cells img[src]')?.naturalWidth > 0")
        assert tab.js("getComputedStyle(byId('picture')).position") == "absolute"
        with urlopen(tab.js("document.querySelector('#deliverables a').href")) as answer:
            assert answer.read(12)[4:8] == b"ftyp"
        # A browser asks each host for its icon by itself.
        assert {url.rpartition("/")[2] for url in tab.requests if url.startswith("http") and "X-Amz" not in url} <= ICON
        assert {one for one in tab.complaints if "404" not in one} == set()
        # An index alone has no signature for what lies beside it, and says so.
        tab.open(index)
        assert "farm share" in tab.js("document.getElementById('said').textContent")


def test_without_its_signature_nothing_is_written_into_a_link(s3_bucket: str, tmp_path: Path) -> None:
    link, _ = shared(s3_bucket, tmp_path)
    with urlopen(link) as answer:
        page = answer.read().decode()
    assert "AWSSecret" not in page
    assert page.count("X-Amz-Signature=") >= 12
    with pytest.raises(HTTPError):
        urlopen(link.replace("shared.html", "nothing.html"))


def test_a_folder_has_no_links_and_a_bucket_without_a_page_none_yet(s3_bucket: str, tmp_path: Path) -> None:
    film = Recipe(frames=3).make(tmp_path / "film.mp4")
    with pytest.raises(BadSpec, match="is a folder, and only what lies in S3 has links"):
        share_page(written(spec_of(film, tmp_path), tmp_path / "job.yaml"), 24)
    with pytest.raises(BadSpec, match="has no review page yet"):
        share_page(written(spec_of(film, f"s3://{s3_bucket}/none"), tmp_path / "job.yaml"), 24)
