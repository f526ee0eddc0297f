"""Configuration of the app."""

from importlib import import_module

from django.apps import AppConfig


class WebConfig(AppConfig):
    name = "partnerships.web"
    label = "web"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Register the room's sections."""
        import_module("partnerships.web.registrations").register()
