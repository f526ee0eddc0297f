"""Django app configuration of the people room."""

from importlib import import_module

from django.apps import AppConfig


class PeopleConfig(AppConfig):
    name = "partnerships.people"
    label = "people"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Connect the signals, and register this room's functions with the lower rooms that call them."""
        import_module("partnerships.people.registrations").register()
