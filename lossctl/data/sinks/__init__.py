"""Where rows go: files of per-sample values, written as they stream."""
