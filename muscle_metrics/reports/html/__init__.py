"""The page: one self-contained file without scripts, one template per section."""
