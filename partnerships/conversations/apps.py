"""The conversations room as Django knows it."""

from importlib import import_module

from django.apps import AppConfig


class ConversationsConfig(AppConfig):
    name = "partnerships.conversations"
    label = "conversations"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Register what other rooms call."""
        import_module("partnerships.conversations.registrations").register()
