"""The pages of digests: my own, by signed link, and the ledger."""
