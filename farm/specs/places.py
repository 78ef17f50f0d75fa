"""Refuses a store and an output that lie in one another, or in other jobs' files, so that one would overwrite the other."""

from collections.abc import Collection, Iterator, Mapping
from contextlib import suppress
from pathlib import Path

from jobs.errors import BadSpec, BadStore
from jobs.ledger.lease import NAME as LEASE
from jobs.output.handover import UNPROVEN
from jobs.output.ownership import FOLDER, claim_key, review_folder
from jobs.spec.job import JobSpec
from jobs.spec.names import file_name, same_file
from jobs.store import Bucket, locate, open_store


def refuse_nested(spec: JobSpec) -> None:
    """Raises BadSpec where the output and the store, or another job's files, lie in one another, so that one would write over the other."""
    names = {file_name(spec.title(one), end) for one in spec.deliverables for end in one.wrappings}
    written = {same_file(one) for one in (*names, review_folder(spec.key), UNPROVEN, FOLDER)}
    places = {"store": spec.store, "output": spec.output}
    if why := _in_store(spec) or _in_output(spec.store, spec.output, written) or _in_others(places):
        raise BadSpec(why)


def _in_store(spec: JobSpec) -> str:
    """Why the output may not lie where it does in the store; empty where it may."""
    store, output = _parts(spec.store), _parts(spec.output)
    if output == store:
        return f"output = {spec.output!r} is the store itself, where every job has its folder: choose another folder."
    work = open_store(spec.store)
    if output[: len(store)] == store:
        job = output[len(store)]
        if job == spec.key or any(work.stat(f"{job}/{name}") for name in ("job.json", LEASE)):
            return (
                f"output = {spec.output!r} lies in the store {spec.store}, in the folder where the job {job!r} keeps its "
                "work: choose a folder outside the store."
            )
    began = work.stat(f"{spec.key}/job.json")
    if not began and any(f"/{FOLDER}/" in key for key in work.list(f"{spec.key}/")):
        return (
            f"store = {spec.store!r}: the folder {spec.key} in it, which would be this job's, holds an output of other jobs: "
            "give this job another name, or another store."
        )
    return ""


def _in_output(store_place: str, output_place: str, written: Collection[str]) -> str:
    """Why the store may not lie where it does in the output, in which the job has `written` names; empty where it may."""
    store, output = _parts(store_place), _parts(output_place)
    if store[: len(output)] != output or len(store) == len(output):
        return ""
    folder = store[len(output)]
    if same_file(folder) in written:
        return (
            f"store = {store_place!r} lies in the folder {folder}, which this job writes into its output {output_place}: "
            "choose another store, or give the deliverable another name."
        )
    return ""


def _in_others(places: Mapping[str, str]) -> str:
    """Why one of the places is a folder that some job delivers, or lies in one; empty where it is not so."""
    for field, place in places.items():
        for parent, folder in _parents(place):
            with suppress(BadStore):  # above it nothing may be readable
                if open_store(parent).stat(claim_key(folder)):
                    return (
                        f"{field} = {place!r} lies in {folder}, which is a deliverable of some job in {parent}: choose another "
                        f"folder, or, if that deliverable is given up, delete {parent.rstrip('/')}/{claim_key(folder)}."
                    )
    return ""


def _parents(place: str) -> Iterator[tuple[str, str]]:
    """Each folder that a place lies in, and the name in it that leads to the place."""
    scheme, *parts = _parts(place)
    for depth in range(1 if scheme else 0, len(parts)):
        yield (scheme or "/") + "/".join(parts[:depth]), parts[depth]


def _parts(place: str) -> tuple[str, ...]:
    """What tells a place from any other, from the widest to the narrowest: of a folder, links are resolved."""
    found = locate(place)
    if isinstance(found, Bucket):
        return ("s3://", found.bucket, *(one for one in found.key.split("/") if one))
    return ("", *Path(found).resolve().parts[1:])
