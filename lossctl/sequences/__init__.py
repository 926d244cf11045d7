"""Sequences: rows of different lengths, and the recursions over them that the losses share. NumPy arrays in and out."""
