"""Arrays: NPY, NPZ, and what is in memory already."""
