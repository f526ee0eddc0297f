"""Every kind of email belongs to a group, and finds the record that it is about."""

from __future__ import annotations

from django.db import models

from partnerships.outbox.groups import NoticeGroup, RecordLookup
from partnerships.outbox.kinds import EmailKind, all_kinds
from partnerships.outbox.models import Lane

#: Kinds of notices that are about no single record.
KINDS_WITHOUT_RECORD = {
    "agreements.contact",
    "answers.unfit",
    "digests.confirmation",
    "digests.links",
    "digests.succession",
    "lists.followed",
    "organisations.handed_over",
    "organisations.handover_proposed",
    "reports.not_made",
    "reports.scheduled",
    "surveys.agreement",
    "surveys.comments",
    "surveys.invitation",
    "surveys.reminder",
}


def kinds_of_rooms() -> list[EmailKind]:
    """Return the kinds that rooms register, without those that other tests register."""
    return [kind for kind in all_kinds() if not kind.code.startswith("tests.")]


def test_every_kind_of_email_has_a_group() -> None:
    assert [kind.code for kind in all_kinds() if kind.group not in NoticeGroup] == []


def test_every_account_email_says_why_it_cannot_be_turned_off() -> None:
    account_kinds = [kind for kind in kinds_of_rooms() if kind.lane == Lane.ACCOUNT]

    assert account_kinds
    assert [kind.code for kind in account_kinds if not kind.always] == []


def test_every_email_with_a_secret_link_says_why_it_cannot_be_turned_off() -> None:
    secret_kinds = [kind for kind in kinds_of_rooms() if kind.is_secret]

    assert secret_kinds
    assert [kind.code for kind in secret_kinds if not kind.always] == []


def test_every_notice_says_what_it_is_about() -> None:
    notices = [kind for kind in kinds_of_rooms() if kind.lane == Lane.NOTICE]

    assert {kind.code for kind in notices if kind.about is None} == KINDS_WITHOUT_RECORD


def test_paths_from_a_parameter_to_its_record_exist() -> None:
    lookups = [kind.about for kind in all_kinds() if isinstance(kind.about, RecordLookup)]

    for lookup in lookups:
        if lookup.model is not None:
            paths = [path for path in (lookup.record_path, lookup.partnership_path) if path]
            sql = str(lookup.model._default_manager.filter(pk=1).values_list(*paths).query)
            assert sql.startswith("SELECT")
            assert issubclass(lookup.model, models.Model)
