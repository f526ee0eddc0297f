"""Django configuration of the commitments room."""

from importlib import import_module

from django.apps import AppConfig


class CommitmentsConfig(AppConfig):
    name = "partnerships.commitments"
    label = "commitments"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Register the room's hooks."""
        import_module("partnerships.commitments.registrations").register()
