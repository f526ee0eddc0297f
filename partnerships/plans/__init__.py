"""Plans of homes: drafts, versions, comparing, sharing and signing."""
