"""Embeddings that must lie near or far from each other."""
