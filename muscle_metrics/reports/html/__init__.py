"""The page: one self-contained file without scripts, a module and a template per section."""
