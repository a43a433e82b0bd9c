"""File formats: from bytes to rows, each with its place in the file."""
