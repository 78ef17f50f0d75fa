"""Tags: which words about a film go into a deliverable. Promises none that describe the old file; writes none."""

_MXF_TAGS = frozenset(
    [
        *(
            "operational_pattern_ul",
            "uid",
            "generation_uid",
            "modification_date",
            "company_name",
            "application_platform",
        ),
        *(
            "product_name",
            "product_version",
            "product_version_num",
            "product_uid",
            "toolkit_version",
            "toolkit_version_num",
        ),
        *("material_package_umid", "file_package_umid", "source_package_umid", "source_track_id", "data_type"),
    ]
)
"""What an MXF says of its own making."""

FILE_TAGS = _MXF_TAGS | {"major_brand", "minor_version", "compatible_brands", "encoder", "duration", "timecode"}
_STREAM_TAGS = _MXF_TAGS | {
    "encoder",
    "duration",
    "vendor_id",
    "bps",
    "number_of_frames",
    "number_of_bytes",
    "timecode",
}
PICTURE_TAGS = _STREAM_TAGS | {"alpha_mode", "rotate"}
"""What a picture made anew says of itself, or does not have."""
_STATISTICS = ("_statistics", "bps-", "number_of_frames-", "number_of_bytes-", "duration-")
_HANDLERS = frozenset({"VideoHandler", "SoundHandler", "SubtitleHandler", "DataHandler"})


def tags_of(metadata: dict[str, str], leave: frozenset[str] = _STREAM_TAGS) -> dict[str, str]:
    """Tags worth carrying: not those that describe the old file, and that the new one says of itself."""
    return {
        # A track's title is written as "title" and read from an mp4 as "name".
        "title" if name == "name" else name: value
        for name, value in metadata.items()
        if name.lower() not in leave and not name.lower().startswith(_STATISTICS) and value not in _HANDLERS
    }
