"""Forms for commitments. They check the shape of the input, and services check the rules."""
