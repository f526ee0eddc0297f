"""The plans room as Django knows it."""

from importlib import import_module

from django.apps import AppConfig


class PlansConfig(AppConfig):
    """Registers who may see events about plans, their drafts, versions and comments."""

    name = "partnerships.plans"
    label = "plans"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Register what other rooms call."""
        import_module("partnerships.plans.registrations").register()
