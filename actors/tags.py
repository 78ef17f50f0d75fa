"""Tags: which words about a film go into a deliverable. Promises none that describe the old file; writes none."""

FILE_TAGS = frozenset({"major_brand", "minor_version", "compatible_brands", "encoder", "duration"})
_STREAM_TAGS = frozenset({"encoder", "duration", "vendor_id", "bps", "number_of_frames", "number_of_bytes", "timecode"})
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
