"""Django's configuration of the activity room."""

from django.apps import AppConfig


class ActivityConfig(AppConfig):
    name = "partnerships.activity"
    label = "activity"
    verbose_name = "What happened"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Let row history show the event of each change."""
        from partnerships.activity.queries import acts_in  # noqa: PLC0415 - models must be loaded first
        from partnerships.kit.row_history import explain_by  # noqa: PLC0415 - rooms register at start-up

        explain_by(acts_in)
