"""Makes a deliverable's segments from those of another deliverable that is already rendered, without running a look.

Where that other one is lossless and agrees in size, rotation, pixel format, matrix and range, the bytes are those of rendering.
"""

import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

import av
import torch

from actors.encode.burn_in import drawer_of
from actors.encode.segment_writer import FrameWriter, writer_for
from actors.media.chroma_siting import sited
from actors.media.container import decoded, decoder_of, open_media, packets_of, picture_stream
from actors.media.planes import planes_of
from actors.media.temp_dirs import spool
from actors.media.verified import damaged, proven
from actors.picture.compose import compose
from actors.picture.domain import Domain
from actors.picture.frame_batches import batches_of
from actors.render.segments import counted, kept_media, within
from jobs.errors import Damaged
from jobs.ledger.ledger import Ledger, clip_name, figures_name, still_name
from jobs.records.orders import Encoding, SegmentRecord
from jobs.records.outside_gamut import OutsideGamut
from jobs.records.transcode import TranscodeOrder, WantedSegment, serves


class Transcoder:
    """One worker. Needs no GPU and no source: it reads what was rendered before."""

    def __init__(self, store: str, job: str) -> None:
        torch.set_num_threads(1)
        self.ledger = Ledger.at(store, job)

    def strike(self, order: TranscodeOrder) -> Iterator[SegmentRecord]:
        """A record for each print. Raises Damaged where a master is not what its record says: it is set aside, to be rendered anew."""
        began = time.monotonic()
        kept = [self.ledger.record(one.digest) for one in order.prints]
        yield from (record for record in kept if isinstance(record, SegmentRecord))
        lacking = [one for one, record in zip(order.prints, kept, strict=True) if record is None]
        if not lacking:
            return
        masters = [self._master(name) for name in order.masters]
        with spool("print") as folder, ExitStack() as stack:
            writers = [stack.enter_context(writer_for(one.encoding, Path(folder, one.digest))) for one in lacking]
            drawers = [drawer_of(order.picture, one.encoding) for one in lacking]
            for master in masters:
                for number, frame in enumerate(self._frames(master), master.frames.start):
                    for one, writer, drawer in zip(lacking, writers, drawers, strict=True):
                        if within(one.frames, number, 1) == (0, 1):
                            finished = _finished(frame, order, one.encoding)
                            writer.write(drawer.drawn(finished, number) if drawer else finished)
            stack.close()
            for one, writer in zip(lacking, writers, strict=True):
                yield self._keep(one, writer, masters, time.monotonic() - began)

    def _master(self, name: str) -> SegmentRecord:
        record = self.ledger.record(name)
        if not isinstance(record, SegmentRecord):  # a listing named it that lagged, or it was damaged
            raise Damaged(
                f"The record of the segment {name} is gone; run the job again: it is made again.",
                name,
                self.ledger.key(f"records/{name}.json"),
            )
        return record

    def _frames(self, master: SegmentRecord) -> Iterator[av.VideoFrame]:
        """All frames of a segment. It is proven when the last is given, so before anything that was made of it is kept."""
        what, given = f"the segment {master.media.key}", 0
        with (
            proven(self.ledger, master.media, master.digest) as media,
            open_media(media, what) as container,
        ):
            stream = picture_stream(container, what)
            for frame in decoded(decoder_of(stream, 1), packets_of(container, stream, what)):
                given += 1
                yield frame
        if given != master.frames.frames:
            raise damaged(self.ledger, master.digest, f"{what} holds {given} frames that can be decoded, not all")

    def _keep(
        self, one: WantedSegment, writer: FrameWriter, masters: Sequence[SegmentRecord], seconds: float
    ) -> SegmentRecord:
        facts = counted(one.frames, writer.facts)
        for master in masters:
            # A still is of the middle frame, and its caption says so; a clip has all frames.
            for name in (still_name, clip_name, figures_name) if master.frames == one.frames else ():
                if shown := self.ledger.read(name(master.digest)):
                    self.ledger.store.write(self.ledger.key(name(one.digest)), shown)
        return self.ledger.keep(
            SegmentRecord(
                digest=one.digest,
                frames=one.frames,
                media=kept_media(self.ledger, facts, writer.path),
                delay=facts.delay,
                extradata_sha256=facts.extradata_sha256,
                made_on=" + ".join(sorted({master.made_on for master in masters})),
                outside_gamut=OutsideGamut.of(filter(None, (master.outside_gamut for master in masters))),
                seconds=round(seconds, 3),
            )
        )


def _finished(frame: av.VideoFrame, order: TranscodeOrder, encoding: Encoding) -> av.VideoFrame:
    """The frame as its encoder is given it: as it is, or as the look that changes nothing makes it of the master as a film."""
    if serves(order.master, encoding) == "exact":
        return _anew(frame, encoding)
    master = order.master
    form = {"pix_fmt": master.pix_fmt, "stored": master.pix_fmt, "depth": frame.format.components[0].bits}
    # Its chroma lies where the film's does, or was brought to the left.
    form |= {"codec": str(master.codec), "siting": sited(order.picture, master.pix_fmt) or "left"}
    film = order.picture.model_copy(update={**form, "colour": master.colour, "rotation": 0})
    same = _anew(frame, master)
    (batch,) = (batch for _, batch in batches_of([same], film, 1, torch.device("cpu")))
    return compose([same], batch.differences(), Domain.CHROMA, film, encoding)[0]


def _anew(frame: av.VideoFrame, encoding: Encoding) -> av.VideoFrame:
    """The same samples and nothing else: what a decoder says beside them would reach the encoder."""
    made = av.VideoFrame(encoding.width, encoding.height, encoding.pix_fmt)
    for plane, values in zip(planes_of(made), planes_of(frame), strict=True):
        plane[:] = values
    return made
