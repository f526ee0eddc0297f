"""Published figures about homes in areas, as dated datasets."""
