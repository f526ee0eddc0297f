"""What the project registers at start-up."""

from __future__ import annotations

from django.apps import apps
from django.db.models.signals import post_migrate

from housing import alerts, deployment, jobs
from housing.grants import grant_after_migrate

#: Importing these modules registers system checks and signal receivers.
REGISTERING_MODULES = (alerts, deployment, jobs)


def register() -> None:
    """Renew the application role's rights after migrations."""
    # Django sends this for every app, after all migrations: one app is enough.
    activity = apps.get_app_config("activity")
    post_migrate.connect(grant_after_migrate, sender=activity, dispatch_uid="housing.grant_after_migrate")
