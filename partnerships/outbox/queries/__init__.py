"""Queries about the queue and about suppressed addresses."""
