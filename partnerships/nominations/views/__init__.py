"""Pages of nominations agreements and their returns."""
