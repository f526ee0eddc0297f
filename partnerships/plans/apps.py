"""The Django app of plans."""

from importlib import import_module

from django.apps import AppConfig


class PlansConfig(AppConfig):
    """The app of plans; `registrations.py` lists what it registers."""

    name = "partnerships.plans"
    label = "plans"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Run `registrations.register`."""
        import_module("partnerships.plans.registrations").register()
