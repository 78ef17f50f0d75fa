"""The command `farm evaluate`: measures looks, or colour propagation, on pictures whose true colours are known."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from farm.cli.options import Address, AsJson, Deinterlace, Head, Setting, Video, Workers, fields_of, trims
from farm.progress.plain_output import answer
from jobs.errors import BadSpec

if TYPE_CHECKING:
    from jobs.spec.job import Reading


def evaluate(
    on: Annotated[
        str, typer.Option("--on", metavar="PLACE", help="A folder of photographs in colour, or a film in colour.")
    ],
    look: Annotated[
        str | None, typer.Argument(metavar="LOOK", help="A look, by name or by its place; see `farm looks`.")
    ] = None,
    against: Annotated[
        list[str] | None, typer.Option(metavar="LOOK", help="Another look to compare with; repeatable.")
    ] = None,
    setting: Setting = None,
    anchors: Annotated[
        str | None,
        typer.Option(
            metavar="WHICH",
            help="Measure propagation from true frames instead of a look: `middle`, `ends` or `three` (both) of each shot, "
            "or frames, as in '0,48-50,00:00:05:03'.",
        ),
    ] = None,
    strokes: Annotated[
        int | None,
        typer.Option(
            min=1,
            max=50,
            metavar="N",
            help="With --anchors: draw N strokes by rule on each anchor over LOOK's own colour, and tell what they gain.",
        ),
    ] = None,
    between_shots: Annotated[
        bool,
        typer.Option(
            "--between-shots",
            help="Measure how far apart LOOK's colours of what two shots both show are, without and with a true still in one of them.",
        ),
    ] = False,
    shots: Annotated[
        str | None,
        typer.Option(
            "--shots",
            metavar="LIST",
            help="With --anchors or --between-shots: the film's shots as .csv, .edl or .otio. Default: they are detected.",
        ),
    ] = None,
    out: Annotated[
        str | None,
        typer.Option(metavar="PLACE", help="Folder or s3://bucket/prefix for evaluation.json and picture sheets."),
    ] = None,
    strengths: Annotated[
        str | None, typer.Option(metavar="LIST", help="Strengths of the curve, as in 0,0.5,1,1.5; 1 is as rendered.")
    ] = None,
    frames: Annotated[
        int | None,
        typer.Option(
            min=1,
            max=100_000,
            help="Frames taken of a film, evenly spread; default: 24, with --anchors 240. With --between-shots: pairs of frames, 24.",
        ),
    ] = None,
    deinterlace: Deinterlace = None,
    head: Head = None,
    video: Video = None,
    workers: Workers = None,
    address: Address = None,
    as_json: AsJson = False,
) -> None:
    """Measure a look, or propagation, against true colours.

    Tells dE00, colourfulness, PSNR and SSIM beside those of grey and of other looks.
    """
    wish: dict[str, Any] = {"on": on, "out": out, "trim": trims(head), "reading": _reading(video, deinterlace)}
    wish |= {} if frames is None else {"frames": frames}
    if between_shots:
        others = {"--anchors": anchors, "--strokes": strokes, "--against": against, "--strengths": strengths}
        _judge_between_shots(wish | {"shots": shots} | _one_look(look, setting, others), address, workers, as_json)
        return
    if anchors is None:
        if strokes is not None:
            raise BadSpec(
                "--strokes goes with --anchors: name the frames on which they are drawn, as in `--anchors middle`."
            )
        if shots is not None:
            raise BadSpec(
                "--shots goes with --anchors: name the frames whose colour is propagated, as in `--anchors middle`."
            )
        _judge_looks(wish | _looks(look, against, setting, strengths), address, workers, as_json)
        return
    if strokes is not None:
        if look is None:
            raise BadSpec(
                "--strokes: name the look over whose colour they are drawn, as in `farm evaluate colorize --on FILM --anchors middle`."
            )
        first = _looks(look, against, setting, strengths)["looks"][0]
        wish |= {"strokes": strokes, "look": first}
        look = setting = None
    of_looks = {f"the look {look}": look, "--against": against, "--set": setting, "--strengths": strengths}
    if said := [name for name, value in of_looks.items() if value]:
        raise BadSpec(f"--anchors goes without {' and '.join(said)}: it is the film's own colour that is propagated.")
    _judge_propagation(wish | {"anchors": anchors, "shots": shots}, address, workers, as_json)


def _reading(video: int | None, deinterlace: str | None) -> "Reading":
    from jobs.spec.job import Reading

    if deinterlace not in (None, "bwdif"):
        raise BadSpec(f"--deinterlace {deinterlace}: only bwdif is allowed.")
    return Reading(video=video, deinterlace=deinterlace is not None, alpha=True)


def _looks(
    look: str | None, against: list[str] | None, setting: list[str] | None, strengths: str | None
) -> dict[str, Any]:
    """What is asked of looks."""
    from jobs.spec.job import LookChoice

    if look is None:
        raise BadSpec("Name a look, or with --anchors the frames whose own colour is propagated.")
    first = LookChoice(name=look, settings=fields_of(setting=setting).get("settings", {}))
    looks = (first, *(LookChoice(name=name) for name in against or ()))
    return {"looks": looks} | ({} if strengths is None else {"strengths": _numbers(strengths)})


def _one_look(look: str | None, setting: list[str] | None, others: dict[str, Any]) -> dict[str, Any]:
    """What is asked of the look whose colours are compared between shots. `others`: options that are of no use then."""
    if look is None:
        raise BadSpec(
            "--between-shots: name the look whose colours are compared, as in `farm evaluate colorize --on FILM --between-shots`."
        )
    if said := [name for name, value in others.items() if value]:
        raise BadSpec(f"--between-shots goes without {' and '.join(said)}: it finds its frames itself, for one look.")
    return {"look": _looks(look, None, setting, None)["looks"][0]}


def _judge_looks(wish: dict[str, Any], address: str | None, workers: int | None, as_json: bool) -> None:
    from farm.learn.evaluate import EvaluationRequest  # takes seconds: what is wrong with the options is said before
    from farm.learn.evaluate import evaluate as judge
    from farm.learn.evaluation_table import show

    evaluation = judge(EvaluationRequest(**wish), address=address, workers=workers)
    answer(evaluation) if as_json else show(evaluation)


def _judge_propagation(wish: dict[str, Any], address: str | None, workers: int | None, as_json: bool) -> None:
    from farm.learn.evaluate_propagation import PropagationRequest, evaluate_propagation
    from farm.learn.propagation_table import show_propagation

    evaluation = evaluate_propagation(PropagationRequest(**wish), address=address, workers=workers)
    answer(evaluation) if as_json else show_propagation(evaluation)


def _judge_between_shots(wish: dict[str, Any], address: str | None, workers: int | None, as_json: bool) -> None:
    from farm.learn.between_shots_table import show_between_shots
    from farm.learn.evaluate_between_shots import BetweenShotsRequest, evaluate_between_shots

    if "frames" in wish:
        wish["pairs"] = wish.pop("frames")
    evaluation = evaluate_between_shots(BetweenShotsRequest(**wish), address=address, workers=workers)
    answer(evaluation) if as_json else show_between_shots(evaluation)


def _numbers(text: str) -> tuple[float, ...]:
    try:
        return tuple(float(one) for one in text.split(","))
    except ValueError:
        raise BadSpec(f"--strengths {text}: write numbers with commas between them, as in 0,0.5,1.") from None
