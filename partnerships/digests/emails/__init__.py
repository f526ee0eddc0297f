"""The emails of digests: what they say, how they look, and the links in them."""
