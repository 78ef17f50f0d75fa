"""Gathers a recipe's pictures: photographs and frames of films, from disks or S3, some of them held out.

Every worker gets the same pictures in the same order.
"""

import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath
from zlib import crc32

import cv2
import numpy as np

from actors.picture.png_sheet import Photo
from actors.training.course import Library, RoleData
from actors.training.dataset.frames import spread_frames
from jobs.digest import digest
from jobs.errors import BadInput, BadMedia, number_of
from jobs.spec.training_recipe import Recipe, Source
from jobs.store import Store, is_file, locate, open_store, source_identity

ENDINGS = (".jpg", ".jpeg", ".png", ".tif", ".tiff", ".webp")
THREADS = 8
"""That decode, at most."""
GREY = 1.5
"""A picture is grey whose B'-R' and G'-R' spread by less than this (standard deviation, of 255): a tint is no colour."""
NAMED = 3
"""Bad pictures that a message names; the others are counted."""


@dataclass(frozen=True)
class _Picture:
    """One picture, and what its file was called and held."""

    name: str
    sum: int
    """CRC-32 of its file; of a frame: its time in ticks."""
    photo: Photo

    @property
    def size(self) -> tuple[int, int]:
        """Width and height."""
        return self.photo.shape[1], self.photo.shape[0]


@dataclass(frozen=True)
class TrainingPictures:
    """All pictures of a recipe."""

    library: Library
    digest: str
    """Of the names and contents of their files."""
    lines: tuple[str, ...]
    """One for each source, for the look's record."""


def gather(recipe: Recipe) -> TrainingPictures:
    """Read a recipe's pictures: R'G'B', their short side at most `short_side`.

    Raises BadInput: no picture, an unreadable one, one smaller than a crop, fewer photographs than are held out and one.
    """
    shelves: dict[str, list[RoleData]] = {}
    marks: list[list[object]] = []
    lines = []
    for source in recipe.data:
        pictures = _pictures(source, recipe.short_side)
        _refuse_small(pictures, source, recipe.side)
        shelf = _shelved(pictures, source)
        shelves.setdefault(source.role, []).append(shelf)
        marks += [[one.name, one.sum] for one in pictures]
        lines.append(_line(source, shelf))
    return TrainingPictures(
        {role: _joined(of) for role, of in shelves.items()}, digest({"pictures": marks}), tuple(lines)
    )


def refuse_grey(shelf: RoleData, share: float = 0.1) -> None:
    """Raises BadInput where more than `share` of the pictures to learn from are grey: for courses that learn colours."""
    grey = [name for name, photo in zip(shelf.names, shelf.learnt, strict=True) if is_grey(photo)]
    if len(grey) > share * len(shelf.learnt):
        raise BadInput(
            f"{len(grey):,} of {len(shelf.learnt):,} pictures are grey, such as {_some(grey)}: colours cannot be learnt from "
            "them; take them out."
        )


def is_grey(photo: Photo) -> bool:
    """Whether a picture has no colours, or a single tint."""
    red = photo[..., :1].astype(np.int16)
    return bool((photo[..., 1:] - red).std((0, 1)).max() < GREY)


def _pictures(source: Source, short_side: int) -> list[_Picture]:
    if is_file(source.pictures):
        return list(_of_film(source, short_side))
    place = locate(source.pictures)
    if isinstance(place, Path) and not os.path.exists(place):
        raise BadMedia(f"{source.pictures} does not exist; check data.pictures.")
    store = open_store(source.pictures)
    # A Mac leaves a ._p.jpg beside each p.jpg that it copies.
    names = sorted(one for one in store.list("") if one.lower().endswith(ENDINGS) and PurePosixPath(one).name[0] != ".")
    if not names:
        raise BadMedia(f"{source.pictures} holds no pictures ({', '.join(ENDINGS)}); check data.pictures.")
    with ThreadPoolExecutor(min(THREADS, len(os.sched_getaffinity(0)))) as pool:
        return list(pool.map(partial(_read, store, short_side), names))


def _of_film(source: Source, short_side: int) -> Iterator[_Picture]:
    identity = source_identity(source.pictures)
    film = PurePosixPath(source.pictures).name
    for shown in spread_frames(source.pictures, source.frames, short_side):
        yield _Picture(f"{film}#{shown.pts}", crc32(f"{identity.ends_sha256}#{shown.pts}".encode()), shown.photo)


def _read(store: Store, short_side: int, name: str) -> _Picture:
    data = store.read(name)
    try:
        found = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR) if data else None
    except cv2.error:
        found = None
    if found is None:
        raise BadMedia(f"{store.url}/{name} cannot be read as a picture; copy it again, or take it out.")
    scale = short_side / min(found.shape[:2])
    if scale < 1:
        found = cv2.resize(found, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    return _Picture(name, crc32(data), cv2.cvtColor(found, cv2.COLOR_BGR2RGB).astype(np.uint8, copy=False))


def _refuse_small(pictures: Sequence[_Picture], source: Source, side: int) -> None:
    small = [f"{one.name} ({one.size[0]}x{one.size[1]})" for one in pictures if min(one.size) < side]
    if small:
        raise BadMedia(
            f"{source.pictures}: {len(small):,} of {len(pictures):,} pictures are smaller than a crop of {side} pixels (side, "
            f"short_side), such as {_some(small)}; take them out, or ask for a smaller crop."
        )


def _shelved(pictures: Sequence[_Picture], source: Source) -> RoleData:
    """The first photographs by CRC-32 of their names are held out, whole; one picture of each is measured with."""
    shows = [_photograph(one.name, source.same) for one in pictures]
    photographs = sorted(set(shows), key=lambda name: (crc32(name.encode()), name))
    if len(photographs) <= source.held_out:
        raise BadMedia(
            f"{source.pictures} has {len(photographs):,} photographs, of which held_out = {source.held_out} leaves none to "
            "learn from; hold out fewer, or add pictures."
        )
    held = set(photographs[: source.held_out])
    learnt = [one for one, name in zip(pictures, shows, strict=True) if name not in held]
    firsts = {name: one for one, name in reversed(list(zip(pictures, shows, strict=True))) if name in held}
    return RoleData(
        learnt=[one.photo for one in learnt],
        odds=np.full(len(learnt), source.share / len(learnt)),
        held_out=[firsts[name].photo for name in sorted(firsts)],
        names=[one.name for one in learnt],
    )


def _photograph(name: str, same: int) -> str:
    """What tells a file's photograph from others."""
    path = PurePosixPath(name)
    return path.stem[:same] if same else str(path.with_suffix("")) if "#" not in name else name


def _joined(shelves: Sequence[RoleData]) -> RoleData:
    odds = np.concatenate([one.odds for one in shelves])
    return RoleData(
        learnt=[photo for one in shelves for photo in one.learnt],
        odds=odds / odds.sum(),
        held_out=[photo for one in shelves for photo in one.held_out],
        names=[name for one in shelves for name in one.names],
    )


def _line(source: Source, shelf: RoleData) -> str:
    name = PurePosixPath(source.pictures.rstrip("/")).name
    held = f", {len(shelf.held_out)} held out" if shelf.held_out else ""
    return f"{name}: {number_of(len(shelf.learnt), 'picture')}{held}; {source.licence or 'licence not told'}"


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:NAMED])
