"""Builds what grades a look's pictures, with the LUT that lies in the job's folder."""

import hashlib

from actors.picture.grading.cube import Table, read_cube
from actors.picture.grading.grade import PictureGrade
from actors.picture.grading.grader import Grader
from jobs.errors import FilmFailed
from jobs.film.source import Picture
from jobs.ledger.ledger import Ledger
from jobs.plan.grading import lut_name
from jobs.plan.plan import Look


def grader_of(look: Look, film: Picture, ledger: Ledger) -> Grader | None:
    """What grades this look's pictures; None where nothing does. Raises FilmFailed where its LUT is gone or another."""
    grading = look.grading
    if grading is None:
        return None
    grade, tables = None, tuple[Table, ...]()
    if grading.lut:
        data = ledger.read(lut_name(grading.lut)) or b""
        if hashlib.sha256(data).hexdigest() != grading.lut:
            where = f"{ledger.store.url}/{ledger.key(lut_name(grading.lut))}"
            raise FilmFailed(
                f"The LUT {where} is gone or damaged; delete it, and run the job again: it is put there again."
            )
        tables = read_cube(data, grading.lut)
    if grading.has_grade:
        grade = PictureGrade(grading.cdl, tables)
    return Grader(grading, film.colour, grade, whole=grade is not None and look.keeps != "luma")
