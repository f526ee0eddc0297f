"""Django configuration of the open data room, which publishes files of the planning data standards."""

from importlib import import_module

from django.apps import AppConfig


class OpenDataConfig(AppConfig):
    name = "partnerships.open_data"
    label = "open_data"
    verbose_name = "open data"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Register this room's functions that other rooms call."""
        import_module("partnerships.open_data.registrations").register()
