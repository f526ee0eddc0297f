"""The emails of digests: their content, layout and links."""
