"""What a container's own structure promises: that elements end where they say, that none is missing. Promises no opinion on pictures; decodes nothing.

octets.py   a file's bytes at a place
matroska.py Matroska and WebM; boxes.py: mp4 and mov; chains.py: FLV, Ogg, MPEG program streams, MXF, ASF and NUT
transport.py  MPEG transport streams
"""
