"""The nominations room as Django knows it."""

from importlib import import_module

from django.apps import AppConfig


class NominationsConfig(AppConfig):
    name = "partnerships.nominations"
    label = "nominations"
    verbose_name = "nominations"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Register what other rooms call."""
        import_module("partnerships.nominations.registrations").register()
