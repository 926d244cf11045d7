"""What a loss is: kinds, parameters, reductions, laws, the registry. NumPy only, no files."""
