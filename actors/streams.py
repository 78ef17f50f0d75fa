"""Which stream goes into which deliverable, decided before any work. Promises that nothing is dropped without the user's word, and that what happens to each is said; renders nothing."""

from collections.abc import Iterator
from fractions import Fraction
from typing import Literal

from av.container import InputContainer

from actors.chapters import chapters_said
from actors.containers import refuse_shape, rewritten, squared, unsaid
from actors.encode import encoding_for
from actors.encoders import conversions
from actors.media import opened
from actors.tags import PICTURE_TAGS, unsaid_of_track
from actors.trial import BY_THE_SPEC, Trial, listed, timecode_said
from jobs.deliverables import DeliverablePlan, StreamFate
from jobs.errors import BadSpec
from jobs.film import Film
from jobs.formats import CONTAINERS, FOLDERS, Deliverable, Wrapping
from jobs.records import Encoding
from jobs.spec import Drop, JobSpec, file_name
from jobs.timing import refuse_rate

_ANY_CLOCK = ("mpegts", "mpeg")
"""Formats whose clock begins anywhere: a broadcast recording may start at 26 hours."""

_TIME_OF_DAY = 3600
"""Seconds from which such a clock's beginning is taken for the time of day and not for the film's own late start."""

_NO_CHAPTERS: tuple[Wrapping, ...] = ("mxf", "folder", "hls")


def plan_deliverables(
    film: Film, spec: JobSpec, source: str, grey_stays_grey: bool = False
) -> tuple[DeliverablePlan, ...]:
    """Every deliverable of the spec, decided: container, encoder, and the fate of each stream of the source.

    `source` is the film's path or URL. Raises BadSpec where a stream does not fit and may not be dropped, or where the
    picture does not fit; BadMedia where the source cannot be read.
    """
    with opened(source) as media:
        _refuse_list(film, spec, media)
        return tuple(_plan(film, spec, media, one, grey_stays_grey) for one in spec.deliverables)


def _plan(
    film: Film, spec: JobSpec, media: InputContainer, deliverable: Deliverable, grey_stays_grey: bool
) -> DeliverablePlan:
    encoding = encoding_for(film, deliverable, grey_stays_grey)
    trial = Trial(film, media, encoding, spec.drop)
    container = _container(deliverable, trial)
    refuse_rate(film.picture, container)
    refuse_shape(film, encoding, container)
    fates = (*trial.fates(container), *_within(film, media, container, spec.drop))
    _refuse_dropped(film, spec.drop, deliverable, container, fates)
    said = [*_said(film, media, encoding, container)]
    carried = (media.streams[one.stream] for one in fates if one.fate in ("copied", "converted"))
    if rewritten(encoding, container, carried):
        said.append("where the output is S3, the file is first put together on the worker's own disk (TMPDIR)")
    if squared(encoding, container):
        encoding = encoding.model_copy(update={"aspect": Fraction(1)})
    return DeliverablePlan(
        deliverable=deliverable,
        file=file_name(spec.title(deliverable), container),
        container=container,
        encoding=encoding,
        fates=tuple(
            one.model_copy(update={"detail": "; ".join(said)}) if one.fate == "picture" else one for one in fates
        ),
        origin=_origin(media),
    )


def _container(deliverable: Deliverable, trial: Trial) -> Wrapping:
    """The first in which the fewest streams are dropped."""
    choice = deliverable.wrappings
    if len(choice) == 1:
        return choice[0]
    return min(choice, key=lambda one: sum(fate.fate == "dropped" for fate in trial.fates(one)))


def _said(film: Film, media: InputContainer, encoding: Encoding, container: Wrapping) -> Iterator[str]:
    """In words, what the picture of a deliverable is not: what is brought to another form, and what is not said of it."""
    yield from film.picture.remarks
    if converted := conversions(film.picture, encoding):
        yield converted
    if squared(encoding, container):
        yield f"pixels of {encoding.aspect} are written as square, which {encoding.codec} in {container} cannot but be"
    yield from unsaid(encoding, container)
    if container not in FOLDERS and (code := timecode_said(film.timecode, encoding.rate)):
        yield code
    if words := unsaid_of_track(container, media.streams[film.picture.stream].metadata, PICTURE_TAGS):
        yield words


def _within(
    film: Film, media: InputContainer, container: Wrapping, drop: Drop | tuple[int | str, ...]
) -> Iterator[StreamFate]:
    """The fates of what is no stream of its own."""
    if film.captions:
        lost = "they lie in the packets of the source's picture, and a picture made anew has none"
        detail = BY_THE_SPEC if listed(drop, None, "captions") else lost
        yield StreamFate(stream=film.picture.stream, kind="captions", codec="eia_608", fate="dropped", detail=detail)
    if count := len(media.chapters()):
        spared = listed(drop, None, "chapters")
        held = container not in _NO_CHAPTERS and not spared
        kept = "; ".join([f"{count} of them", *chapters_said(media, container)])
        detail = kept if held else BY_THE_SPEC if spared else f"{container} has no place for chapters"
        fate: Literal["rewritten", "dropped"] = "rewritten" if held else "dropped"
        yield StreamFate(stream=film.picture.stream, kind="chapters", codec="", fate=fate, detail=detail)


def _refuse_list(film: Film, spec: JobSpec, media: InputContainer) -> None:
    for number in spec.drop if isinstance(spec.drop, tuple) else ():
        if not isinstance(number, int):
            continue
        if number == film.picture.stream:
            raise BadSpec(f"drop: stream {number} of {film.source} is the picture itself; take it off the list.")
        if number >= len(media.streams):
            there = ", ".join(f"{one.index} ({one.type})" for one in media.streams)
            raise BadSpec(f"drop: {film.source} has no stream {number}; it has {there}.")


def _refuse_dropped(
    film: Film,
    drop: Drop | tuple[int | str, ...],
    deliverable: Deliverable,
    container: Wrapping,
    fates: tuple[StreamFate, ...],
) -> None:
    if drop is Drop.UNSUPPORTED or container == "hls":  # that is a view and no delivery: the report names what it lacks
        return
    for fate in fates:
        if fate.fate != "dropped" or fate.detail == BY_THE_SPEC:
            continue
        what = f"{film.source}: stream {fate.stream} ({', '.join(one for one in (fate.kind, fate.codec) if one)})"
        if fate.kind == "captions":
            raise BadSpec(
                f"{what}: its closed captions would be lost, for {fate.detail}; allow that with drop: [captions] or --drop "
                "unsupported."
            )
        wider = container != "mkv" and "mkv" in CONTAINERS[deliverable.codec]
        instead = " or set the deliverable's container to mkv" if wider else ""
        raise BadSpec(
            f"{what} does not fit into {container} ({fate.detail}); allow such streams to be left out with --drop "
            f"unsupported{instead}."
        )


def _origin(media: InputContainer) -> Fraction:
    if media.format.name not in _ANY_CLOCK:
        return Fraction(0)
    starts = [one.start_time * one.time_base for one in media.streams if one.start_time is not None and one.time_base]
    first = min(starts, default=Fraction(0))
    return first if first >= _TIME_OF_DAY else Fraction(0)
