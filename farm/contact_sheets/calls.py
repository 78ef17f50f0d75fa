"""The calls that make stills and contact sheets."""

from dataclasses import dataclass, field

from actors.render.still_orders import SheetOrder, StillOrder
from farm.fleet.calls import ONCE, Call, RetryPolicy
from jobs.plan.plan import Look


@dataclass(frozen=True)
class StillsCall(Call):
    """Stills of one shot. Whichever look of several goes wrong is found by asking for each."""

    order: StillOrder
    pool, method, alone = "prover", "take", True

    @property
    def priority(self) -> tuple[int, ...]:
        return (self.order.shot.start,)

    @property
    def what(self) -> str:
        looks, shot = self.order.looks, self.order.number
        if self.order.export:
            return f"the still of frame {self.order.runs[0].frame} of shot {shot}"
        return f"stills of shot {shot}" if len(looks) > 1 else f"the still of shot {shot} in {title_of(looks[0])}"

    @property
    def budget(self) -> RetryPolicy | None:
        return ONCE if len(self.order.looks) > 1 else None


@dataclass(frozen=True)
class SheetCall(Call):
    """One contact sheet; its stills are put beside it."""

    order: SheetOrder
    number: int = field(kw_only=True)
    pool, method = "prover", "sheet"

    @property
    def priority(self) -> tuple[int, ...]:
        return (self.number,)

    @property
    def what(self) -> str:
        return f"contact sheet {self.number}"


def title_of(look: Look | None) -> str:
    """What a column of a proof is called."""
    return "source" if look is None else look.title
