"""Promises between organisations, with their progress and reminders."""
