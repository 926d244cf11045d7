"""Rows of any length: text, tokens, frames of scores, series; most values come from a recursion over both sides."""
