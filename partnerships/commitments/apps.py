"""The commitments room as Django knows it."""

from django.apps import AppConfig


class CommitmentsConfig(AppConfig):
    name = "partnerships.commitments"
    label = "commitments"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from partnerships.activity.registry import register_kind  # noqa: PLC0415 - models must be loaded first
        from partnerships.commitments.models import Commitment  # noqa: PLC0415 - models must be loaded first
        from partnerships.commitments.personal import RULES  # noqa: PLC0415 - models must be loaded first
        from partnerships.commitments.queries import events_of_commitments  # noqa: PLC0415 - models must be loaded first
        from partnerships.commitments.services import hand_over  # noqa: PLC0415 - models must be loaded first
        from partnerships.organisations.departures import register_departure  # noqa: PLC0415 - models must be loaded
        from partnerships.people.personal import register_personal  # noqa: PLC0415 - models must be loaded first

        register_departure(
            lambda departure: hand_over(
                person=departure.membership.person,
                organisation=departure.membership.organisation,
                to=departure.heir,
                author=departure.author,
                now=departure.now,
            )
        )
        register_kind(
            name="commitment",
            visible_ids=lambda user: Commitment.objects.visible_to(user).values("pk"),
            condition=events_of_commitments,
        )
        register_personal(RULES)
