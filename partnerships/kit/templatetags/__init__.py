"""The tags and filters that templates of every room share."""
