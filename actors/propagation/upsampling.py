"""TEMP"""

from torch import Tensor

from actors.picture.resize import resized


def on_luma(chroma_12hw: Tensor, luma_11HW: Tensor) -> Tensor:
    height, width = luma_11HW.shape[-2:]
    return resized(chroma_12hw, (height, width))
