"""What of the libav that PyAV brings this machine can use: its version, and the encoders that deliverables name."""

import av

ENCODERS = {
    "h264": "libx264", "hevc": "libx265", "prores": "prores_ks", "dnxhr": "dnxhd", "ffv1": "ffv1",
    "png": "png", "tiff": "tiff", "dpx": "dpx", "exr": "exr",
}  # fmt: skip
"""Of each codec of a job spec, the encoder that makes it (actors/encode/encoders.py chooses its settings)."""


def libav() -> str:
    """For example "PyAV 18.1.0 with libavcodec 62.11.100"."""
    return f"PyAV {av.__version__} with libavcodec {'.'.join(map(str, av.library_versions['libavcodec']))}"


def missing_codecs() -> list[str]:
    """The codecs of a job spec for which this libav has no encoder."""
    return [codec for codec, encoder in ENCODERS.items() if not _can_encode(encoder)]


def _can_encode(encoder: str) -> bool:
    try:
        av.Codec(encoder, "w")
    except ValueError:  # as av.codec.codec.UnknownCodecError is
        return False
    return True
