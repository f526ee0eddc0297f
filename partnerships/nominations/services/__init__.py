"""Changes of nominations agreements and their returns."""
