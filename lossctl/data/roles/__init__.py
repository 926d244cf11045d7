"""Which column plays which part: names by rank, families, what a loss needs."""
