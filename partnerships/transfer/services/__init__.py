"""Services that import lists and apply people's answers to rows."""
