"""Decides before any work which of a film's streams go into which deliverable, and what becomes of each.

Nothing is dropped unless the job spec allows it, and the plan says what happens to every stream.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

from av.container import InputContainer

from actors.encode.encoders import conversions
from actors.encode.segment_writer import encoding_for
from actors.media.chroma_siting import untold
from actors.media.container import opened
from actors.mux.chapters import chapters_said
from actors.mux.containers import refuse_turned, rewritten, unsaid
from actors.mux.mux_dry_run import BY_THE_SPEC, MuxDryRun, listed, timecode_said
from actors.mux.tags import PICTURE_TAGS, unsaid_of_track
from jobs.errors import BadSpec
from jobs.field_paths import member
from jobs.film.source import Film
from jobs.film.timecode import frames_to
from jobs.plan.output_timing import refuse_rate
from jobs.records.burn_in import BurntIn
from jobs.records.deliverables import DeliverablePlan, StreamFate
from jobs.records.orders import Encoding
from jobs.spec.advice import SuggestedChange, UnfitDeliverable
from jobs.spec.codecs import CONTAINERS, FOLDERS, Codec, Drop, Wrapping
from jobs.spec.formats import Deliverable
from jobs.spec.job import JobSpec
from jobs.spec.names import file_name
from jobs.spec.streams import DropRule

_ANY_CLOCK = ("mpegts", "mpeg")
"""Formats whose clock begins anywhere: a broadcast recording may start at 26 hours."""

_TIME_OF_DAY = 3600
"""Seconds from which such a clock's beginning is taken for the time of day and not for the film's own late start."""

_NO_CHAPTERS: tuple[Wrapping, ...] = ("mxf", "folder", "hls")


def plan_deliverables(
    film: Film, spec: JobSpec, source: str, grey_stays_grey: bool = False
) -> tuple[DeliverablePlan, ...]:
    """Every deliverable of the spec, decided: container, encoder, and the fate of each stream of the source.

    `source` is the film's path or URL. Raises Unfit where a stream does not fit and may not be dropped, or where the
    picture does not fit: it suggests changes that were tried on this film, and accepted. BadSpec where the spec lists streams
    that are not there; BadMedia where the source cannot be read.
    """
    with opened(source) as media:
        _refuse_list(film, spec, media)
        planner = _Planner(film, spec, media, grey_stays_grey)
        return tuple(planner.plan(one, number) for number, one in enumerate(spec.deliverables))


@dataclass(frozen=True)
class _Planner:
    """Plans the deliverables of one film, open for reading."""

    film: Film
    spec: JobSpec
    media: InputContainer
    grey_stays_grey: bool

    def plan(self, deliverable: Deliverable, number: int) -> DeliverablePlan:
        try:
            return self._plan(deliverable)
        except UnfitDeliverable as refusal:
            advised = refusal.trying(lambda change: self._accepts(deliverable, change), _others(deliverable))
            raise advised.of(member("deliverables", number)) if len(self.spec.deliverables) > 1 else advised from None

    def _plan(self, deliverable: Deliverable) -> DeliverablePlan:
        return _plan(self.film, self.spec, self.media, deliverable, self.grey_stays_grey)

    def _accepts(self, deliverable: Deliverable, change: SuggestedChange) -> bool:
        changed = change.deliverable(deliverable)
        try:
            return changed is not None and bool(self._plan(changed))
        except UnfitDeliverable:
            return False


def _others(deliverable: Deliverable) -> Iterator[SuggestedChange]:
    """What may do where a refusal's own advice does not, the least change first."""
    containers = [SuggestedChange.of(container=one) for one in CONTAINERS[deliverable.codec] if one not in FOLDERS]
    codecs = [SuggestedChange.to_codec(deliverable, one) for one in Codec if one is not deliverable.codec]
    # Where the new codec would be put into a container that does not do.
    codecs += [
        one._replace(fields=(*one.fields, ("container", None)))
        for one in codecs
        if ("container", None) not in one.fields
    ]
    yield from containers
    yield SuggestedChange().dropping()
    yield from (one.dropping() for one in containers)
    yield from sorted(codecs, key=lambda one: ("codec", Codec.FFV1.value) not in one.fields)
    yield from (one.dropping() for one in codecs)


def _plan(
    film: Film, spec: JobSpec, media: InputContainer, deliverable: Deliverable, grey_stays_grey: bool
) -> DeliverablePlan:
    encoding, drop = encoding_for(film, deliverable, grey_stays_grey), spec.dropped(deliverable)
    if deliverable.burn_in:
        encoding = encoding.model_copy(update={"burn_in": BurntIn.of(deliverable.burn_in, spec.name, film)})
    trial = MuxDryRun(film, media, encoding, drop)
    container = _container(deliverable, trial)
    refuse_rate(film.picture, container)
    refuse_turned(film, container)
    fates = (*trial.fates(container), *_within(film, media, container, drop))
    _refuse_dropped(film, drop, deliverable, container, fates)
    said = [*_said(film, media, encoding, container)]
    carried = (media.streams[one.stream] for one in fates if one.fate in ("copied", "converted"))
    if rewritten(encoding, container, carried):
        said.append("where the output is S3, the file is first put together on the worker's own disk (TMPDIR)")
    return DeliverablePlan(
        deliverable=deliverable,
        file=file_name(spec.title(deliverable), container),
        container=container,
        encoding=encoding,
        fates=tuple(
            one.model_copy(update={"detail": "; ".join(said)}) if one.fate == "picture" else one for one in fates
        ),
        origin=_origin(media),
        start_number=_start_number(film, deliverable, encoding),
    )


def _start_number(film: Film, deliverable: Deliverable, encoding: Encoding) -> int:
    """The number of the first picture's file."""
    wish = deliverable.start_number
    if wish != "timecode":
        return wish or 0
    number = frames_to(film.timecode, encoding.rate)
    if number is None:
        said = f"'{film.timecode}' is none at {float(encoding.rate):.3f} frames/s" if film.timecode else "it has none"
        raise UnfitDeliverable(
            f"{film.source}: start_number: timecode takes the film's own time code, and {said}",
            SuggestedChange.of(start_number=1001),
        )
    return number


def _container(deliverable: Deliverable, trial: MuxDryRun) -> Wrapping:
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
    yield from unsaid(encoding, container)
    if elsewhere := untold(film.picture, encoding, container):
        yield elsewhere
    if container not in FOLDERS and (code := timecode_said(film.timecode, encoding.rate)):
        yield code
    if words := unsaid_of_track(container, media.streams[film.picture.stream].metadata, PICTURE_TAGS):
        yield words


def _within(film: Film, media: InputContainer, container: Wrapping, drop: DropRule) -> Iterator[StreamFate]:
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
    own = (
        ("drop", spec.drop),
        *((f"{member('deliverables', n)}, drop", one.drop) for n, one in enumerate(spec.deliverables)),
    )
    for field, number in ((name, one) for name, rule in own for one in (rule if isinstance(rule, tuple) else ())):
        if number == film.picture.stream:
            raise BadSpec(f"{field}: stream {number} of {film.source} is the picture itself; take it off the list.")
        if isinstance(number, int) and number >= len(media.streams):
            there = ", ".join(f"{one.index} ({one.type})" for one in media.streams)
            raise BadSpec(f"{field}: {film.source} has no stream {number}; it has {there}.")


def _refuse_dropped(
    film: Film,
    drop: DropRule,
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
            listed_too = SuggestedChange.of(drop=(*(drop if isinstance(drop, tuple) else ()), "captions"))
            raise UnfitDeliverable(f"{what}: its closed captions would be lost, for {fate.detail}", listed_too)
        wider = [SuggestedChange.of(container="mkv")] if "mkv" in CONTAINERS[deliverable.codec] else []
        raise UnfitDeliverable(
            f"{what} does not fit into {container} ({fate.detail})", SuggestedChange().dropping(), *wider
        )


def _origin(media: InputContainer) -> Fraction:
    if media.format.name not in _ANY_CLOCK:
        return Fraction(0)
    starts = [one.start_time * one.time_base for one in media.streams if one.start_time is not None and one.time_base]
    first = min(starts, default=Fraction(0))
    return first if first >= _TIME_OF_DAY else Fraction(0)
