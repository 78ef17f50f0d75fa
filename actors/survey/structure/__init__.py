"""Checks each container's own structure: that elements end where they say, and that none is missing. Nothing is decoded.

octets.py   a file's bytes at a place
matroska.py Matroska and WebM; boxes.py: mp4 and mov; chains.py: FLV, Ogg, MPEG program streams, MXF and NUT; asf.py: ASF
transport.py  MPEG transport streams
"""
