"""Django's configuration of the activity room."""

from importlib import import_module

from django.apps import AppConfig


class ActivityConfig(AppConfig):
    name = "partnerships.activity"
    label = "activity"
    verbose_name = "What happened"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Register what row history needs to know about events."""
        import_module("partnerships.activity.registrations").register()
