"""Arrow's columns and the files that hold them: Parquet, IPC, Feather."""
