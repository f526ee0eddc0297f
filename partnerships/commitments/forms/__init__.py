"""Forms for commitments. They check input; services check the rest."""
