"""Review streams, as HTTP Live Streaming (RFC 8216)."""
