"""Makes one link of a job's review page in S3: a page beside it that names every file by a signed URL, for a signature is one file's alone."""

import json
from collections.abc import Iterator, Mapping

from actors.page_templates import PAGES
from farm.film.review.publisher import INDEX, SCRIPTS, STYLE
from farm.specs.spec_files import read_spec
from jobs.document import read_document
from jobs.errors import BadSpec
from jobs.output.ownership import review_folder
from jobs.review.shown import DATA, ReviewData
from jobs.store import Store, open_store

SHARED, LINKS = "shared.html", "links.js"
PICTURES = ("stills/", "clips/", "painted/")


def share_page(spec: str, hours: int) -> str:
    """The link to the review page of a spec's job, for so many hours. Raises BadSpec where there is no page, or its output is no bucket."""
    job = read_spec(spec)
    output, folder = open_store(job.output), review_folder(job.key)
    if output.link(f"{folder}/{INDEX}", 1) is None:
        raise BadSpec(
            f"{job.output} is a folder, and only what lies in S3 has links: copy {folder} to whom it is for, or serve it."
        )
    if output.stat(f"{folder}/{DATA}") is None:
        raise BadSpec(f"{output.url}/{folder} has no review page yet: farm render {spec} makes one.")
    seconds = 3600 * hours
    links = dict(_links(output, folder, seconds))
    output.write(f"{folder}/{LINKS}", links_script(links))
    own = {name: _link(output, f"{folder}/{name}", seconds) for name in (*SCRIPTS, STYLE, DATA, LINKS)}
    # What is named is known before it is wanted.
    scripts = [own[name] for name in (*SCRIPTS, LINKS)]
    page = PAGES.get_template("farm/film/review/index.html.j2").render(
        scripts=scripts, style=own[STYLE], data=own[DATA]
    )
    output.write(f"{folder}/{SHARED}", page.encode())
    return _link(output, f"{folder}/{SHARED}", seconds)


def links_script(links: Mapping[str, str]) -> bytes:
    """As a script of one call; ASCII alone, and no `<`."""
    text = json.dumps(links, separators=(",", ":"))
    return f"farmLinks({text.replace('<', chr(92) + 'u003c')});\n".encode("ascii")


def _links(output: Store, folder: str, seconds: int) -> Iterator[tuple[str, str]]:
    """By its place from the page, each picture, and each deliverable that is one file."""
    for part in PICTURES:
        for key in output.list(f"{folder}/{part}"):
            yield key.removeprefix(f"{folder}/"), _link(output, key, seconds)
    for place in _delivered(output.read(f"{folder}/{DATA}")):
        yield place, _link(output, place.removeprefix("../"), seconds)


def _delivered(script: bytes) -> Iterator[str]:
    told = read_document(ReviewData, script.removeprefix(b"farmReview(").removesuffix(b");\n"))
    for one in told.deliverables if told else ():
        if one.place == f"../{one.file}" and "/" not in one.file:
            yield one.place


def _link(output: Store, key: str, seconds: int) -> str:
    found = output.link(key, seconds)
    assert found  # it is a bucket
    return found
