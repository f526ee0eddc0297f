"""Django configuration of the recommendations room."""

from importlib import import_module

from django.apps import AppConfig


class RecommendationsConfig(AppConfig):
    name = "partnerships.recommendations"
    label = "recommendations"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Register the room's hooks."""
        import_module("partnerships.recommendations.registrations").register()
