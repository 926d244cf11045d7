"""What a worker has seen, as bytes that another process can merge."""
