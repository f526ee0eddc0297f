"""The exchange room as Django knows it."""

from django.apps import AppConfig


class ExchangeConfig(AppConfig):
    name = "partnerships.exchange"
    label = "exchange"
    verbose_name = "ask and offer"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Say who may see what in the timeline, what commitments come from, and follow what becomes of them."""
        from partnerships.activity.registry import register_kind  # noqa: PLC0415 - models wait for the registry
        from partnerships.commitments.origins import register_origin  # noqa: PLC0415 - the same
        from partnerships.commitments.registry import register_listener  # noqa: PLC0415 - the same
        from partnerships.exchange.models import Entry, Introduction, Question, Receipt, Response  # noqa: PLC0415 - the same
        from partnerships.exchange.origins import ORIGINS  # noqa: PLC0415 - the same
        from partnerships.exchange.personal import RULES  # noqa: PLC0415 - the same
        from partnerships.exchange.queries import events_of_entries  # noqa: PLC0415 - the same
        from partnerships.exchange.sections import standing_section  # noqa: PLC0415 - the same
        from partnerships.exchange.services.fulfilments import commitment_moved  # noqa: PLC0415 - the same
        from partnerships.organisations.sections import ON_ORGANISATIONS  # noqa: PLC0415 - the same
        from partnerships.people.personal import register_personal  # noqa: PLC0415 - the same

        register_personal(RULES)
        ON_ORGANISATIONS.register("10 skills and resources", standing_section)
        register_kind(
            name="entry",
            visible_ids=lambda user: Entry.objects.visible_to(user).values("pk"),
            condition=events_of_entries,
        )
        register_kind(name="entry_draft", visible_ids=lambda user: Entry.objects.of_person(user).values("pk"))
        register_kind(name="referral", visible_ids=lambda user: Receipt.objects.of_person(user).values("pk"))
        for origin in ORIGINS:
            register_origin(origin)
        register_listener(commitment_moved)
        register_kind(name="response", visible_ids=lambda user: Response.objects.visible_to(user).values("pk"))
        register_kind(name="receipt", visible_ids=lambda user: Receipt.objects.visible_to(user).values("pk"))
        register_kind(name="introduction", visible_ids=lambda user: Introduction.objects.visible_to(user).values("pk"))
        register_kind(name="question", visible_ids=lambda user: Question.objects.visible_to(user).values("pk"))
