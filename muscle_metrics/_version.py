"""The version of the package, for the package metadata and for every signature."""

__all__ = ["__version__"]

__version__ = "0.1.0"
