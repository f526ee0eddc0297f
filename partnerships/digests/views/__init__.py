"""The pages of digests: a person's own, those by a signed link, and the ledger."""
