"""The command `farm evaluate`: options into a request, the evaluation onto the screen or into JSON."""

from typing import Annotated

import typer

from farm.cli.options import Address, AsJson, Deinterlace, Head, Setting, Video, Workers, fields_of, trims
from jobs.errors import BadSpec


def evaluate(
    look: Annotated[str, typer.Argument(metavar="LOOK", help="A look, by name or by its place; see `farm looks`.")],
    on: Annotated[str, typer.Option("--on", metavar="PLACE", help="A folder of photographs in colour, or a film.")],
    against: Annotated[
        list[str] | None, typer.Option(metavar="LOOK", help="Another look; may be given several times.")
    ] = None,
    setting: Setting = None,
    out: Annotated[
        str | None,
        typer.Option(metavar="PLACE", help="Folder or s3://bucket/prefix for evaluation.json and picture sheets."),
    ] = None,
    strengths: Annotated[
        str | None, typer.Option(metavar="LIST", help="Of the curve, as in 0,0.5,1,1.5; 1 is as rendered.")
    ] = None,
    frames: Annotated[int, typer.Option(min=1, max=100_000, help="Of a film: how many, evenly spread.")] = 24,
    deinterlace: Deinterlace = None,
    head: Head = None,
    video: Video = None,
    workers: Workers = None,
    address: Address = None,
    as_json: AsJson = False,
) -> None:
    """Judge a look on pictures whose colours are known: dE00 over colourfulness, against grey and other looks."""
    from jobs.spec.job import LookChoice, Reading

    first = LookChoice(name=look, settings=fields_of(setting=setting).get("settings", {}))
    if deinterlace not in (None, "bwdif"):
        raise BadSpec(f"--deinterlace {deinterlace}: it reads bwdif.")
    trim = trims(head)
    wish = {} if strengths is None else {"strengths": _numbers(strengths)}
    reading = Reading(video=video, deinterlace=deinterlace is not None)

    from farm.learn.evaluate import EvaluationRequest  # takes seconds: what is wrong with the options is said before
    from farm.learn.evaluate import evaluate as judge
    from farm.learn.evaluation_table import show

    looks = (first, *(LookChoice(name=name) for name in against or ()))
    question = EvaluationRequest(looks, on, frames=frames, out=out, reading=reading, trim=trim, **wish)
    evaluation = judge(question, address=address, workers=workers)
    print(evaluation.model_dump_json(indent=2)) if as_json else show(evaluation)


def _numbers(text: str) -> tuple[float, ...]:
    try:
        return tuple(float(one) for one in text.split(","))
    except ValueError:
        raise BadSpec(f"--strengths {text}: write numbers with commas between them, as in 0,0.5,1.") from None
