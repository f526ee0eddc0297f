"""The surveys room as Django knows it."""

from importlib import import_module

from django.apps import AppConfig


class SurveysConfig(AppConfig):
    name = "partnerships.surveys"
    label = "surveys"
    verbose_name = "surveys"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Register what other rooms call."""
        import_module("partnerships.surveys.registrations").register()
