"""Prints an evaluation of a look between shots: how far the colours of what two shots show are apart."""

from farm.learn.evaluation_table import WIDTH
from farm.progress.plain_console import Column, PlainConsole
from jobs.errors import number_of
from jobs.records.evaluation import BetweenShotsEvaluation, ShotPair


def show_between_shots(evaluation: BetweenShotsEvaluation, console: PlainConsole | None = None) -> None:
    """The evaluation for people, on stderr."""
    console = console or PlainConsole(width=WIDTH)
    judged = "" if evaluation.pairs == evaluation.alike else f", {evaluation.pairs} judged"
    console.note(
        f"{evaluation.alike} of {number_of(evaluation.compared, 'pair')} of shots of {evaluation.on} show the same{judged}; "
        f"{evaluation.patches:,} {'patch' if evaluation.patches == 1 else 'patches'}"
    )
    heads = ("frames", "patches", "truth", "look alone", "first a still", "matched", "second a still", "matched")
    columns = [Column(head, right=True) for head in heads]
    title = f"{evaluation.look.name}: dE00 between the patches of two frames"
    console.table(title, [_row(pair) for pair in evaluation.each], columns)
    less = f": {100 * (1 - evaluation.matched / evaluation.unmatched):.0f} % less" if evaluation.unmatched else ""
    console.note(
        f"dE00 of patches: truth {evaluation.truth:.2f}, look alone {evaluation.alone:.2f}; one frame a true still: "
        f"{evaluation.unmatched:.2f}, matched {evaluation.matched:.2f}{less}"
    )
    console.note(
        f"dE00 of the other frame, against the truth: {evaluation.unmatched_error:.2f}, matched {evaluation.matched_error:.2f}"
    )


def _row(pair: ShotPair) -> tuple[str, ...]:
    earlier, later = pair.sides
    figures = (pair.truth, pair.alone, later.unmatched, later.matched, earlier.unmatched, earlier.matched)
    return ("{}, {}".format(*pair.frames), str(pair.patches), *(f"{figure:.2f}" for figure in figures))
