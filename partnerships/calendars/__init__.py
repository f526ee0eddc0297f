"""Calendars that people subscribe to: secret addresses of dates from all rooms."""
