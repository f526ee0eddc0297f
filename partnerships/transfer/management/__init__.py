"""Management commands that import data."""
