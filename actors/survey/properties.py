"""A table of what libav can say of a picture beside its samples, and what becomes of each item.

kept       as it is, in every deliverable that has a word for it; where one has none, its plan says so
converted  the pictures are made so that it needs no word any more
told       left out, and the plan says so
refused    no film that has it is begun
coding     of how the old stream was coded, or of no picture: what is encoded anew has its own, or none
unseen     PyAV does not show it, so the farm leaves it out without a word
"""

import struct
from collections.abc import Iterator
from typing import Any, Literal, NamedTuple

from av.video.frame import VideoFrame

Fate = Literal["kept", "converted", "told", "refused", "coding", "unseen"]


class Property(NamedTuple):
    """One thing that libav may say."""

    fate: Fate
    words: str = ""
    """How people call it, where it is told."""


_KEPT, _CODING, _UNSEEN = Property("kept"), Property("coding"), Property("unseen")
_TOLD = {
    "STEREO3D": "the arrangement of two views (stereo 3D)",
    "SPHERICAL": "the projection of a spherical picture",
    "ICC_PROFILE": "the ICC profile",
    "AFD": "the active format description",
    "PANSCAN": "the pan and scan window",
    "S12M_TIMECODE": "the time code of each frame (SMPTE ST 12-1)",
    "DYNAMIC_HDR_PLUS": "dynamic metadata (HDR10+)",
    "DYNAMIC_HDR_VIVID": "dynamic metadata (HDR Vivid)",
    "DOVI_RPU_BUFFER": "dynamic metadata (Dolby Vision)",
    "DOVI_METADATA": "dynamic metadata (Dolby Vision)",
    "AMBIENT_VIEWING_ENVIRONMENT": "the ambient viewing environment",
    "FILM_GRAIN_PARAMS": "film grain that a player adds",
    "DETECTION_BBOXES": "boxes of things that were recognised",
    "REGIONS_OF_INTEREST": "regions of interest",
}

OF_FRAMES: dict[str, Property] = {
    "A53_CC": Property("told", "closed captions"),  # by the surveyor, from more frames than the first
    "DISPLAYMATRIX": _KEPT,  # quarter turns; mirrored and other angles are refused
    "MASTERING_DISPLAY_METADATA": _KEPT,
    "CONTENT_LIGHT_LEVEL": _KEPT,
    **{name: Property("told", words) for name, words in _TOLD.items()},
    # MPEG-2 counts its groups so, and broadcasts begin anew at any of them: the film's time code is its container's.
    "GOP_TIMECODE": _CODING,
    # x264 and x265 sign every film with it.
    "SEI_UNREGISTERED": _CODING,
    "MOTION_VECTORS": _CODING,
    "VIDEO_ENC_PARAMS": _CODING,
    "VIDEO_HINT": _CODING,
    # Of sound, whose packets are copied.
    "MATRIXENCODING": _CODING,
    "DOWNMIX_INFO": _CODING,
    "REPLAYGAIN": _CODING,
    "SKIP_SAMPLES": _CODING,
    "AUDIO_SERVICE_TYPE": _CODING,
}
"""Frame side data, by PyAV's names. What a container says of a whole stream libav hands on with its frames."""

OF_PACKETS: dict[str, Property] = {
    "new_extradata": Property("refused"),  # where the picture changes its form with it
    "encryption_info": Property("refused"),
    "encryption_init_info": Property("refused"),
    **dict.fromkeys(("palette", "display_matrix", "mastering_display_metadata", "content_light_level"), _KEPT),
    **dict.fromkeys(("stereo_3d", "spherical", "icc_profile", "afd", "s12m_timecode"), Property("told")),
    **dict.fromkeys(("dynamic_hdr10_plus", "ambient_viewing_environment", "a53_cc"), Property("told")),
    **dict.fromkeys(("dovi_conf", "frame_cropping", "lcevc", "3d_reference_displays"), _UNSEEN),
    **dict.fromkeys(("matroska_block_additional", "strings_metadata", "metadata_update", "prft", "rtcp_sr"), _UNSEEN),
    **dict.fromkeys(("param_change", "h263_mb_info", "quality_stats", "fallback_track", "cpb_properties"), _CODING),
    "mpegts_stream_id": _CODING,
    # Of sound and subtitles, whose packets are copied with what lies beside them.
    **dict.fromkeys(("replay_gain", "audio_service_type", "skip_samples", "jp_dual_mono", "subtitle_position"), _KEPT),
    **dict.fromkeys(("webvtt_identifier", "webvtt_settings", "iamf_mix_gain_param", "iamf_info_param"), _KEPT),
    "iamf_recon_gain_info_param": _KEPT,
}
"""Packet and stream side data, by PyAV's names."""

OF_STREAMS: dict[str, Property] = {
    **dict.fromkeys(("default", "dub", "original", "comment", "lyrics", "karaoke", "forced"), _KEPT),
    **dict.fromkeys(("hearing_impaired", "visual_impaired", "clean_effects", "non_diegetic", "captions"), _KEPT),
    **dict.fromkeys(("descriptions", "metadata", "dependent", "still_image", "multilayer"), _KEPT),
    # Covers are carried as pictures of their own, and never taken for the film.
    **dict.fromkeys(("attached_pic", "timed_thumbnails"), _KEPT),
}
"""A stream's dispositions, by PyAV's names; each container keeps those that it has a word for."""

OF_PICTURES: dict[str, Property] = {
    **dict.fromkeys(("width", "height", "color_primaries", "color_trc", "colorspace", "sample_aspect_ratio"), _KEPT),
    **dict.fromkeys(("color_range", "chroma_location", "framerate", "rotation"), _KEPT),
    "pix_fmt": Property("converted"),
    "bits_per_raw_sample": Property("converted"),
    "field_order": Property("converted"),
    "alpha_mode": Property("refused"),
    **dict.fromkeys(("codec_tag", "bit_rate", "bits_per_coded_sample", "profile", "level", "extradata"), _CODING),
    **dict.fromkeys(("coded_width", "coded_height", "has_b_frames", "video_delay"), _CODING),
}
"""What a stream's header says of its picture (AVCodecParameters)."""


def lost_in(frame: VideoFrame) -> tuple[str, ...]:
    """In words, what a film's first frame carries that no deliverable does; closed captions are looked for elsewhere."""
    return tuple(sorted(set(_lost(frame))))


def _lost(frame: VideoFrame) -> Iterator[str]:
    try:
        # PyAV's own types call this container a dictionary of strings.
        found: Any = frame.side_data
        said = {one.type.name: bytes(one) for one in found}
    except ValueError:  # PyAV 18.1 has no name for the Exif of picture files, and shows nothing beside it
        return
    for name, data in said.items():
        if name in _TOLD and not (name == "PANSCAN" and _is_whole(data, frame)):
            yield _TOLD[name]


def _is_whole(window: bytes, frame: VideoFrame) -> bool:
    """Whether a window (libav's AVPanScan) is the whole picture, or unsaid, as in nearly every MPEG-2 film."""
    _, width, height, *places = struct.unpack_from("=3i6h", window)
    # In sixteenths of a pixel.
    return (width, height) in ((0, 0), (16 * frame.width, 16 * frame.height)) and not any(places)
