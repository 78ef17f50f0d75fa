"""Reads cut lists (EDL, OpenTimelineIO, CSV) and writes shot lists."""
