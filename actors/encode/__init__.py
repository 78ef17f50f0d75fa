"""Pictures encoded."""
