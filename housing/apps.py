"""The project's own app: it grants the application's database role its rights after every migration."""

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class HousingConfig(AppConfig):
    name = "housing"
    verbose_name = "Common Ground"

    def ready(self) -> None:
        from housing.grants import grant_after_migrate  # noqa: PLC0415 - models must be loaded first

        post_migrate.connect(grant_after_migrate, sender=self, dispatch_uid="housing.grant_after_migrate")
