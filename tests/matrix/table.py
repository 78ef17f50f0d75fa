"""The matrix: films in every codec, container, depth, chroma, range, colour, rate, group of pictures and clock that the farm takes. Tests nothing; a row is a film."""

from collections.abc import Mapping
from dataclasses import replace
from fractions import Fraction
from functools import partial

from tests.films import Recipe

FILM, PAL, NTSC, SLOW = Fraction(24000, 1001), Fraction(25), Fraction(30000, 1001), Fraction(10)

_small = partial(Recipe, frames=26, size=(64, 48), rate=PAL, gop=8, b_frames=2)

H264, HEVC = _small(), _small(codec="libx265")
AV1, VP9, VP8 = (_small(codec=name, rate=Fraction(24)) for name in ("libsvtav1", "libvpx-vp9", "libvpx"))
MPEG2, MPEG4 = _small(codec="mpeg2video"), _small(codec="mpeg4", b_frames=0)
PRORES = _small(codec="prores_ks", pix_fmt="yuv422p10le", rate=FILM, frames=16)
FFV1 = _small(codec="ffv1")
MJPEG = _small(codec="mjpeg", pix_fmt="yuvj420p")
DNXHR = _small(codec="dnxhd", size=(256, 128), frames=12)
AV1 = replace(AV1, size=(64, 64))


def _dnxhr(profile: str, pix_fmt: str, rate: Fraction = PAL) -> Recipe:
    return replace(DNXHR, pix_fmt=pix_fmt, rate=rate, options={"profile": f"dnxhr_{profile}"})


def _refresh(recipe: Recipe) -> Recipe:
    """One whole picture; from then on a column of intra blocks wanders through."""
    return replace(recipe, gop=16, b_frames=0, options={"x264-params": "intra-refresh=1:keyint=16:bframes=0"})


def _uneven(number: int) -> int:
    return number + number // 4 + number // 7


WRAPS = int((2**33 / 90000 - 2.0) * 25)
"""Frames of 25 a second after which a clock of 33 bits at 90 kHz is about to begin anew."""

MATRIX: Mapping[str, Recipe] = {
    # H.264: containers, groups of pictures, clocks.
    "h264.mp4": H264,
    "h264.mov": replace(H264, rate=FILM),
    "h264.mkv": replace(H264, rate=NTSC),
    "h264.ts": replace(H264, rate=FILM),
    "h264.avi": replace(H264, b_frames=0),
    "h264-open.mp4": replace(H264, open_gop=True, matrix="bt709"),
    "h264-open.mov": replace(H264, open_gop=True, rate=NTSC),
    "h264-open.mkv": replace(H264, open_gop=True, matrix="bt601"),
    "h264-open.ts": replace(H264, open_gop=True, rate=SLOW),
    "h264-no-b.mxf": replace(H264, b_frames=0),
    "h264-no-edit-list.mp4": replace(H264, muxer={"use_editlist": "0"}),
    "h264-negative-offsets.mp4": replace(H264, muxer={"movflags": "negative_cts_offsets"}),
    "h264-intra.mp4": replace(H264, gop=1, b_frames=0),
    "h264-intra.mxf": replace(H264, gop=1, b_frames=0, pix_fmt="yuv422p10le", rate=NTSC),
    "h264-one-keyframe.mp4": replace(H264, gop=1000),
    "h264-one-keyframe.mkv": replace(H264, gop=1000, rate=NTSC),
    "h264-one-keyframe.ts": replace(H264, gop=1000),
    "h264-refresh.mkv": _refresh(H264),
    "h264-refresh.mp4": _refresh(H264),
    "h264-refresh.ts": _refresh(H264),
    "h264-variable.mp4": replace(H264, times=_uneven),
    "h264-variable.mov": replace(H264, times=_uneven, rate=NTSC),
    "h264-variable.mkv": replace(H264, times=_uneven),
    "h264-variable.ts": replace(H264, times=_uneven),
    "h264-ten-a-second.mp4": replace(H264, rate=SLOW),
    "h264-ten-a-second.mkv": replace(H264, rate=SLOW),
    "h264-late.mp4": replace(H264, start=30),
    "h264-late.mov": replace(H264, start=7, rate=FILM),
    "h264-late.mkv": replace(H264, start=30, rate=FILM),
    "h264-late.ts": replace(H264, start=240),
    "h264-hidden.mp4": replace(H264, hidden=5, open_gop=True),
    "h264-hidden.mov": replace(H264, hidden=9, rate=NTSC),
    "h264-hidden-variable.mp4": replace(H264, hidden=3, times=_uneven),
    "h264-wraps.ts": replace(H264, start=WRAPS),
    "h264-live.mkv": replace(H264, muxer={"live": "1"}),
    "h264-fragments.mp4": replace(H264, muxer={"movflags": "frag_keyframe+empty_moov+default_base_moof"}),
    # H.264: pictures.
    "h264-422.mp4": replace(H264, pix_fmt="yuv422p", matrix="bt709"),
    "h264-444.mkv": replace(H264, pix_fmt="yuv444p", matrix="bt601"),
    "h264-gray.mp4": replace(H264, pix_fmt="gray"),
    "h264-10.mp4": replace(H264, pix_fmt="yuv420p10le", rate=FILM),
    "h264-422-10.mov": replace(H264, pix_fmt="yuv422p10le", matrix="bt2020"),
    "h264-444-10.mkv": replace(H264, pix_fmt="yuv444p10le", full=True, matrix="bt709"),
    "h264-gray-10.mkv": replace(H264, pix_fmt="gray10le"),
    "h264-full.mp4": replace(H264, pix_fmt="yuvj420p"),
    "h264-full-422.mkv": replace(H264, pix_fmt="yuvj422p", matrix="bt709"),
    "h264-full-444.mov": replace(H264, pix_fmt="yuvj444p"),
    "h264-full-10.mkv": replace(H264, pix_fmt="yuv420p10le", full=True, matrix="bt709"),
    "h264-rotated.mp4": replace(H264, rotation=90),
    "h264-upside-down.mov": replace(H264, rotation=180, rate=FILM),
    "h264-anamorphic.mp4": replace(H264, aspect=Fraction(16, 11)),
    "h264-anamorphic.ts": replace(H264, aspect=Fraction(16, 11), rate=NTSC),
    # HEVC.
    "hevc.mp4": HEVC,
    "hevc.mov": replace(HEVC, rate=FILM),
    "hevc.mkv": replace(HEVC, rate=NTSC),
    "hevc.ts": HEVC,
    "hevc-open.mp4": replace(HEVC, open_gop=True),
    "hevc-open.mkv": replace(HEVC, open_gop=True, rate=SLOW),
    "hevc-open.ts": replace(HEVC, open_gop=True, start=50),
    "hevc-one-keyframe.mp4": replace(HEVC, gop=1000),
    "hevc-intra.mkv": replace(HEVC, gop=1, b_frames=0),
    "hevc-hidden.mp4": replace(HEVC, hidden=6, open_gop=True),
    "hevc-variable.mp4": replace(HEVC, times=_uneven),
    "hevc-late.mkv": replace(HEVC, start=30),
    "hevc-10.mp4": replace(HEVC, pix_fmt="yuv420p10le", matrix="bt2020", rate=FILM),
    "hevc-full-10.mkv": replace(HEVC, pix_fmt="yuv420p10le", full=True, matrix="bt709"),
    "hevc-12.mp4": replace(HEVC, pix_fmt="yuv420p12le", matrix="bt2020"),
    "hevc-422-10.mkv": replace(HEVC, pix_fmt="yuv422p10le", matrix="bt601"),
    "hevc-422-12.mov": replace(HEVC, pix_fmt="yuv422p12le", matrix="bt601"),
    "hevc-444.mp4": replace(HEVC, pix_fmt="yuv444p", full=True, matrix="bt601"),
    "hevc-444-12.mkv": replace(HEVC, pix_fmt="yuv444p12le", full=True, matrix="bt2020"),
    "hevc-gray.mp4": replace(HEVC, pix_fmt="gray"),
    "hevc-gray-10.mkv": replace(HEVC, pix_fmt="gray10le"),
    "hevc-gray-12.mp4": replace(HEVC, pix_fmt="gray12le"),
    "hevc-rotated.mp4": replace(HEVC, rotation=270),
    "hevc-anamorphic.mkv": replace(HEVC, aspect=Fraction(4, 3)),
    # AV1, VP9, VP8.
    "av1.mp4": AV1,
    "av1.mkv": replace(AV1, rate=FILM),
    "av1.webm": replace(AV1, gop=1000),
    "av1-10.mkv": replace(AV1, pix_fmt="yuv420p10le", matrix="bt2020"),
    "av1-full.webm": replace(AV1, full=True, matrix="bt709"),
    "av1-late.mp4": replace(AV1, start=12),
    "vp9.webm": VP9,
    "vp9.mp4": replace(VP9, rate=NTSC),
    "vp9.mkv": replace(VP9, rate=PAL, matrix="bt709"),
    "vp9-422.webm": replace(VP9, pix_fmt="yuv422p", matrix="bt2020"),
    "vp9-440.webm": replace(VP9, pix_fmt="yuv440p", matrix="bt709"),
    "vp9-444-full.mkv": replace(VP9, pix_fmt="yuv444p", full=True, matrix="bt709"),
    "vp9-variable.webm": replace(VP9, times=_uneven),
    "vp9-live.webm": replace(VP9, muxer={"live": "1"}),
    "vp9-slow.webm": replace(VP9, rate=Fraction(15000, 1001)),
    "vp8.webm": VP8,
    "vp8.mkv": replace(VP8, rate=NTSC),
    "vp8-variable.webm": replace(VP8, times=_uneven),
    "vp8-late.webm": replace(VP8, start=24),
    "vp8-live.webm": replace(VP8, gop=1000, muxer={"live": "1"}),
    # MPEG-2 and MPEG-4.
    "mpeg2.mpg": MPEG2,
    "mpeg2.ts": replace(MPEG2, rate=NTSC),
    "mpeg2.mkv": replace(MPEG2, rate=FILM),
    "mpeg2.mp4": MPEG2,
    "mpeg2.mov": replace(MPEG2, b_frames=0),
    "mpeg2.mxf": replace(MPEG2, rate=NTSC),
    "mpeg2.avi": replace(MPEG2, b_frames=0),
    "mpeg2-422.mxf": replace(MPEG2, pix_fmt="yuv422p", matrix="bt709"),
    "mpeg2-422.ts": replace(MPEG2, pix_fmt="yuv422p", matrix="bt601"),
    "mpeg2-late.mpg": replace(MPEG2, start=500),
    "mpeg2-wraps.mpg": replace(MPEG2, start=WRAPS),
    "mpeg2-wraps.ts": replace(MPEG2, start=WRAPS),
    "mpeg2-anamorphic.mpg": replace(MPEG2, aspect=Fraction(4, 3), rate=FILM),
    "mpeg4.avi": MPEG4,
    "mpeg4-b.avi": replace(MPEG4, b_frames=2),
    "mpeg4-slow.avi": replace(MPEG4, rate=SLOW),
    "mpeg4.mp4": replace(MPEG4, b_frames=2, rate=NTSC),
    "mpeg4.mkv": replace(MPEG4, b_frames=2),
    "mpeg4-hidden.mov": replace(MPEG4, hidden=4),
    # Production codecs: every frame alone.
    "prores.mov": PRORES,
    "prores.mkv": replace(PRORES, rate=PAL),
    "prores.mxf": replace(PRORES, rate=PAL),
    "prores-444.mov": replace(PRORES, pix_fmt="yuv444p10le", options={"profile": "4"}, matrix="bt709"),
    "prores-late.mov": replace(PRORES, start=24, matrix="bt2020"),
    "prores-anamorphic.mov": replace(PRORES, aspect=Fraction(4, 3)),
    "dnxhr-lb.mov": _dnxhr("lb", "yuv422p"),
    "dnxhr-sq.mxf": _dnxhr("sq", "yuv422p", NTSC),
    "dnxhr-hq.mxf": _dnxhr("hq", "yuv422p"),
    "dnxhr-hqx.mov": _dnxhr("hqx", "yuv422p10le", FILM),
    "dnxhr-hqx.mxf": _dnxhr("hqx", "yuv422p10le"),
    "dnxhr-444.mov": _dnxhr("444", "yuv444p10le"),
    "dnxhd-720.mxf": replace(DNXHR, size=(1280, 720), pix_fmt="yuv422p", options={"b": "60M"}, frames=8),
    "mjpeg.avi": MJPEG,
    "mjpeg.mov": replace(MJPEG, rate=FILM),
    "mjpeg.mkv": replace(MJPEG, pix_fmt="yuvj422p"),
    "mjpeg.mp4": replace(MJPEG, pix_fmt="yuvj444p"),
    "ffv1.mkv": FFV1,
    "ffv1.avi": replace(FFV1, pix_fmt="yuv422p", rate=NTSC),
    "ffv1.mp4": FFV1,
    "ffv1.mxf": FFV1,
    "ffv1-late.mkv": replace(FFV1, start=10),
    "ffv1-variable.mkv": replace(FFV1, times=_uneven),
    "ffv1-422.mkv": replace(FFV1, pix_fmt="yuv422p", matrix="bt601", full=True),
    "ffv1-444.mkv": replace(FFV1, pix_fmt="yuv444p", matrix="bt709"),
    "ffv1-440.mkv": replace(FFV1, pix_fmt="yuv440p", matrix="bt709"),
    "ffv1-411.mkv": replace(FFV1, pix_fmt="yuv411p"),
    "ffv1-410.mkv": replace(FFV1, pix_fmt="yuv410p"),
    "ffv1-gray.mkv": replace(FFV1, pix_fmt="gray"),
    "ffv1-gray-full.mkv": replace(FFV1, pix_fmt="gray", full=True, matrix="bt709"),
    **{
        f"ffv1-{name}-{bits}.mkv": replace(FFV1, pix_fmt=f"{form}{bits}le", frames=14, matrix="bt2020")
        for name, form in {"420": "yuv420p", "422": "yuv422p", "444": "yuv444p", "gray": "gray"}.items()
        for bits in (9, 10, 12, 14, 16)
    },
    "ffv1-full-12.mkv": replace(FFV1, pix_fmt="yuv444p12le", full=True, matrix="bt709"),
    "utvideo.avi": _small(codec="utvideo", pix_fmt="yuv422p"),
    "huffyuv.avi": _small(codec="huffyuv", pix_fmt="yuv422p"),
    "cineform.mov": _small(codec="cfhd", pix_fmt="yuv422p10le"),
    "v210.mov": _small(codec="v210", pix_fmt="yuv422p10le", size=(96, 48)),
    "jpeg2000.mxf": _small(codec="jpeg2000", pix_fmt="yuv422p10le", frames=8),
}
"""Films that come back as they are."""
