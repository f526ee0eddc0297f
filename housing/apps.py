"""The project as Django knows it."""

from importlib import import_module

from django.apps import AppConfig
from django.conf import settings

from partnerships.kit.masking import mask_tracebacks


class HousingConfig(AppConfig):
    """Registers checks, alerts and records of jobs, and masks tracebacks in production."""

    name = "housing"
    verbose_name = "Common Ground"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Register the functions that Django and Celery call."""
        import_module("housing.registrations").register()
        # The migrations are cached now, not at the first health probe, because an upgrade may replace the files of a
        # running process.
        import_module("housing.upgrades").known_migrations()
        if not settings.DEBUG:
            mask_tracebacks()
