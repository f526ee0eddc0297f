"""The transfer room as Django knows it."""

from django.apps import AppConfig


class TransferConfig(AppConfig):
    name = "partnerships.transfer"
    label = "transfer"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Say what this room holds about people."""
        from partnerships.people.personal import register_personal  # noqa: PLC0415 - rooms register at start-up
        from partnerships.transfer.personal import RULES  # noqa: PLC0415 - rooms register at start-up

        register_personal(RULES)
