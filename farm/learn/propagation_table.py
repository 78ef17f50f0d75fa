"""Prints an evaluation of colour propagation: errors as shares of grey's, by distance from the anchors, and jitter."""

from farm.learn.evaluation_table import WIDTH
from farm.progress.plain_console import Column, PlainConsole
from jobs.errors import number_of
from jobs.records.evaluation import DistanceFigures, ErrorShare, Jitter, PropagationEvaluation


def show_propagation(evaluation: PropagationEvaluation, console: PlainConsole | None = None) -> None:
    """The evaluation for people, on stderr."""
    console = console or PlainConsole(width=WIDTH)
    out = (
        f", {evaluation.left_out} left out: no anchor in their shot, or too far from one" if evaluation.left_out else ""
    )
    anchors = f"{number_of(len(evaluation.anchors), 'anchor')} in {number_of(evaluation.shots, 'shot')}"
    console.note(f"{evaluation.frames} of {evaluation.propagated} propagated frames of {evaluation.on}; {anchors}{out}")
    rows = [(_distance(some), *_cells(some)) for some in evaluation.by_distance]
    heads = ("from anchor", "frames", "dE00", "grey", "share", "chroma RMS", "grey", "share")
    columns = [Column(head, right=True) for head in heads]
    title = "means over frames, and as a share of grey's"
    console.table(title, [*rows, ("all", *_cells(evaluation.total))], columns)
    for where, jitter in (("still", evaluation.still), ("moving", evaluation.moving)):
        console.note(f"jitter in {where} areas: {_of(jitter)}")
    if gain := evaluation.strokes:
        share = "" if gain.gained is None else f": {100 * gain.gained:.0f} % of what true anchors gain"
        console.note(
            f"dE00 of {gain.name} alone {gain.look:.2f}, with {number_of(gain.count, 'stroke')} on each anchor {gain.strokes:.2f}, "
            f"with true anchors {gain.still:.2f}{share}"
        )
        if gain.outside and gain.worst is not None:
            console.note(
                f"outside the strokes' colours ({100 * gain.outside.share:.0f} % of a frame): dE00 {gain.outside.look:.2f} alone, "
                f"{gain.outside.strokes:.2f} with strokes, {gain.worst:+.2f} in the worst frame"
            )


def _distance(some: DistanceFigures) -> str:
    return f"{some.nearest}-{some.farthest}" if some.farthest else f"{some.nearest}+"


def _cells(some: DistanceFigures) -> list[str]:
    return [str(some.frames), *_shares(some.de00), *_shares(some.chroma_rms)]


def _shares(figure: ErrorShare) -> list[str]:
    share = "-" if figure.share is None else f"{100 * figure.share:.1f} %"
    return [f"{figure.propagated:.2f}", f"{figure.grey:.2f}", share]


def _of(jitter: Jitter | None) -> str:
    if jitter is None:
        return "not measured"
    ratio = f", {jitter.propagated / jitter.truth:.2f} times as much" if jitter.truth else ""
    return f"{jitter.propagated:.3f} of 255 a frame, the truth's {jitter.truth:.3f}{ratio}"
