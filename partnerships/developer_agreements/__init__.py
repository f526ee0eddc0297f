"""Section 106 agreements of authorities, and the commitments in them."""
