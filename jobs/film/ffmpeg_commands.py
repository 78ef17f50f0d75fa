"""The ffmpeg commands that messages suggest to make an acceptable film of one that is refused.

Each works on the films whose refusal suggests it (tests/actors/test_remedies.py).
"""

_ALL = "-i <source> -map 0 -dn -c copy"
"""All streams but data, which Matroska does not hold."""

KEEP = f"ffmpeg -fflags +genpts+discardcorrupt {_ALL} <new>.mkv"
"""What there is of a film that is not whole, as a film of its own."""

LOSSLESS = f"ffmpeg {_ALL} -c:v ffv1 <new>.mkv"
"""The pictures decoded and kept without loss, at their own times."""

ONE_RATE = f"ffmpeg -dts_delta_threshold 1 {_ALL} -c:v ffv1 -vf setpts=N/FRAME_RATE/TB <new>.mkv"
"""The pictures decoded and kept without loss, one after another at the film's rate: for times that cannot be believed.

Of recordings joined end to end, sound goes on where the one before it ended: a jump of a second is taken for a join.
"""

KNOWN_PIXELS = f"ffmpeg {_ALL} -c:v ffv1 -pix_fmt yuv444p16le <new>.mkv"
"""Pictures in a form that is carried."""

KNOWN_MATRIX = f"ffmpeg {_ALL} -c:v ffv1 -vf scale=out_color_matrix=bt709,setparams=colorspace=bt709 -pix_fmt yuv444p16le <new>.mkv"
"""Pictures by a matrix that is carried, and tagged so."""
