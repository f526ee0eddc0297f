"""Pages of commitments."""
