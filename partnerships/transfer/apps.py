"""The transfer room as Django knows it."""

from django.apps import AppConfig


class TransferConfig(AppConfig):
    name = "partnerships.transfer"
    label = "transfer"
    verbose_name = "Imports"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Say what this room holds about people, and where developer agreements are shown."""
        from partnerships.commitments.origins import register_origin  # noqa: PLC0415 - rooms register at start-up
        from partnerships.organisations.sections import ON_ORGANISATIONS  # noqa: PLC0415 - rooms register at start-up
        from partnerships.people.personal import register_personal  # noqa: PLC0415 - rooms register at start-up
        from partnerships.transfer.agreements import AGREEMENT, agreements_section  # noqa: PLC0415 - the same
        from partnerships.transfer.personal import RULES  # noqa: PLC0415 - rooms register at start-up

        register_personal(RULES)
        register_origin(AGREEMENT)
        ON_ORGANISATIONS.register("40 developer agreements", agreements_section)
