"""The review page of one film: its files, and what is put into them while the film is rendered and when it is whole."""
