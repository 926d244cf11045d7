"""Losses of the family distribution."""
