"""Losses of the family ranking."""
