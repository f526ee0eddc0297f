"""The agreements room as Django knows it."""

from django.apps import AppConfig


class AgreementsConfig(AppConfig):
    name = "partnerships.agreements"
    label = "agreements"
    verbose_name = "Partnerships"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from partnerships.activity.registry import register_kind  # noqa: PLC0415 - rooms register at start-up
        from partnerships.agreements.models import Partnership  # noqa: PLC0415 - models must be loaded first
        from partnerships.agreements.queries import (  # noqa: PLC0415 - models must be loaded first
            events_of_partnerships,
            organisation_section,
        )
        from partnerships.agreements.services.documents import (  # noqa: PLC0415 - models must be loaded first
            drop_removed_files,
        )
        from partnerships.organisations.sections import ON_ORGANISATIONS  # noqa: PLC0415 - rooms register at start-up
        from partnerships.people.personal import (  # noqa: PLC0415 - rooms register at start-up
            Fate,
            Rule,
            register_personal,
        )
        from partnerships.people.retention import register_retention  # noqa: PLC0415 - rooms register at start-up

        register_kind(
            name="partnership",
            visible_ids=lambda user: Partnership.objects.held_by(user).values("pk"),
            condition=events_of_partnerships,
        )
        ON_ORGANISATIONS.register("10 partnerships", organisation_section)
        register_retention(
            "files of removed documents",
            what="Files of documents that partners removed",
            purpose="bringing back what was removed by mistake",
            basis="public task: working together on housing",
            kept_for="12 months after they were removed",
            apply=drop_removed_files,
        )
        register_personal(
            [
                Rule("agreements.Partnership", "created_by", Fate.KEEP, "who opened it", ("title", "created_at")),
                Rule("agreements.Party", "invited_by", Fate.KEEP, "who invited an organisation", ("invited_at",)),
                Rule(
                    "agreements.Party",
                    "answered_by",
                    Fate.KEEP,
                    "who answered for it",
                    ("answered_at", "status", "reason"),
                ),
                Rule("agreements.Document", "added_by", Fate.KEEP, "who added it", ("title", "file_name", "added_at")),
            ]
        )
