"""Forms for asks and offers: they check what was typed; services check whether it is allowed."""
