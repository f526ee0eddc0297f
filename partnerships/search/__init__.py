"""The search index of everything that a person may read."""
