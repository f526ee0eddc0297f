"""Django app configuration of the organisations room."""

from importlib import import_module

from django.apps import AppConfig


class OrganisationsConfig(AppConfig):
    name = "partnerships.organisations"
    label = "organisations"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Register this room's functions with the lower rooms that call them."""
        import_module("partnerships.organisations.registrations").register()
