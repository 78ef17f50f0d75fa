"""A store in S3."""
