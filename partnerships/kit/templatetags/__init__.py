"""Template tags and filters for every room."""
