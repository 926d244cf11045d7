"""Losses of the family margin."""
