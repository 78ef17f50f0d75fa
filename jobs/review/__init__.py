"""What people are shown of a film in review, and what they say of it: the review page's data, notes and verdicts."""
