"""For: restyling a film with a published feed-forward style network."""
