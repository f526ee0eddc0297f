"""Django configuration of the nominations room."""

from importlib import import_module

from django.apps import AppConfig


class NominationsConfig(AppConfig):
    name = "partnerships.nominations"
    label = "nominations"
    verbose_name = "nominations"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Register the room's hooks."""
        import_module("partnerships.nominations.registrations").register()
