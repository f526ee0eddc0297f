"""The people room as Django knows it."""

from django.apps import AppConfig


class PeopleConfig(AppConfig):
    name = "partnerships.people"
    label = "people"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from partnerships.activity.registry import register_kind  # noqa: PLC0415 - rooms register at start-up
        from partnerships.people import keeping, receivers, restoring  # noqa: F401, PLC0415 - models must be loaded first
        from partnerships.people.email_data import RULES  # noqa: PLC0415 - rooms register at start-up
        from partnerships.people.models import User  # noqa: PLC0415 - models must be loaded first
        from partnerships.people.personal import register_personal  # noqa: PLC0415 - rooms register at start-up
        from partnerships.people.second_factor import register_reason  # noqa: PLC0415 - rooms register at start-up

        register_kind(name="person", visible_ids=lambda user: User.objects.known_to(user).values("pk"))
        register_reason("administrator", lambda user: user.is_staff)
        register_personal(RULES)
        keeping.register()
        restoring.register()
