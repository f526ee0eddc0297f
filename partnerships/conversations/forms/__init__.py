"""Forms for conversations. They check input; services check the rest."""
