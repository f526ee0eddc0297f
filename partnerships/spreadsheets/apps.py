"""Django configuration of the spreadsheets room."""

from importlib import import_module

from django.apps import AppConfig


class SpreadsheetsConfig(AppConfig):
    name = "partnerships.spreadsheets"
    label = "spreadsheets"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Register the room's hooks."""
        import_module("partnerships.spreadsheets.registrations").register()
