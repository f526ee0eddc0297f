"""Register the project's checks and receivers at start-up."""

from __future__ import annotations

from django.apps import apps
from django.db.models.signals import post_migrate

from housing import alerts, deployment, jobs
from housing.grants import grant_after_migrate

#: Importing these modules registers system checks and signal receivers.
REGISTERING_MODULES = (alerts, deployment, jobs)


def register() -> None:
    """Connect the receiver that renews the rights of the application's role after migrations."""
    # Django sends `post_migrate` for every app, after all migrations. The signal of one app is enough.
    activity = apps.get_app_config("activity")
    post_migrate.connect(grant_after_migrate, sender=activity, dispatch_uid="housing.grant_after_migrate")
