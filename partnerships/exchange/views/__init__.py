"""The pages of asking and offering."""
