"""Pages of the terms: read, compare, draft, sign, print."""
