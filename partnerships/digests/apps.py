"""The digests room as Django knows it."""

from importlib import import_module

from django.apps import AppConfig


class DigestsConfig(AppConfig):
    name = "partnerships.digests"
    label = "digests"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Listen for published versions; say what this room holds about people, and what stops when they leave."""
        import_module("partnerships.digests.receivers")
        from partnerships.digests.personal import RULES, stop_digests  # noqa: PLC0415 - models wait for the registry
        from partnerships.people.leaving import register_leaving  # noqa: PLC0415 - rooms register at start-up
        from partnerships.people.personal import register_personal  # noqa: PLC0415 - rooms register at start-up

        import_module("partnerships.digests.keeping").register()
        register_personal(RULES)
        register_leaving("digests stopped", stop_digests)
