"""Few labels: which items a person should look at, the sheet for it, and what its labels say."""
