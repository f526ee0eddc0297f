"""The open data room as Django knows it."""

from importlib import import_module

from django.apps import AppConfig


class OpenDataConfig(AppConfig):
    name = "partnerships.open_data"
    label = "open_data"
    verbose_name = "open data"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Register what other rooms call."""
        import_module("partnerships.open_data.registrations").register()
