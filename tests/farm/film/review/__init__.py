"""The review page: its data, its pictures, and what a real Chromium makes of it."""
