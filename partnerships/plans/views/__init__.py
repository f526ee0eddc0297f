"""The pages of plans: reading, comparing, drafting, publishing, sharing, commenting and signing."""
