"""Pictures to learn from: out of folders, films and S3, the same each time; and one sentence for each kind of bad data."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from zlib import crc32

import cv2
import numpy as np
import pytest

from actors.training.course import RoleData
from actors.training.dataset.pictures import gather, is_grey, refuse_grey
from jobs.errors import BadInput, BadMedia
from jobs.store import open_store
from tests.actors.training.albums import album, photo, recipe, write
from tests.films import Recipe as Reel


def shelf_of(*sources: dict[str, Any], **fields: Any) -> RoleData:
    return gather(recipe("", "out", data=list(sources), **fields)).library[""]


def refused(*sources: dict[str, Any], **fields: Any) -> str:
    with pytest.raises(BadMedia) as error:
        shelf_of(*sources, **fields)
    return str(error.value)


def test_a_folder_with_folders_below_it(tmp_path: Path) -> None:
    for number, name in enumerate(["b/deep/one.png", "b/two.tif", "a.PNG", "c.webp"]):
        write(tmp_path / name.lower(), photo(number))
    (tmp_path / "a.png").rename(tmp_path / "a.PNG")
    for name in ("notes.txt", "b/._two.tif"):
        (tmp_path / name).write_text("no picture")
    shelf = shelf_of({"pictures": str(tmp_path)})
    assert shelf.names == ["a.PNG", "b/deep/one.png", "b/two.tif", "c.webp"]
    for name, number in (("a.PNG", 2), ("b/deep/one.png", 0), ("b/two.tif", 1)):
        np.testing.assert_array_equal(shelf.learnt[list(shelf.names).index(name)], photo(number))
    assert shelf.odds.tolist() == [0.25] * 4


def test_they_are_made_smaller_by_area_and_never_larger(tmp_path: Path) -> None:
    write(tmp_path / "large.png", large := photo(1, (160, 128)))
    write(tmp_path / "small.png", small := photo(2, (40, 24)))
    shelf = shelf_of({"pictures": str(tmp_path)})
    assert [one.shape for one in shelf.learnt] == [(32, 40, 3), (24, 40, 3)]
    mean = large.reshape(32, 4, 40, 4, 3).mean((1, 3))
    assert np.abs(shelf.learnt[0] - mean).max() <= 0.51
    np.testing.assert_array_equal(shelf.learnt[1], small)


def test_grey_files_and_alpha_become_three_colours(tmp_path: Path) -> None:
    rgb = photo(3)
    cv2.imwrite(str(tmp_path / "alpha.png"), np.dstack([rgb[..., ::-1], rgb[..., :1]]))
    cv2.imwrite(str(tmp_path / "grey.png"), rgb[..., 0])
    alpha, grey = shelf_of({"pictures": str(tmp_path)}).learnt
    np.testing.assert_array_equal(alpha, rgb)
    np.testing.assert_array_equal(grey, rgb[..., :1].repeat(3, -1))


def test_a_photograph_is_held_out_whole(tmp_path: Path) -> None:
    names = [f"{name}-{part}" for name in ("anna", "bert", "cleo", "dora") for part in (1, 2, 3)]
    for number, name in enumerate(names):
        write(tmp_path / f"{name}.png", photo(number))
    shelf = shelf_of({"pictures": str(tmp_path), "same": 4, "held_out": 2})
    held = sorted(sorted(("anna", "bert", "cleo", "dora"), key=lambda name: crc32(name.encode()))[:2])
    assert list(shelf.names) == [f"{name}.png" for name in names if name[:4] not in held]
    assert len(shelf.held_out) == 2
    for name, shown in zip(held, shelf.held_out, strict=True):
        np.testing.assert_array_equal(shown, photo(names.index(f"{name}-1")))


def test_odds_are_by_share_not_by_number(tmp_path: Path) -> None:
    many, few = album(tmp_path / "many", 8), album(tmp_path / "few", 2)
    shelf = shelf_of({"pictures": str(many), "share": 1}, {"pictures": str(few), "share": 3})
    np.testing.assert_allclose(shelf.odds, [0.25 / 8] * 8 + [0.75 / 2] * 2)


def test_roles_have_shelves_of_their_own(tmp_path: Path) -> None:
    data = [
        {"pictures": str(album(tmp_path / role, 2 + n)), "role": role} for n, role in enumerate(("source", "target"))
    ]
    library = gather(recipe("", "out", data=data)).library
    assert {role: len(shelf.learnt) for role, shelf in library.items()} == {"source": 2, "target": 3}
    assert all(shelf.odds.sum() == pytest.approx(1) for shelf in library.values())


def test_a_folder_in_s3_is_the_same_as_on_disk(tmp_path: Path, s3_bucket: str) -> None:
    store = open_store(f"s3://{s3_bucket}/photos")
    for path in album(tmp_path, 3).iterdir():
        store.write(path.name, path.read_bytes())
    here, there = (recipe(place, "out") for place in (tmp_path, f"s3://{s3_bucket}/photos"))
    one, two = gather(here).library[""], gather(there).library[""]
    assert gather(here).digest == gather(there).digest
    assert list(one.names) == list(two.names)
    for a, b in zip(one.learnt, two.learnt, strict=True):
        np.testing.assert_array_equal(a, b)


def test_a_film_in_s3(tmp_path: Path, s3_bucket: str) -> None:
    film = Reel(frames=24).make(tmp_path / "film.mkv")
    open_store(f"s3://{s3_bucket}").write("films/film.mkv", film.read_bytes())
    here, there = (
        shelf_of({"pictures": str(place), "frames": 3}) for place in (film, f"s3://{s3_bucket}/films/film.mkv")
    )
    assert here.names == there.names
    for a, b in zip(here.learnt, there.learnt, strict=True):
        np.testing.assert_array_equal(a, b)


def test_frames_of_a_film_are_held_out(tmp_path: Path) -> None:
    film = Reel(frames=24).make(tmp_path / "film.mp4")
    shelf = shelf_of({"pictures": str(film), "frames": 6, "held_out": 2})
    assert (len(shelf.learnt), len(shelf.held_out)) == (4, 2)
    shown = [one.tobytes() for one in (*shelf.learnt, *shelf.held_out)]
    assert len(set(shown)) == 6


def test_the_digest_is_of_names_and_contents(tmp_path: Path) -> None:
    asked = recipe(album(tmp_path / "a"), "out")
    before = gather(asked).digest
    assert gather(recipe(album(tmp_path / "b"), "out")).digest == before
    write(tmp_path / "a/p1.png", photo(50))
    changed = gather(asked).digest
    (tmp_path / "a/p1.png").rename(tmp_path / "a/q.png")
    assert len({before, changed, gather(asked).digest}) == 3


def test_no_such_place(tmp_path: Path) -> None:
    assert refused({"pictures": f"{tmp_path}/none"}) == f"{tmp_path}/none does not exist; check data.pictures."


def test_no_pictures(tmp_path: Path, s3_bucket: str) -> None:
    (tmp_path / "notes.txt").write_text("no picture")
    assert refused({"pictures": str(tmp_path)}).startswith(f"{tmp_path} holds no pictures (.jpg, ")
    assert "holds no pictures" in refused({"pictures": f"s3://{s3_bucket}/empty"})


@pytest.mark.parametrize("ending", [".jpg", ".png", ".tif", ".webp"])
def test_a_picture_that_cannot_be_read_is_named(tmp_path: Path, ending: str) -> None:
    path = write(tmp_path / f"p{ending}", photo(1))
    data = path.read_bytes()
    for cut in (0, len(data) // 2):
        path.write_bytes(data[:cut])
        assert refused({"pictures": str(tmp_path)}) == (
            f"{path} cannot be read as a picture; copy it again, or take it out."
        )


def test_too_few_photographs(tmp_path: Path) -> None:
    said = refused({"pictures": str(album(tmp_path, 3)), "held_out": 3})
    assert "has 3 photographs, of which held_out = 3 leaves none" in said


def test_pictures_smaller_than_a_crop(tmp_path: Path) -> None:
    album(tmp_path)
    write(tmp_path / "slim.png", photo(1, (60, 12)))
    assert (
        "1 of 7 pictures are smaller than a crop of 16 pixels (side, short_side), such as slim.png (60x12)"
        in refused({"pictures": str(tmp_path)})
    )


def test_grey_is_told_from_colour() -> None:
    rgb = photo(4)
    grey = rgb[..., :1].repeat(3, -1)
    assert is_grey(grey)
    assert is_grey(np.clip(grey * 0.8 + [30, 20, 0], 0, 255).astype(np.uint8)), "one tint all over"
    assert not is_grey(rgb)


def test_grey_pictures_are_refused_where_colours_are_learnt() -> None:
    grey = photo(4)[..., :1].repeat(3, -1)
    names = [f"p{n}.png" for n in range(8)]
    some = RoleData([photo(n) for n in range(6)] + [grey, grey], np.full(8, 0.125), [], names)
    with pytest.raises(BadInput, match=r"2 of 8 pictures are grey, such as p6\.png, p7\.png"):
        refuse_grey(some)
    refuse_grey(some, share=0.25)
