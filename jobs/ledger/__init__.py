"""One job's folder in the store: its documents, its records, and who works on it."""
