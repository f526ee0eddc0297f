"""Queries of digests: each module answers one question."""
