"""Pieces: composed, encoded, kept, whatever the codec; the record names what lies in the store."""

import hashlib
import io
import tarfile
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
import torch

from actors.encode.segment_writer import encoding_for
from actors.picture.domain import Domain
from actors.picture.frame_batches import batches_of
from actors.render.segments import SegmentInProgress
from jobs.errors import FilmFailed
from jobs.ledger.ledger import Ledger, clip_name, figures_name, still_name
from jobs.plan.plan import Range
from jobs.records.orders import SegmentRecord
from jobs.review.figures import PieceFigures
from jobs.spec.codecs import Codec
from jobs.spec.formats import Deliverable
from tests.actors.picture.test_compose import random_frames
from tests.paper import film_of, picture_of


def kept(folder: Path, deliverable: Deliverable, frames: Range, shown: int) -> tuple[Ledger, SegmentRecord]:
    """A piece of `frames`, of which the first `shown` of the film are given."""
    film = picture_of("yuv420p", 256, 128)
    paper = encoding_for(film_of(film), deliverable, grey_stays_grey=False)
    ledger = Ledger.at(str(folder / "store"), "film")
    with SegmentInProgress(film, frames, "d1", paper, folder, clip=True) as piece:
        first = 0
        for run, batch in batches_of(random_frames("yuv420p", shown, 256, 128), film, 2, torch.device("cpu")):
            piece.take(first, run, batch.differences(), Domain.CHROMA)
            first += len(run)
    return ledger, piece.keep(ledger, "a machine", 1.0)


@pytest.mark.parametrize(
    "deliverable",
    [Deliverable(height=64), Deliverable(codec=Codec.DNXHR), Deliverable(codec=Codec.TIFF, height=64)],
    ids=lambda one: str(one.codec),
)
def test_a_piece_is_kept_with_its_still_its_clip_and_its_record(tmp_path: Path, deliverable: Deliverable) -> None:
    ledger, record = kept(tmp_path, deliverable, Range(1, 4), 5)
    assert ledger.record("d1") == record
    with ledger.store.open(ledger.key(record.media.key)) as file:
        data = file.read()
    assert (hashlib.sha256(data).hexdigest(), len(data)) == (record.media.sha256, record.media.bytes)
    if deliverable.codec is Codec.TIFF:
        with tarfile.open(fileobj=io.BytesIO(data)) as tar:
            assert tar.getnames() == ["0000000.tiff", "0000001.tiff", "0000002.tiff"]
    else:
        with av.open(io.BytesIO(data), "r") as container:
            assert sum(1 for _ in container.decode(video=0)) == 3
    with ledger.store.open(ledger.key(still_name("d1"))) as file:
        still = cv2.imdecode(np.frombuffer(file.read(), np.uint8), cv2.IMREAD_COLOR)
    assert still is not None
    assert still.shape == (128, 512, 3)
    measured = ledger.paper(figures_name("d1"), PieceFigures)
    assert measured
    assert (measured.first.width, measured.first.height, measured.colour > 10) == (64, 32, True)
    with ledger.store.open(ledger.key(clip_name("d1"))) as file, av.open(file, "r") as clip:
        shown = [frame.to_ndarray(format="rgb24") for frame in clip.decode(video=0)]
    assert [frame.shape for frame in shown] == [(128, 512, 3)] * 3
    # Of the middle frame both tell the same on either side; the film is noise, of which a clip keeps the mean.
    one, other = (cv2.blur(picture, (32, 32)).astype(int) for picture in (shown[1][:, :, ::-1], still))
    assert abs((one - other)[:, 32:-32]).mean() < 4


def test_a_piece_that_lacks_a_picture_fails(tmp_path: Path) -> None:
    with pytest.raises(FilmFailed, match="of frames 1 to 7 only 4 were rendered"):
        kept(tmp_path, Deliverable(codec=Codec.PNG), Range(1, 8), 5)
