"""The answers room as Django knows it."""

from importlib import import_module

from django.apps import AppConfig


class AnswersConfig(AppConfig):
    name = "partnerships.answers"
    label = "answers"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Register what other rooms call."""
        import_module("partnerships.answers.registrations").register()
