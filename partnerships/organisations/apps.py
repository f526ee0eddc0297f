"""The organisations room as Django knows it."""

from django.apps import AppConfig


class OrganisationsConfig(AppConfig):
    name = "partnerships.organisations"
    label = "organisations"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from partnerships.activity.registry import register_kind  # noqa: PLC0415 - rooms register at start-up
        from partnerships.organisations import registrations  # noqa: PLC0415 - models must be loaded first
        from partnerships.organisations.models import (  # noqa: PLC0415 - models must be loaded first
            Membership,
            Organisation,
        )

        register_kind(name="organisation", visible_ids=lambda user: Organisation.objects.visible_to(user).values("pk"))
        register_kind(name="membership", visible_ids=lambda user: Membership.objects.visible_to(user).values("pk"))
        registrations.register()
