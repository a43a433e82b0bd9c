"""Reports of a comparison or of a verdict, one format per file; html/ is the page."""
