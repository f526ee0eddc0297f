"""Partnerships with their parties, terms and documents."""
