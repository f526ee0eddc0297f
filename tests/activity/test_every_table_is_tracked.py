"""Every table of the domain has row history, or a reason for none."""

from __future__ import annotations

from typing import Any

import pytest
from django.apps import apps
from django.db.models import Model, QuerySet
from django.utils import timezone

from housing.grants import append_only_tables
from partnerships.agreements.services import edit_settings
from partnerships.organisations.models import Area
from tests.world import World

#: Tables without row history, and the reason.
WITHOUT = {
    "activity.Subject": "a counter; each number it gave has a row that stays",
    "activity.Unnumbered": "emptied before the transaction ends",
    "people.Tally": "counters of what is limited",
    "people.RefusedAddress": "hashes of erased addresses, which must not come back in a history",
    "people.RetentionRun": "a claim a night, with counts alone",
    "people.RetentionRuleState": "when each rule last ran",
    "kit.WaitingLine": "lines on their way to the journal, deleted once it has them",
    "people.ViewAs": "a log itself: only its end is written, once",
    "transfer.ImportRun": "a log itself: who imported what, and what came of it",
    "spreadsheets.Upload": "a file and its report, deleted after 30 days; the records that it changed have history",
    "transfer.ImportJob": "a queue: who asked and what came of it stand in the run's record",
    "nominations.LettingsRun": "a queue: rows are deleted once counted; the lines have history",
    "outbox.Email": "the ledger itself: each step of an email has its own column",
    "digests.DeliveryItem": "part of the ledger",
    "outbox.Bounce": "a report as it came in",
    "outbox.EmailPart": "words of emails that are kept 30 days",
    "outbox.LegacyMessageId": "written once, by a migration",
    "outbox.ReportSeen": "which reports were acted on; what came of each has its own row",
    "outbox.SendCount": "counters of a minute",
    "outbox.DeliveredBefore": "written by `after_restore` from the journal",
    "digests.Slot": "written with an email, which the ledger holds",
    "digests.OpenDigest": "written with an email, which the ledger holds",
    "digests.SubjectNews": "a queue; the changes are numbered in activity",
    "digests.SubjectWatermark": "how far machines have told somebody; the ledger says what was sent",
    "digests.DeliverySubject": "append-only: what an email told",
    "digests.Watermark": "how far machines have told somebody; the ledger says what was sent",
    "digests.MatchNotice": "how far machines have told somebody; the ledger says what was sent",
    "digests.InboxItem": "what somebody was told and read, shown to nobody else",
    "digests.Publication": "a queue of the post office, emptied when it is done",
    "digests.Stop": "to undo a stop for 30 days; subscriptions have their history",
    "answers.Incoming": "emails from outside that wait 30 days; what is made of them has its history",
    "answers.IncomingFile": "files of such emails, later of an answer, which has its history",
    "answers.WorkRole": "words about oneself, which must not come back in a history",
    "digests.EmailRequest": "a queue of the post office, emptied when it is done",
    "agreements.DateReminder": "which reminders were sent; the outbox records the emails themselves",
    "commitments.Reminder": "a queue of reminders; the outbox records the emails themselves",
    "plans.Mention": "a queue of who is to be told; the comment has its history",
    "plans.Milestone": "computed from a published version, which is immutable",
    "plans.ComparedPaper": "drawn from two published versions, as a paper from one",
    "plans.Paper": "drawn from a published version, which is immutable, and drawn again when it is gone",
    "plans.Site": "computed from a published version, which is immutable",
    "plans.PlannedHomes": "computed from published versions, which are immutable",
    "plans.PackedHomes": "computed from published versions, which are immutable",
    "plans.HomesCombination": "numbers for texts of published versions; none is changed or removed",
    "plans.HomesProvider": "numbers for texts of published versions; none is changed or removed",
    "reports.FrozenReport": "a trigger keeps it as it was",
    "plans.Homes": "computed from a published version, which is immutable",
    "exchange.Match": "computed by the matcher from entries, which have their history",
    "exchange.EntryCount": "counters, computed from entries",
    "lists.SavedView": "how somebody lists records, which have their own history",
    "lists.Follow": "what a machine last saw in a view, to tell somebody what changed",
    "lists.ListFile": "a file and its progress, deleted after a day; the log of exports keeps who downloaded what",
    "reports.ReportFile": "a file and its progress, deleted after a day; the log of exports keeps who downloaded what",
    "lists.DefaultView": "which view somebody's list opens with",
    "organisations.MovedRow": "written once; it says itself what stood in a row before and after",
    "transfer.Doubt_candidates": "computed from the list that was read; the run keeps it",
    "open_data.Record": "a row of a public file as it was last read; versions and the import's run say what changed",
    "surveys.Invitation": "who is asked, deleted when a round ends, so that nobody finds it beside the results",
    "surveys.Token": "single-use, kept apart from answers: a history would say when somebody answered",
    "surveys.SealedAnswer": "nobody may learn when an answer came, or which",
    "surveys.NamedAnswer": "the person's own words, replaced by them until the round closes",
    "surveys.Comment": "what a moderator removed, such as a name, must not stay",
    "search.SearchEntry": "computed from records, which have their history",
    "search.FileText": "computed from files",
    "search.Stale": "a queue, emptied when it is done",
    "search.Word": "words of entries, for spelling",
    "people.User_groups": "groups are not used",
    "people.User_user_permissions": "single permissions are not used",
}


def untracked_tables() -> list[type[Model]]:
    """Return the tables of the domain that pghistory does not track itself, join tables among them."""
    return [
        model
        for config in apps.get_app_configs()
        if config.name.startswith("partnerships.")
        for model in config.get_models(include_auto_created=True)
        if model._meta.managed and not model._meta.proxy and not hasattr(model, "pgh_tracked_model")
    ]


def tracked_tables() -> set[str]:
    """Return the names of tracked tables. A join table is tracked through a proxy model."""
    return {model._meta.db_table for model in apps.get_models() if hasattr(model, "pgh_event_model")}


def test_every_table_has_row_history_or_a_reason_for_none() -> None:
    labels_without_history = {
        model._meta.label
        for model in untracked_tables()
        if model._meta.db_table not in tracked_tables() and model._meta.db_table not in append_only_tables()
    }

    unexplained_labels = labels_without_history - set(WITHOUT)
    outdated_labels = set(WITHOUT) - labels_without_history
    assert sorted(unexplained_labels) == [], "Track these with pghistory, or say above why they need no history."
    assert sorted(outdated_labels) == [], "These have a history by now, or no longer exist."


def test_table_of_people_is_tracked() -> None:
    assert "people_user" in tracked_tables()


def test_table_of_counters_is_not_tracked() -> None:
    assert "outbox_sendcount" not in tracked_tables()


def set_area(world: World, area: Area) -> None:
    """Let this be the only area of the Estuary Partnership."""
    edit_settings(
        partnership=world.partnership, author=world.amina, now=timezone.now(), areas=[area], reason="Where we work."
    )


def area_events(world: World) -> QuerySet[Any]:
    """Return the history of the areas of the Estuary Partnership."""
    model: Any = apps.get_model("agreements", "PartnershipAreaEvent")
    return model.objects.filter(partnership=world.partnership.pk)


@pytest.mark.django_db
def test_area_added_to_a_partnership_is_recorded(world: World) -> None:
    set_area(world, world.fareham)

    event = area_events(world).get()
    assert event.pgh_label == "insert"
    assert event.area.name == "Fareham"
    assert event.pgh_context is not None


@pytest.mark.django_db
def test_area_removed_from_a_partnership_is_recorded(world: World) -> None:
    set_area(world, world.fareham)

    set_area(world, world.gosport)

    event = area_events(world).get(pgh_label="delete")
    assert event.area.name == "Fareham"
    assert event.pgh_context is not None
