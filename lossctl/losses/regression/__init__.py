"""Real values against real values."""
