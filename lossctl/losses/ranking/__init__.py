"""Ranked lists, and pairs of scores of which one should be the higher."""
