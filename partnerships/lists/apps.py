"""The lists room as Django knows it."""

from importlib import import_module

from django.apps import AppConfig


class ListsConfig(AppConfig):
    name = "partnerships.lists"
    label = "lists"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Register what other rooms call."""
        import_module("partnerships.lists.registrations").register()
