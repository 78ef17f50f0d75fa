"""Combines a look's picture with the film's frame into the finished frame that is encoded.

What a look does not give stays the film's own, bit for bit where the forms agree.

One function brings every look to every deliverable, at its size, depth, range and sampling, as Y'CbCr, grey or R'G'B'. What a
look leaves alone, luma or chroma, is copied from the film as integers wherever the forms agree. Planes are resampled only
where the sizes differ, so a look that gives back what it got gives back the film. All is reckoned in floats and rounded once.
Chroma keeps its place beside luma: the film's is sited as its header says, a deliverable's as the film's where both are sampled
alike, else on the left (`aside`), a look's own in the middle of the pixels it covers.
"""

from collections.abc import Callable, Sequence

import av
import numpy as np
import torch
from torch import Tensor

from actors.media.chroma_siting import siting_in
from actors.media.planes import Aside, Plane, aside, covered, planes_of, turned
from actors.picture.colour import Quantiser, from_differences, to_differences
from actors.picture.device import fetched_together
from actors.picture.domain import Domain
from actors.picture.grading.grader import Grader
from actors.picture.resize import resized
from actors.picture.transfer import CURVES
from jobs.errors import ChunkFailed
from jobs.film.source import Picture
from jobs.records.orders import Encoding
from jobs.spec.codecs import Codec

Planes = Sequence[Plane]
Fetch = Callable[[Sequence[Tensor]], list[Tensor]]
"""Brings tensors of a look's device into this machine's memory, and waits for them: see `actors.picture.device.fetched_together`."""


def compose(
    frames: Sequence[av.VideoFrame],
    picture_NCHW: Tensor,
    domain: Domain,
    film: Picture,
    encoding: Encoding,
    fetch: Fetch = fetched_together,
    grader: Grader | None = None,
    first: int = 0,
) -> list[av.VideoFrame]:
    """Finished frames in the encoding's form for the film's frames, from number `first` on, and the look's pictures, graded.

    On a GPU all of a batch is asked for before anything is waited for, once. A processor takes a picture at a time, while
    it lies in its caches. Raises ChunkFailed where a picture holds NaN or infinity.
    """
    composer = Composer(domain, film, encoding, fetch, grader)
    at_once = 1 if picture_NCHW.device.type == "cpu" else len(frames)
    made: list[av.VideoFrame] = []
    for start in range(0, len(frames), at_once or 1):
        some = slice(start, start + at_once)
        made += composer.finished(frames[some], picture_NCHW[some], first + start)
    return made


def all_finite(picture_NCHW: Tensor) -> Tensor:
    """Whether no picture holds NaN or infinity, on their own device: nothing is waited for."""
    # One pass: both come out as a least or a greatest value.
    return torch.stack(picture_NCHW.aminmax()).isfinite().all()


def refuse_not_a_number(finite: Tensor) -> None:
    """Raises ChunkFailed where `all_finite`, fetched, says that a picture holds NaN or infinity."""
    if not bool(finite):
        raise ChunkFailed(
            "the look gave a picture with values that are no numbers (NaN or infinite); correct the look, and raise its version"
        )


class Composer:
    """From one film to one encoding."""

    def __init__(
        self, domain: Domain, film: Picture, encoding: Encoding, fetch: Fetch, grader: Grader | None = None
    ) -> None:
        self.domain, self.film, self.encoding, self.fetch, self.grader = domain, film, encoding, fetch, grader
        lying = (encoding.height, encoding.width)
        self.size = lying[::-1] if encoding.rotation % 180 else lying
        self.own_aside = aside(film.pix_fmt, siting_in(film))
        # Where both are sampled alike, chroma is copied, and so stays where it is.
        alike = covered(film.pix_fmt) == covered(encoding.pix_fmt)
        self.aside = self.own_aside if alike else aside(encoding.pix_fmt)
        self.is_rgb = av.VideoFormat(encoding.pix_fmt).is_rgb
        self.source = Quantiser(film.colour, film.depth)
        self.wanted = Quantiser(encoding.colour, av.VideoFormat(encoding.pix_fmt).components[0].bits)

    def finished(self, frames: Sequence[av.VideoFrame], picture_NCHW: Tensor, first: int = 0) -> list[av.VideoFrame]:
        """Frames that are composed together: what the look's device has to do for them is waited for once."""
        size = (self.encoding.width, self.encoding.height)
        made = [av.VideoFrame(*size, self.encoding.pix_fmt) for _ in frames]
        own = [planes_of(frame) for frame in frames]
        planes = [turned(planes_of(frame), -self.encoding.rotation) for frame in made]
        is_rgb = self.is_rgb
        grader = self.grader if self.grader and self.grader.acts(first, len(frames)) else None
        if grader and (is_rgb or len(planes[0]) == 3):
            asked = self._graded(grader, picture_NCHW, own, planes[0], first)
        else:
            asked = [picture_NCHW] if is_rgb else self._integers(picture_NCHW, own[0], planes[0])
        finite, *given = self.fetch([all_finite(picture_NCHW), *asked])
        refuse_not_a_number(finite)
        alone = [torch.split(one, 1) for one in given]
        for target, source, *parts in zip(planes, own, *alone, strict=True):
            if is_rgb:
                self._paint(target, parts[0][0] if grader else self._rgb(source, parts[0]))
            else:
                self._fill(target, source, parts)
        return made

    def _graded(
        self, grader: Grader, picture_NCHW: Tensor, own: Sequence[Planes], planes: Planes, first: int
    ) -> list[Tensor]:
        """As `_integers`, graded; of an R'G'B' encoding the picture (N3HW), not clipped."""
        device, is_rgb = picture_NCHW.device, self.is_rgb
        luma_N1HW, differences = _parts(picture_NCHW, self.domain, self.film)

        def own_luma() -> Tensor:
            return torch.cat([self._own_luma_floats(one[0])[None] for one in own]).to(device)

        def sited(chroma_N2hw: Tensor, *, whole: bool = is_rgb or grader.whole) -> Tensor:
            size, to = (self.size, (0.0, 0.0)) if whole else (planes[1].shape, self.aside)
            return self._sited(chroma_N2hw, own[0], size, to)

        def own_chroma() -> Tensor:
            return sited(torch.cat([self._own_differences(one) for one in own]).to(device))

        luma = own_luma() if luma_N1HW is None else grader.luma(resized(luma_N1HW, self.size), own_luma, first)
        chroma = own_chroma() if differences is None else sited(differences)
        luma, chroma = grader.graded(luma, grader.chroma(luma, chroma, own_chroma, first))
        if is_rgb:
            return [from_differences(luma, grader.legal(luma, chroma), self.film.colour)]
        chroma = sited(chroma, whole=False) if grader.whole else chroma
        levels = self.wanted.integers(self.wanted.difference_levels(grader.legal(luma, chroma)))
        kept = luma_N1HW is None and not grader.whole
        return [levels] if kept else [self.wanted.integers(self.wanted.luma_levels(luma)), levels]

    def _integers(self, picture_NCHW: Tensor, own: Sequence[Plane], planes: Sequence[Plane]) -> list[Tensor]:
        """What the look gives of the finished planes, on its device: luma (N1HW), then chroma (N2hw), as far as there are any."""
        luma_N1HW, differences = _parts(picture_NCHW, self.domain, self.film)
        given = [] if luma_N1HW is None else [self._luma(luma_N1HW)]
        if differences is not None and len(planes) == 3:
            given.append(self._chroma(differences, own, planes))
        return given

    def _fill(self, planes: Sequence[Plane], own: Sequence[Plane], given: Sequence[Tensor]) -> None:
        parts = list(given)
        keeps = self.domain is Domain.CHROMA and len(parts) < 2  # a grade may give it luma
        planes[0][:] = self._own_luma(own[0]) if keeps else parts.pop(0)[0, 0].numpy()
        if self.domain is Domain.LUMA and not parts and self._same_form(own, planes):
            for plane, values in zip(planes[1:], own[1:], strict=True):
                plane[:] = values
        elif len(planes) == 3:
            chroma = parts.pop() if parts else self._chroma(self._own_differences(own), own, planes)
            for plane, values in zip(planes[1:], chroma[0].numpy(), strict=True):
                plane[:] = values

    def _chroma(self, differences: Tensor, own: Sequence[Plane], planes: Sequence[Plane]) -> Tensor:
        # Brought into steps where the picture is small, and rounded once, where it is large.
        levels = self.wanted.difference_levels(differences)
        return self.wanted.integers(self._sited(levels, own, planes[1].shape, self.aside))

    def _sited(self, chroma_N2hw: Tensor, own: Sequence[Plane], size: tuple[int, ...], to: Aside) -> Tensor:
        """Chroma of another size, sited as `to` says; what has the size of the film's own is sited as that is."""
        height, width = size
        above, left = self.own_aside if chroma_N2hw.shape[-2:] == own[-1].shape else (0.0, 0.0)
        rows, columns = chroma_N2hw.shape[-2:]
        shift = (above - to[0] * rows / height, left - to[1] * columns / width)
        return resized(chroma_N2hw, (height, width), shift)

    def _luma(self, luma_N1HW: Tensor) -> Tensor:
        return self.wanted.integers(resized(self.wanted.luma_levels(luma_N1HW), self.size))

    def _own_luma(self, luma: Plane) -> Plane:
        """The film's own luma: as integers wherever a step of one depth is a whole number of steps of the other."""
        full, depths = self.source.colour.full_range, (self.source.depth, self.wanted.depth)
        same_steps = full == self.wanted.colour.full_range and (not full or depths[0] == depths[1])
        if luma.shape == self.size and same_steps:
            return _at_depth(luma, *depths)
        whole: Plane = self._luma(self._own_luma_floats(luma)[None])[0, 0].numpy()
        return whole

    def _own_luma_floats(self, luma: Plane) -> Tensor:
        whole = torch.from_numpy(luma.astype(np.float32))[None, None]
        return self.source.luma_floats(resized(whole, self.size)[0])

    def _same_form(self, own: Sequence[Plane], planes: Sequence[Plane]) -> bool:
        same_steps = (self.film.depth, self.film.colour.full_range) == (
            self.wanted.depth,
            self.wanted.colour.full_range,
        )
        return same_steps and [one.shape for one in own] == [one.shape for one in planes]

    def _own_differences(self, own: Sequence[Plane]) -> Tensor:
        """The film's own chroma; none for a grey film."""
        if len(own) == 1:
            return torch.zeros(1, 2, 1, 1)
        chroma = torch.from_numpy(np.stack(own[1:]).astype(np.int32))
        return self.source.difference_floats(chroma[None])

    def _rgb(self, own: Sequence[Plane], picture_1CHW: Tensor) -> Tensor:
        """R'G'B' (3HW) at the encoding's size, not clipped; of an R'G'B' look its own."""
        if self.domain is Domain.RGB:
            return resized(picture_1CHW, self.size)[0]
        luma_11HW, differences = _parts(picture_1CHW, self.domain, self.film)
        luma = self._own_luma_floats(own[0]) if luma_11HW is None else resized(luma_11HW, self.size)[0]
        differences = self._own_differences(own) if differences is None else differences
        return from_differences(luma[None], self._sited(differences, own, self.size, (0.0, 0.0)), self.film.colour)[0]

    def _paint(self, planes: Sequence[Plane], rgb_3HW: Tensor) -> None:
        if self.encoding.codec is Codec.EXR:
            # As half floats by rounding: libav would cut them off.
            values = CURVES[self.film.colour.transfer].linear(rgb_3HW.numpy()).astype(np.float16)
        else:
            values = self.wanted.integers(self.wanted.luma_levels(rgb_3HW)).numpy()
        for plane, value in zip(planes, values, strict=True):
            plane[:] = value


def _parts(picture_NCHW: Tensor, domain: Domain, film: Picture) -> tuple[Tensor | None, Tensor | None]:
    """What the look gives: Y' (N1HW) and (B'-Y', R'-Y') (N2hw), None for what stays the film's own."""
    if domain is Domain.CHROMA:
        return None, picture_NCHW
    if domain is Domain.LUMA:
        return picture_NCHW, None
    return to_differences(picture_NCHW, film.colour)


def _at_depth(luma: Plane, source: int, wanted: int) -> Plane:
    if wanted == source:
        return luma
    if wanted > source:
        return (luma.astype(np.uint32) << (wanted - source)).astype(np.uint16)
    # Rounded, not cut off: half a step of the wanted depth is added first, and the top is held.
    shift = source - wanted
    rounded = (luma.astype(np.uint32) + (1 << (shift - 1))) >> shift
    held: Plane = np.minimum(rounded, 2**wanted - 1).astype(np.uint8 if wanted == 8 else np.uint16)
    return held
