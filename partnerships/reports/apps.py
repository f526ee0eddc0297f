"""The reports room as Django knows it."""

from importlib import import_module

from django.apps import AppConfig


class ReportsConfig(AppConfig):
    name = "partnerships.reports"
    label = "reports"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Register the reports of this room, and the functions that other rooms call."""
        import_module("partnerships.reports.registrations").register()
