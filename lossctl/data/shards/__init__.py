"""Many files as one data set: which they are, whether they agree, and their rows one after the other."""
