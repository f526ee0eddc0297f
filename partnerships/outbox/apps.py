"""Django's configuration of the outbox room."""

from importlib import import_module

from django.apps import AppConfig


class OutboxConfig(AppConfig):
    name = "partnerships.outbox"
    label = "outbox"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Register with other rooms what they need from the outbox."""
        import_module("partnerships.outbox.registrations").register()
