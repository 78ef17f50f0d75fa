"""Bounds what containers and pictures carry beside their pixels, before any demuxer or decoder is given it."""
