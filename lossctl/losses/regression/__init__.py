"""Losses of the family regression."""
