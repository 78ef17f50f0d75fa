"""What a stitch from S3 to S3 takes as a film grows: memory, temporary disk, time. Promises real packets, a source in the bucket and a real proof; renders nothing."""

import os
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from actors.deliver.finisher import Finisher
from jobs.ledger.finished_prefix import FinishedPrefix, name_of
from jobs.ledger.ledger import Ledger
from jobs.output.ownership import claim, name_of_deliverable
from jobs.plan.sampling import SampledCore
from jobs.records.deliverables import DeliverableFacts
from jobs.records.report import Conform
from jobs.spec.job import JobSpec
from jobs.store import open_store
from tests.bench.apart import Clock, Found
from tests.bench.figures import MIB
from tests.bench.measuring import anonymous_bytes
from tests.bench.stitching import segmented
from tests.s3 import MotoServer

LOOK_SECONDS = 0.02


def stream(clock: Clock, clip: str, folder: str, container: str) -> Found:
    """Finish the whole clip from segments in a bucket, its sound with it, into the bucket; only that is on the clock. The bucket is moto's, beside it."""
    tempfile.tempdir = str(Path(folder, "spools"))
    os.mkdir(tempfile.tempdir)
    with MotoServer() as server:
        os.environ.update(server.env)
        place = f"s3://{server.make_bucket()}"
        where = (f"{place}/{Path(clip).name}", f"{place}/store", "film", f"{place}/out")
        open_store(place).write_file(Path(clip).name, Path(clip))
        made = segmented(clip, where, folder, codec="h264", container=container)
        ledger = Ledger.at(*where[1:3])
        assembly = FinishedPrefix(ledger)
        spec = JobSpec(name=where[2], source=where[0], store=where[1], output=where[3])
        claim(ledger, open_store(where[3]), [name_of_deliverable(spec, made.plan)], assembly.run)
        for record in made.records:
            # They repeat, so they are not the source's own: it is decoded all the same, and told apart by likeness.
            core = SampledCore(start=record.frames.start, stop=record.frames.stop)
            assembly.add({name_of(made.plan.encoding): [ledger.keep(record).digest]}, core)
        assembly.turn(whole=True)
        before = anonymous_bytes(os.getpid())
        with clock(), _watched(Path(tempfile.tempdir)) as disk:
            began = time.perf_counter()
            for word in Finisher(*where).finish(*made[:3], assembly.run, made.frames):
                if word == made.timing.frames:
                    muxed = time.perf_counter() - began
                if isinstance(word, DeliverableFacts):
                    stitched = time.perf_counter() - began
        assert isinstance(word, Conform)
        assert word.conforms, word.findings
    return {
        "frames": word.frames,
        "segments": len(made.records),
        "bytes": word.bytes,
        "muxed_seconds": round(muxed, 2),
        "stitched_seconds": round(stitched, 2),
        "before_mib": round(before / MIB, 1),
        "peak_disk_mib": round(max(disk) / MIB, 1),
    }


@contextmanager
def _watched(folder: Path) -> Iterator[list[int]]:
    """Bytes of all files in a folder, looked at again and again."""
    seen, done = [0], threading.Event()

    def look() -> None:
        while not done.wait(LOOK_SECONDS):
            seen.append(sum(_size(one) for one in folder.rglob("*")))

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield seen
    finally:
        done.set()
        thread.join()


def _size(path: Path) -> int:
    try:
        return path.stat().st_size if path.is_file() else 0
    except FileNotFoundError:  # removed meanwhile
        return 0
