"""Django's configuration of the answers room."""

from importlib import import_module

from django.apps import AppConfig


class AnswersConfig(AppConfig):
    name = "partnerships.answers"
    label = "answers"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Register what other rooms need to know about answers."""
        import_module("partnerships.answers.registrations").register()
