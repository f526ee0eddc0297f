"""The people room as Django knows it."""

from importlib import import_module

from django.apps import AppConfig


class PeopleConfig(AppConfig):
    name = "partnerships.people"
    label = "people"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Listen for what happens to accounts, and register what other rooms call."""
        import_module("partnerships.people.receivers")
        import_module("partnerships.people.registrations").register()
