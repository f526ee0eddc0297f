"""Pages and answers of the reconciliation service."""
