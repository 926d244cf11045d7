"""JSON: one object a line, documents, and what other tools write in it."""
