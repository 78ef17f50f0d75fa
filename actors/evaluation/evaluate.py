"""Evaluates looks on pictures whose truth is known, rendered the way a film's frames are.

A look that gives chroma is shown luma alone and its picture is composed with the truth's luma; any other is shown the truth. What
is composed has the truth's own form (size, depth, sampling), so that what comes back unchanged is at no distance.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import NamedTuple

import av
import torch
from torch import Tensor

from actors.evaluation.comparison_sheet import cell, sheet
from actors.evaluation.evaluation_orders import EvaluationMaterial
from actors.evaluation.photographs import as_frame, read_photograph
from actors.evaluation.shown_frames import CPU, batch_of, composed, rgb_of
from actors.looks import hire
from actors.picture.device import settled
from actors.picture.domain import Domain
from actors.picture.frame_batches import FrameBatch, batches_of, turned_back
from actors.picture.generator import BATCH, Generator
from actors.picture.image_metrics import chroma_psnr, colourfulness, de00_of_lab, lab, psnr, ssim
from actors.picture.png_sheet import Photo
from actors.survey.frame_runs import frames_of, runs_of
from actors.survey.neighbouring_frames import FrameRuns, NeighbouringFrames
from actors.survey.surveyor import Surveyor
from jobs.errors import FilmFailed
from jobs.film.source import Film, Picture
from jobs.plan.plan import Look
from jobs.records.evaluation import Figures, JudgedPicture, SkippedPicture
from jobs.store import open_store

GREY = 1.5
"""A picture is grey whose R'-G' and B'-G' spread by less than this (standard deviation, of 255): a tint is no colour."""


class EvaluationFrame(NamedTuple):
    """A picture to be judged, and the frames around it."""

    name: str
    frames: list[av.VideoFrame]
    place: int
    """Of the picture among the frames."""
    picture: Picture


class Evaluator:
    """One worker. Loads each look once, and judges any number of pictures, some at a time."""

    def __init__(
        self,
        material: EvaluationMaterial,
        looks: Sequence[Look],
        strengths: Sequence[float],
        cpus: float = 1,
        gpu: bool = False,
    ) -> None:
        """`strengths` are factors on what a look gives, ascending; looks that give no chroma are judged up to 1."""
        torch.set_num_threads(max(1, int(cpus)))
        self.threads = max(1, int(cpus))
        self.material = material
        self.device = settled(gpu)
        self.looks = list(looks)
        self.generators = [hire(look, self.device) for look in looks]
        self.strengths = [
            tuple(one for one in strengths if one <= 1 or generator.domain is Domain.CHROMA)
            for generator in self.generators
        ]

    def candidates(self) -> tuple[tuple[str, tuple[float, ...]], ...]:
        """Of each look: what it gives, and the strengths at which it is judged."""
        return tuple((one.domain.value, of) for one, of in zip(self.generators, self.strengths, strict=True))

    def choose(self, count: int, trim: bool = False) -> FrameRuns:
        """The frames of the film that are to be judged. `trim`: as a spec's `head: trim`."""
        surveyor = Surveyor(self.material.on, self.threads, self.material.reading)
        return runs_of(surveyor, count, [look.support for look in self.looks], trim=trim)

    def photographs(self, page: int, names: Sequence[str]) -> Iterator[JudgedPicture | SkippedPicture]:
        """Judge photographs, and put a sheet of them down. Raises BadMedia for one that cannot be read."""
        store = open_store(self.material.on)
        subjects = ((name, *as_frame(read_photograph(store, name))) for name in names)
        return self._page(page, (EvaluationFrame(name, [frame], 0, picture) for name, frame, picture in subjects))

    def frames(
        self, page: int, film: Film, runs: Sequence[NeighbouringFrames]
    ) -> Iterator[JudgedPicture | SkippedPicture]:
        """Judge frames of a film, and put a sheet of them down. Raises BadMedia for one that cannot be decoded."""
        return self._page(
            page,
            (
                EvaluationFrame(
                    f"frame {run.frame}", frames_of(film, run, self.threads), run.frame - run.read.start, film.picture
                )
                for run in runs
            ),
        )

    def _page(self, page: int, subjects: Iterable[EvaluationFrame]) -> Iterator[JudgedPicture | SkippedPicture]:
        columns = []
        for subject in subjects:
            truth = rgb_of([subject.frames[subject.place]], subject.picture)
            if is_grey(truth):
                yield SkippedPicture(name=subject.name)
                continue
            judged, column = self._judged(subject, truth)
            columns.append(column)
            yield judged
        if self.material.out is not None and columns:
            rows = ["grey", *(look.title for look in self.looks), "truth"]
            open_store(self.material.out).write(f"sheet-{page:03}.png", sheet(rows, columns))

    @torch.inference_mode()
    def _judged(self, subject: EvaluationFrame, truth_13HW: Tensor) -> tuple[JudgedPicture, list[Photo]]:
        frame, picture = subject.frames[subject.place], subject.picture
        wanted = lab(truth_13HW)
        grey = composed(frame, torch.zeros(1, 2, 1, 1), Domain.CHROMA, picture)
        found, cells = [], [cell(grey)]
        for look, generator, strengths in zip(self.looks, self.generators, self.strengths, strict=True):
            made = turned_back(self._made(look, generator, subject), picture)
            own = _own(frame, generator.domain, picture)
            curve = []
            for strength in strengths:
                shown = composed(frame, torch.lerp(own, made, strength), generator.domain, picture)
                curve.append(figures(shown, truth_13HW, wanted))
                if strength == 1:
                    cells.append(cell(shown))
            found.append(tuple(curve))
        judged = JudgedPicture(
            name=subject.name,
            colourfulness=float(colourfulness(truth_13HW)),
            grey=figures(grey, truth_13HW, wanted),
            looks=tuple(found),
        )
        return judged, [*cells, cell(truth_13HW)]

    def _made(self, look: Look, generator: Generator, subject: EvaluationFrame) -> Tensor:
        """The look's picture, upright, as it comes in the company of its neighbours."""
        pictures = generator.render(self._shown(generator, subject))
        number, wanted = 0, None
        for several in pictures:
            if number <= subject.place < number + len(several):
                wanted = several[subject.place - number][None].float().to(CPU)
            number += len(several)
        if number != len(subject.frames) or wanted is None:
            raise FilmFailed(
                f"The look '{look.title}' does not give one picture for each frame (seen at {subject.name}); "
                "correct the look, and raise its version."
            )
        return wanted

    def _shown(self, generator: Generator, subject: EvaluationFrame) -> Iterator[FrameBatch]:
        for _, batch in batches_of(subject.frames, subject.picture, BATCH, self.device):
            yield replace(batch, chroma=None) if generator.domain is Domain.CHROMA else batch


def figures(rgb_13HW: Tensor, truth_13HW: Tensor, truth_lab_13HW: Tensor) -> Figures:
    """One picture held against the truth, whose L*a*b* is reckoned once."""
    return Figures(
        de00=float(de00_of_lab(lab(rgb_13HW), truth_lab_13HW)),
        colourfulness=float(colourfulness(rgb_13HW)),
        psnr=float(psnr(rgb_13HW, truth_13HW)),
        chroma_psnr=float(chroma_psnr(rgb_13HW, truth_13HW)),
        ssim=float(ssim(rgb_13HW, truth_13HW)),
    )


def is_grey(rgb_13HW: Tensor) -> bool:
    """Whether a picture has no colours, or a single tint."""
    against_green = 255 * (rgb_13HW[0, ::2] - rgb_13HW[0, 1:2])
    return float(against_green.std((1, 2), correction=0).max()) < GREY


def _own(frame: av.VideoFrame, domain: Domain, picture: Picture) -> Tensor:
    """What of the frame a look's picture stands in for, as the film stores it; no chroma, which the look was not shown."""
    if domain is Domain.CHROMA:
        return torch.zeros(1, 2, 1, 1)
    batch = batch_of([frame], picture)
    return turned_back(batch.rgb() if domain is Domain.RGB else batch.luma(), picture)
