"""The plans room as Django knows it."""

from django.apps import AppConfig


class PlansConfig(AppConfig):
    """Registers who may see events about plans, their drafts, versions and comments."""

    name = "partnerships.plans"
    label = "plans"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Tell the activity room who may see what."""
        from partnerships.activity.registry import register_kind  # noqa: PLC0415 - rooms register at start-up
        from partnerships.agreements.departures import register_party_departure  # noqa: PLC0415 - as above
        from partnerships.commitments.origins import register_origin  # noqa: PLC0415 - as above
        from partnerships.organisations.departures import register_departure  # noqa: PLC0415 - as above
        from partnerships.people.leaving import register_leaving  # noqa: PLC0415 - rooms register at start-up
        from partnerships.people.personal import register_personal  # noqa: PLC0415 - rooms register at start-up
        from partnerships.plans.models import Comment, Plan, Version  # noqa: PLC0415 - models wait for the registry
        from partnerships.plans.origins import ORIGINS  # noqa: PLC0415 - models wait for the registry
        from partnerships.plans.past import events_of_plans  # noqa: PLC0415 - models wait for the registry
        from partnerships.plans.personal import (  # noqa: PLC0415 - models wait for the registry
            RULES,
            end_shares,
            take_shares_back,
        )
        from partnerships.plans.services import owning, papers  # noqa: PLC0415 - models wait for the registry

        papers.register()
        register_personal(RULES)
        for origin in ORIGINS:
            register_origin(origin)
        register_leaving("shared drafts taken back", end_shares)
        register_departure(take_shares_back)
        register_party_departure(owning.leave_with_party, owning.foretell_leaving)

        register_kind(
            name="plan",
            visible_ids=lambda user: Plan.objects.published_for(user).values("pk"),
            condition=events_of_plans,
        )
        register_kind(name="plan_signing", visible_ids=lambda user: Plan.objects.inside_for(user).values("pk"))
        register_kind(name="plan_draft", visible_ids=lambda user: Plan.objects.editable_by(user).values("pk"))
        register_kind(name="plan_version", visible_ids=lambda user: Version.objects.visible_to(user).values("pk"))
        register_kind(name="plan_comment", visible_ids=lambda user: Comment.objects.visible_to(user).values("pk"))
