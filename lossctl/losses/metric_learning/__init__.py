"""Losses of the family metric-learning."""
