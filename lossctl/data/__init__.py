"""Where arrays come from: readers, columns and roles, files in step."""
