"""Whole ranked lists."""
