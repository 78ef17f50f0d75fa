"""Turns a renderer's reported device time into a measured throughput of its look, by which other jobs are estimated."""

from collections.abc import Sequence

from jobs.digest import digest
from jobs.ledger.usage import MeasuredThroughput
from jobs.records.orders import DeviceUsage, RenderOrder


def pace_of(orders: Sequence[RenderOrder], word: DeviceUsage, renderers: int) -> MeasuredThroughput | None:
    """What a word, said in a call with these orders while so many renderers were at work, adds to its look's pace; None where it is
    about none of them.
    """
    order = next((one for one in orders if one.chunk == word.chunk), None)
    if order is None or not word.frames:
        return None
    picture = order.film.picture
    return MeasuredThroughput(
        look=order.look.title,
        network=digest(order.look.in_any_shot.named()),
        hardware=word.made_on,
        megapixels=round(picture.width * picture.height / 1e6, 6),
        renderers=max(1, renderers),
        frames=word.frames,
        seconds=word.busy + word.starved.get("read", 0.0) + word.starved.get("write", 0.0),
    )
