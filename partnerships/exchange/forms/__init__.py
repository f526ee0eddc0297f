"""Forms for asks and offers. They check input; services check rights."""
