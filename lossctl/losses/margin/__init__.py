"""Scores that must clear a margin on the right side."""
