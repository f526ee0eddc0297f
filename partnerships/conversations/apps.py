"""The conversations room as Django knows it."""

from django.apps import AppConfig


class ConversationsConfig(AppConfig):
    name = "partnerships.conversations"
    label = "conversations"
    default_auto_field = "django.db.models.BigAutoField"
