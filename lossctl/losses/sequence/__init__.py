"""Sequences: edit distance, error rates, CTC, alignments, tokens."""
