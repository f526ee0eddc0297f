"""The project's own app: it grants the application's database role its rights after every migration."""

import sys

from django.apps import AppConfig, apps
from django.conf import settings
from django.db.models.signals import post_migrate

from partnerships.kit.masking import print_masked_traceback


class HousingConfig(AppConfig):
    name = "housing"
    verbose_name = "Common Ground"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from housing import alerts, deployment, jobs  # noqa: F401, PLC0415 - they register checks and receivers
        from housing.grants import grant_after_migrate  # noqa: PLC0415 - models must be loaded first

        # Sent once for each app that has models, when all are migrated: one of them is enough.
        lowest = apps.get_app_config("activity")
        post_migrate.connect(grant_after_migrate, sender=lowest, dispatch_uid="housing.grant_after_migrate")
        if not settings.DEBUG:
            sys.excepthook = print_masked_traceback
