"""A film's progress: on the console, as Prometheus metrics, and as documents in the store."""
