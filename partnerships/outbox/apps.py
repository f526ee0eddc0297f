"""The outbox room as Django knows it."""

from importlib import import_module

from django.apps import AppConfig


class OutboxConfig(AppConfig):
    name = "partnerships.outbox"
    label = "outbox"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Register what other rooms and the project call."""
        import_module("partnerships.outbox.registrations").register()
