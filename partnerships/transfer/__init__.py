"""Imports of published lists, and network files."""
