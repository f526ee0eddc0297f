"""Django configuration of the surveys room."""

from importlib import import_module

from django.apps import AppConfig


class SurveysConfig(AppConfig):
    name = "partnerships.surveys"
    label = "surveys"
    verbose_name = "surveys"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Register the room's hooks."""
        import_module("partnerships.surveys.registrations").register()
