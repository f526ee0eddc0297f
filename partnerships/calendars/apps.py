"""Django configuration of the calendars room."""

from importlib import import_module

from django.apps import AppConfig


class CalendarsConfig(AppConfig):
    name = "partnerships.calendars"
    label = "calendars"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Register this room's functions that other rooms call."""
        import_module("partnerships.calendars.registrations").register()
