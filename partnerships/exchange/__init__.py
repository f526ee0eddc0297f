"""Asks and offers of organisations, with their responses and matches."""
