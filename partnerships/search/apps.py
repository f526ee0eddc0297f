"""Django configuration of the search room."""

from importlib import import_module

from django.apps import AppConfig


class SearchConfig(AppConfig):
    name = "partnerships.search"
    label = "search"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Register the room's hooks."""
        import_module("partnerships.search.registrations").register()
