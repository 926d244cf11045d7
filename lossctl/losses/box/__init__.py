"""Boxes against boxes: overlap, distance and shape."""
