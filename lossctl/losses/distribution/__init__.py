"""Predicted distributions against true ones."""
