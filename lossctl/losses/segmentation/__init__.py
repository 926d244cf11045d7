"""Masks against masks: how well predicted regions of images fit the true ones."""
