"""Django's configuration of the digests room."""

from importlib import import_module

from django.apps import AppConfig


class DigestsConfig(AppConfig):
    name = "partnerships.digests"
    label = "digests"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Register what other rooms call."""
        import_module("partnerships.digests.registrations").register()
