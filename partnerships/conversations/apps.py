"""Django configuration of the conversations room."""

from importlib import import_module

from django.apps import AppConfig


class ConversationsConfig(AppConfig):
    name = "partnerships.conversations"
    label = "conversations"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Register the room's hooks."""
        import_module("partnerships.conversations.registrations").register()
