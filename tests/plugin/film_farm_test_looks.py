"""Looks that only tests use, installed as a studio would install its own: a distribution with an entry point. Promises pictures that betray every mistake of the farm."""

import os
import signal
import weakref
from collections import deque
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import ClassVar

import torch
from torch import Tensor

from actors.look_api import Document, Domain, FrameBatch, Needs, Package, Support
from tests.waiting import hang, poll_until, take_time


class _TestLook:
    about: ClassVar[str] = "a look for tests"
    version: ClassVar[int] = 1
    shipped: ClassVar[Path | None] = None
    domain = Domain.CHROMA

    def __init__(self, settings: Document, package: Package | None, device: torch.device) -> None:
        self.wish = settings

    @classmethod
    def needs(cls, settings: Document, package: Package | None) -> Needs:
        return Needs()


class WindowSettings(Document):
    """How far it looks, and how far it says it looks."""

    radius: int = 5
    declared: int = 5


class WindowLook(_TestLook):
    """Chroma from the brightness of every frame within `radius`, each with a weight of its own: one frame less shows."""

    settings: ClassVar[type[Document]] = WindowSettings

    @classmethod
    def needs(cls, settings: Document, package: Package | None) -> Needs:
        assert isinstance(settings, WindowSettings)
        return Needs(Support(context=settings.declared))

    def render(self, batches: Iterable[FrameBatch]) -> Iterator[Tensor]:
        assert isinstance(self.wish, WindowSettings)
        radius = self.wish.radius
        window: deque[Tensor] = deque([torch.zeros(1, 8, 8)] * radius, maxlen=2 * radius + 1)
        for batch in batches:
            for luma in batch.luma((8, 8)):
                window.append(luma)
                if len(window) == 2 * radius + 1:
                    yield self._picture(window)
        for _ in range(radius):
            window.append(torch.zeros(1, 8, 8))
            if len(window) == 2 * radius + 1:
                yield self._picture(window)

    def _picture(self, window: deque[Tensor]) -> Tensor:
        total = torch.zeros(1, 8, 8)
        for place, luma in enumerate(window):
            total = total + luma * (0.02 + 0.01 * place)
        return torch.stack([total, -total], 1) * 0.3


class NoSettings(Document):
    """No settings."""


class NegativeLook(_TestLook):
    """The picture's negative: a look that gives R'G'B'."""

    settings: ClassVar[type[Document]] = NoSettings
    domain = Domain.RGB

    def render(self, batches: Iterable[FrameBatch]) -> Iterator[Tensor]:
        for batch in batches:
            yield 1 - batch.rgb()


class BrokenSettings(Document):
    """What goes wrong."""

    how: str = "nan"


class BrokenLook(_TestLook):
    """Gives NaN, or too few pictures, or too many, or raises, or loses its process."""

    settings: ClassVar[type[Document]] = BrokenSettings

    @classmethod
    def needs(cls, settings: Document, package: Package | None) -> Needs:
        return Needs(keeps="luma")

    def render(self, batches: Iterable[FrameBatch]) -> Iterator[Tensor]:
        assert isinstance(self.wish, BrokenSettings)
        for batch in batches:
            if self.wish.how == "raise":
                raise ArithmeticError("the network fell over")
            if self.wish.how == "die":
                os.kill(os.getpid(), signal.SIGKILL)
            frames = len(batch) + {"few": -1, "many": 1}.get(self.wish.how, 0)
            yield torch.full((frames, 2, 4, 4), 0.0 if self.wish.how in ("few", "many") else float("nan"))


class PoisonSettings(Document):
    """What it cannot bear, and for how long."""

    frames: int
    """Reads of so many frames go wrong."""
    mended: str = ""
    """A file: once it is there, nothing goes wrong."""
    hang: str = ""
    """A file: where it is not there, it is made, and the read never ends; where it is, nothing goes wrong."""


class PoisonLook(_TestLook):
    """Chroma from brightness, but that it goes wrong on reads of one length."""

    settings: ClassVar[type[Document]] = PoisonSettings

    def render(self, batches: Iterable[FrameBatch]) -> Iterator[Tensor]:
        assert isinstance(self.wish, PoisonSettings)
        shown = list(batches)
        if sum(map(len, shown)) == self.wish.frames:
            self._go_wrong(self.wish)
        for batch in shown:
            luma = batch.luma((24, 40))
            yield torch.cat([luma - 0.5, 0.5 - luma], 1) * 0.4

    @staticmethod
    def _go_wrong(wish: PoisonSettings) -> None:
        if not wish.hang:
            if not (wish.mended and Path(wish.mended).exists()):
                raise ArithmeticError("such a read cannot be borne")
        elif not Path(wish.hang).exists():
            Path(wish.hang).touch()
            hang()


class HungrySettings(Document):
    """How much it can take."""

    most: int = 2
    """Frames at a time; more are more than its memory holds."""
    says: str = ""
    """A plain RuntimeError with these words, or `MemoryError`; by default torch's own error."""


class HungryLook(_TestLook):
    """The film as it is, out of memory where it is shown too many frames at a time."""

    settings: ClassVar[type[Document]] = HungrySettings

    def __init__(self, settings: Document, package: Package | None, device: torch.device) -> None:
        super().__init__(settings, package, device)
        self.refused: list[weakref.ref[Tensor]] = []
        """The pictures that were too many, one for each time."""
        self.held: list[int] = []
        """How many of those were still in memory when it was asked again, one for each time it was asked."""

    def render(self, batches: Iterable[FrameBatch]) -> Iterator[Tensor]:
        assert isinstance(self.wish, HungrySettings)
        self.held.append(sum(one() is not None for one in self.refused))
        for batch in batches:
            if len(batch) > self.wish.most:
                self.refused.append(weakref.ref(batch.luma_NHW))
                if not self.wish.says:
                    raise torch.OutOfMemoryError(f"{len(batch)} frames at a time")
                raise MemoryError if self.wish.says == "MemoryError" else RuntimeError(self.wish.says)
            yield batch.differences()


class SlowSettings(Document):
    """How long it takes."""

    seconds: float = 0.0
    """For each frame."""
    gate: Path | None = None
    """A file: nothing is rendered until it is there. Whoever waits for it leaves <gate>.<number of its process>."""


class SlowLook(_TestLook):
    """The film as it is, after a while that costs the processor nothing: as on a GPU."""

    settings: ClassVar[type[Document]] = SlowSettings

    def render(self, batches: Iterable[FrameBatch]) -> Iterator[Tensor]:
        assert isinstance(self.wish, SlowSettings)
        for batch in batches:
            if self.wish.gate:
                self.wish.gate.with_suffix(f".{os.getpid()}").touch()
                poll_until(self.wish.gate.exists, 300)
            take_time(self.wish.seconds * len(batch))
            yield batch.differences()


class MoodyLook(_TestLook):
    """A tint that depends on how often it was hired: as a picture may on the hardware that makes it."""

    settings: ClassVar[type[Document]] = NoSettings
    hired: ClassVar[int] = 0

    def __init__(self, settings: Document, package: Package | None, device: torch.device) -> None:
        super().__init__(settings, package, device)
        MoodyLook.hired += 1
        self._tint = 0.02 * MoodyLook.hired

    def render(self, batches: Iterable[FrameBatch]) -> Iterator[Tensor]:
        for batch in batches:
            yield torch.full((len(batch), 2, 4, 4), self._tint)


class DriftSettings(Document):
    """How long it remembers, and what it says of that."""

    memory: float = 0.95
    warmup: int = 10
    dissolve: int = 12


class DriftLook(_TestLook):
    """A tint that wanders, pushed by the grain of every frame it has ever seen: a recurrent look whose memory has no end."""

    settings: ClassVar[type[Document]] = DriftSettings

    @classmethod
    def needs(cls, settings: Document, package: Package | None) -> Needs:
        assert isinstance(settings, DriftSettings)
        return Needs(Support(warmup=settings.warmup, dissolve=settings.dissolve))

    def render(self, batches: Iterable[FrameBatch]) -> Iterator[Tensor]:
        assert isinstance(self.wish, DriftSettings)
        memory = self.wish.memory
        state = torch.zeros(1, 8, 8)
        for batch in batches:
            for luma in batch.luma((8, 8)):
                # The last digits of a block's mean are as good as noise, and the same in every decoding.
                push = (luma * 977).frac() * 2 - 1
                state = memory * state + (1 - memory**2) ** 0.5 * push
                yield torch.stack([state, -state], 1) * 0.15


class CalmSettings(Document):
    """Of which kind its pictures are, and what it says it needs."""

    domain: Domain = Domain.CHROMA
    context: int = 0
    warmup: int = 3
    dissolve: int = 6
    nan: bool = False
    bad: int = 0
    """Reads of so many frames go wrong."""
    keeps_luma: bool = False


class CalmLook(_TestLook):
    """A look that says it has a memory and has none: both renderings of a frame are equal, so no seam may change anything."""

    settings: ClassVar[type[Document]] = CalmSettings

    def __init__(self, settings: Document, package: Package | None, device: torch.device) -> None:
        super().__init__(settings, package, device)
        assert isinstance(settings, CalmSettings)
        self.domain = settings.domain

    @classmethod
    def needs(cls, settings: Document, package: Package | None) -> Needs:
        assert isinstance(settings, CalmSettings)
        support = Support(context=settings.context, warmup=settings.warmup, dissolve=settings.dissolve)
        return Needs(support, keeps="luma" if settings.keeps_luma else "")

    def render(self, batches: Iterable[FrameBatch]) -> Iterator[Tensor]:
        assert isinstance(self.wish, CalmSettings)
        shown = list(batches)
        for batch in shown:
            if self.wish.nan or sum(map(len, shown)) == self.wish.bad:
                yield torch.full((len(batch), 2, 4, 4), float("nan"))
            elif self.domain is Domain.CHROMA:
                luma = batch.luma((24, 40))
                yield torch.cat([luma - 0.5, 0.5 - luma], 1) * 0.4
            else:
                yield 1 - (batch.rgb() if self.domain is Domain.RGB else batch.luma())
