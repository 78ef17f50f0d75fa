"""Reads the grades that a spec names: values of CDLs are put into the spec, and LUTs are named by what they hold."""

import hashlib
from collections.abc import Iterator

from actors.picture.grading import cdl, cube
from jobs.errors import BadSpec
from jobs.spec.grade import Grade
from jobs.spec.job import JobSpec
from jobs.store import read_small


def with_grades_read(spec: JobSpec) -> JobSpec:
    """The spec with what its grades hold. Raises BadSpec for what is no LUT or CDL, BadMedia where there is none."""
    overrides = tuple(
        one.model_copy(update={"grade": _read(one.grade)}) if one.grade else one for one in spec.overrides
    )
    return spec.model_copy(update={"grade": spec.grade and _read(spec.grade), "overrides": overrides})


def luts_of(spec: JobSpec) -> Iterator[tuple[str, bytes]]:
    """The LUTs of a spec whose grades are read, each once, by hash. Raises BadSpec where one was changed since."""
    places = {grade.lut_sha256: grade.lut for grade in spec.grades if grade.lut and grade.lut_sha256}
    for sha256, place in places.items():
        data = read_small(place, cube.LARGEST_FILE)
        _refuse_another(data, place, sha256)
        yield sha256, data


def _read(grade: Grade) -> Grade:
    values, sha256, events = grade.cdl, grade.lut_sha256, grade.events
    if isinstance(values, str) and values.lower().endswith(".edl"):
        events, values = cdl.read_edl(read_small(values, cdl.LARGEST_FILE), values), None
    elif isinstance(values, str):
        values = cdl.read_cdl(read_small(values, cdl.LARGEST_FILE), values, grade.cdl_id)
    if grade.lut is not None:
        data = read_small(grade.lut, cube.LARGEST_FILE)
        if sha256:
            _refuse_another(data, grade.lut, sha256)
        sha256 = hashlib.sha256(data).hexdigest()
        if not cube.read_cube(data, grade.lut):
            sha256 = None  # it changes nothing
    read = {"cdl": values, "cdl_id": None, "events": events, "lut_sha256": sha256}
    return grade.model_copy(update=read)


def _refuse_another(data: bytes, place: str, sha256: str) -> None:
    if hashlib.sha256(data).hexdigest() != sha256:
        raise BadSpec(f"The LUT {place} is not the file of lut_sha256; name that file, or leave lut_sha256 out.")
