"""The Django app of answers."""

from importlib import import_module

from django.apps import AppConfig


class AnswersConfig(AppConfig):
    """The app of answers; `registrations.py` lists what it registers."""

    name = "partnerships.answers"
    label = "answers"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Run `registrations.register`."""
        import_module("partnerships.answers.registrations").register()
