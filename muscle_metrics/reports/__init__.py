"""One sink per file, and `escape`, the only place that escapes."""
