"""Losses of the family classification."""
