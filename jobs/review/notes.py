"""What people say of a film in review: verdicts on shots and notes at frames, each of the version that was seen."""

from typing import Annotated, Literal, Self

from pydantic import Field, ValidationError, model_validator

from jobs.document import Count, Document, faults
from jobs.errors import BadSpec
from jobs.field_paths import field_path
from jobs.spec.controls import Controls
from jobs.untrusted import spoken

LONGEST_NOTE = 4000
"""Characters; as farm/film/review/notes.js has it."""
MOST_NOTES = 20_000
Said = Literal["approved", "rejected"]
Version = Annotated[str, Field(max_length=64)]


class _Judged(Document):
    start: Count
    stop: Count
    version: Version
    """Of the shot as it was seen (`jobs.ledger.render_history.version_of`)."""
    at: Annotated[str, Field(max_length=64)] = ""
    """When it was said, by the browser's clock."""

    @model_validator(mode="after")
    def _frames(self) -> Self:
        if self.start >= self.stop:
            raise ValueError("frames are from start to stop, start before stop")
        return self


class ShotVerdict(_Judged):
    """A shot is approved or rejected."""

    verdict: Said
    settings: tuple[tuple[Annotated[str, Field(max_length=200)], str | int | float | bool], ...] = ()
    """Settings of its look that are asked for instead."""
    controls: Controls = Controls()
    """Controls of colour that are asked for."""


class ReviewNote(_Judged):
    """Words at a frame, or at several."""

    text: Annotated[str, Field(max_length=LONGEST_NOTE)]


class ReviewNotes(Document):
    """A file of notes, as the review page writes it."""

    kind: Literal["review-notes"]
    version: Literal[1]
    film: str
    """The mark of the job's page (`jobs.review.shown.ReviewData.id`)."""
    title: str
    verdicts: Annotated[tuple[ShotVerdict, ...], Field(max_length=MOST_NOTES)]
    notes: Annotated[tuple[ReviewNote, ...], Field(max_length=MOST_NOTES)]


def parse_notes(fields: object, where: str) -> ReviewNotes:
    """The notes in a file's JSON. Raises BadSpec with one sentence."""
    try:
        return ReviewNotes.model_validate(fields)
    except ValidationError as error:
        wrong = faults(error)[0]
        raise BadSpec(
            f"{where} is no file of notes as the review page saves it: {field_path(wrong['loc'])}: "
            f"{spoken(str(wrong['msg']), 300)}; save the notes once more and name that file."
        ) from None
