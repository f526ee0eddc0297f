"""Pages and endpoints of the reconciliation service."""
