"""HTTP Live Streaming (RFC 8216)."""
