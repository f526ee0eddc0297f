"""The project's own app: it grants the application's database role its rights after every migration."""

from django.apps import AppConfig, apps
from django.db.models.signals import post_migrate


class HousingConfig(AppConfig):
    name = "housing"
    verbose_name = "Common Ground"

    def ready(self) -> None:
        from housing import deployment  # noqa: F401, PLC0415 - registers its checks
        from housing.grants import grant_after_migrate  # noqa: PLC0415 - models must be loaded first

        # Sent once for each app that has models, when all are migrated. This one has none: it follows the lowest room.
        lowest = apps.get_app_config("activity")
        post_migrate.connect(grant_after_migrate, sender=lowest, dispatch_uid="housing.grant_after_migrate")
