"""Tests that Ray Data's pieces are the film, that the contenders make the same pictures, and that films are looped whole."""

import tempfile
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
import torch
from av.video.frame import VideoFrame
from hypothesis import given
from hypothesis import strategies as some

from tests.bench.colouring import coloured, generator
from tests.bench.contenders import facts_of
from tests.bench.films import frames_of, looped
from tests.bench.pieces import PIECE, decoded, pieces_of, runs_in, runs_of
from tests.bench.ray_data import Colourist
from tests.films import Recipe, read_number


@given(some.sets(some.integers(1, 400)), some.integers(401, 500))
def test_runs_and_pieces_tile_the_film(keys: set[int], frames: int) -> None:
    runs = runs_of([0, *sorted(keys)], frames)
    pieces = [piece for run in runs for piece in pieces_of(*run)]
    assert [number for start, stop in pieces for number in range(start, stop)] == list(range(frames))
    assert all(start in keys or start == 0 for start, _ in runs)
    assert max(stop - start for start, stop in pieces) <= PIECE
    assert len(runs) == 1 or min(stop - start for start, stop in runs) >= PIECE


@pytest.mark.parametrize("frames", [40, 145, 150])
def test_pieces_hold_every_frame_once(tmp_path: Path, frames: int) -> None:
    clip = Recipe(frames=frames, gop=12, sound="aac").make(tmp_path / "film.mp4")
    numbers = []
    for run in runs_in(str(clip)):
        for piece in decoded(run):
            own = piece["planes"][piece["first"] : piece["stop"]]
            numbers += [read_number(VideoFrame.from_ndarray(planes, format="yuv420p")) for planes in own]
    assert numbers == list(range(frames))


@pytest.fixture
def _one_thread() -> Iterator[None]:
    # As in the pool; and beside other work two threads wait for one another.
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.mark.usefixtures("_one_thread")
def test_a_pool_makes_the_pictures_that_one_loop_makes(tmp_path: Path) -> None:
    clip = str(Recipe(frames=60, gop=12, size=(96, 64), sound="aac").make(tmp_path / "film.mp4"))
    picture, encoding = facts_of(clip)
    with av.open(clip) as media:
        frames = coloured(media.decode(video=0), picture, encoding, generator())
        whole = [frame.to_ndarray() for frame in frames]
    worker = Colourist(picture, encoding)
    pieces = [piece for run in runs_in(clip) for piece in decoded(run)]
    batches = [worker({name: [value] for name, value in piece.items()}) for piece in pieces]
    parted = [planes for batch in batches for planes in batch["planes"][0]]
    assert len(pieces) > 1
    assert np.array_equal(np.stack(whole), np.stack(parted))


def test_a_looped_film_has_every_frame_at_its_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    clip = Recipe(frames=48, rate=Fraction(24), sound="aac").make(tmp_path / "film.mp4")
    film = looped(clip, 3)
    with av.open(str(film)) as media:
        found = [(read_number(frame), frame.time) for frame in media.decode(video=0)]
        assert media.streams.audio[0].duration
    assert [number for number, _ in found] == list(range(48)) * 3
    assert [time for _, time in found] == pytest.approx([place / 24 for place in range(144)])
    assert frames_of(film) == 144
