"""LUTs for tests, as the text of .cube files."""

from collections.abc import Callable

Colour = tuple[float, float, float]


def bent(red: float, green: float, blue: float) -> Colour:
    """A look that mixes channels, and is nowhere flat."""
    return red**0.8 * 0.9 + 0.05 * green, green**1.2 * 0.95, 0.7 * blue + 0.2 * red * green


def same(red: float, green: float, blue: float) -> Colour:
    """What changes nothing."""
    return red, green, blue


def cube(of: Callable[[float, float, float], Colour], side: int = 9) -> bytes:
    """A 3D LUT."""
    steps = [place / (side - 1) for place in range(side)]
    rows = (of(red, green, blue) for blue in steps for green in steps for red in steps)
    text = "\n".join(" ".join(f"{value:.7f}" for value in row) for row in rows)
    return f'TITLE "test"\n# a remark\nLUT_3D_SIZE {side}\n\n{text}\n'.encode()


def line(of: Callable[[float], float], side: int = 17, head: str = "") -> bytes:
    """A 1D LUT, of every channel alike."""
    rows = "\n".join(" ".join([f"{of(place / (side - 1)):.7f}"] * 3) for place in range(side))
    return f"{head}LUT_1D_SIZE {side}\n{rows}\n".encode()
