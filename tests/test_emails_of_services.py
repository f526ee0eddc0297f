"""Every service that emails people records one email for each, which reads well and quotes nothing private.

Each kind of email has its service. Each service is called once, for all tests of it.

For somebody who was not there: the subject says what happened and where, the first line says what it means, and there
is at most one button. For secrets, every text column of every room gets a word of its own before the emails are
composed. A new column is private until somebody lists it.
"""

from __future__ import annotations

import os
import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from allauth.socialaccount.models import SocialApp
from django.conf import settings
from django.core import mail
from django.db import transaction
from django.test import override_settings

from partnerships.agreements.models import Partnership
from partnerships.commitments.models import Commitment
from partnerships.conversations.models import Conversation
from partnerships.exchange.models import Entry
from partnerships.lists.models import SavedView
from partnerships.organisations.models import Organisation
from partnerships.outbox.kinds import all_kinds
from partnerships.people.models import User
from partnerships.plans.models import Plan
from partnerships.reports.models import FrozenReport, Schedule
from tests.support.canaries import columns, fill, words_in
from tests.support.constraints import number_at_once
from tests.support.outbox import deliver, drop_emails, recorded
from tests.telling import answers, lower_rooms, surveys, terms, upper_rooms
from tests.telling.case import CASES
from tests.world import make_world

__all__ = ["answers", "lower_rooms", "surveys", "terms", "upper_rooms"]  # they fill the table
TELLING = [name for name, one in CASES.items() if one.told]

#: What emails may quote, to people who may read the record. Everything else that people write stays out of them.
SHOWN = frozenset(
    {
        # What records, people and organisations are called.
        "agreements.Holder.name",
        "agreements.Partnership.title",
        "agreements.Post.title",
        "commitments.Commitment.text",
        "conversations.AgendaItem.title",
        "conversations.Conversation.subject",
        "conversations.Meeting.place",
        "conversations.Meeting.title",
        "exchange.Entry.title",
        "organisations.Organisation.name",
        "organisations.Organisation.short_name",
        "people.User.name",
        "plans.AccessRequest.about",
        "plans.Plan.title",
        "surveys.Round.title",
        "plans.Signatory.role",
        # The words of lists, which everybody reads.
        "agreements.PartnershipKind.label",
        "commitments.Unit.label",
        # What one person wrote for the readers of the email.
        "agreements.Notice.reason",
        "agreements.Notice.withdrawn_because",
        "agreements.Partnership.purpose",
        "agreements.Party.reason",
        "agreements.TermsProposal.outcome",
        "agreements.TermsProposal.reason",
        "agreements.TermsSignature.name",
        "agreements.TermsSignature.reason",
        "agreements.TermsSignature.role",
        "agreements.TermsVersion.note",
        "answers.Answer.reason",
        "organisations.AccessRequest.message",
        "organisations.AccessRequest.name",
        "organisations.AccessRequest.organisation_name",
        "conversations.Meeting.note",
        "conversations.Meeting.reason",
        "people.Invitation.message",
        "organisations.AccessRequest.reason",
        "plans.AccessRequest.message",
        "plans.OwnershipOffer.message",
        "plans.OwnershipOffer.reason",
        "plans.Share.message",
        # A view that the reader follows.
        "lists.SavedView.name",
        # A scheduled report of the reader's own organisation or partnership.
        "reports.Schedule.name",
    }
)


#: The colour of buttons; links have another.
_BUTTON = re.compile(r"<a[^>]*background(?:-color)?: ?#00665e", re.IGNORECASE)
_ADDRESS = re.compile(r"https?://[^\s\"<>]+")
#: Subjects that need no name: about the reader's own account or email, on this site.
_ABOUT_THE_READER = {
    "We could not process your email",
    "Your password was changed",
    "Your second factor has been removed",
}


@dataclass(frozen=True)
class Called:
    """A service of the table that was called, and what records were called before."""

    name: str
    known: list[str]


@pytest.fixture(scope="module")
def called(
    request: pytest.FixtureRequest,
    django_db_setup: None,
    django_db_blocker: Any,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Called]:
    """Call a service whose emails are recorded and not sent. The rows go after its last test."""
    files = override_settings(MEDIA_ROOT=tmp_path_factory.mktemp("called"))
    with django_db_blocker.unblock(), files, transaction.atomic():
        number_at_once()
        act = CASES[request.param].prepare(make_world())
        drop_emails()
        known = names()
        act()
        yield Called(request.param, known)
        transaction.set_rollback(True)


@pytest.fixture(autouse=True)
def media_root() -> None:
    """Leave the files of a service where they were created."""


def names() -> list[str]:
    """Return what records are called, and the site."""
    found = [settings.SITE_NAME]
    for model, field in (
        (Partnership, "title"),
        (Plan, "title"),
        (Entry, "title"),
        (Organisation, "name"),
        (User, "name"),
        (User, "email"),
        (SavedView, "name"),
        (SocialApp, "name"),
        (FrozenReport, "name"),
        (Schedule, "name"),
    ):
        found += model._default_manager.exclude(**{field: ""}).values_list(field, flat=True)
    found += [text[:50] for text in Commitment.objects.values_list("text", flat=True)]
    return found + [subject[:60] for subject in Conversation.objects.values_list("subject", flat=True)]


def first_line(text: str) -> str:
    """Return the first paragraph after the greeting."""
    paragraphs = [part.strip() for part in text.split("\n\n") if part.strip()]
    return " ".join((paragraphs[1] if paragraphs[0].startswith("Hello") else paragraphs[0]).split())


def _told() -> list[tuple[str, str]]:
    people = User.objects.in_bulk([email.person_id for email in recorded() if email.person_id])
    queued = [email for email in recorded() if email.is_open]
    return sorted(
        (email.kind, people[email.person_id].email.partition("@")[0] if email.person_id else "") for email in queued
    )


@pytest.mark.django_db
@pytest.mark.parametrize("called", CASES, indirect=True)
def test_service_records_one_email_for_each_recipient(called: Called) -> None:
    assert _told() == sorted(CASES[called.name].told)


@pytest.mark.django_db
@pytest.mark.parametrize("called", TELLING, indirect=True)
def test_email_says_what_and_where_and_has_one_button(called: Called) -> None:
    known = called.known + names()

    emails = deliver()

    assert emails
    for email in emails:
        html = str(email.alternatives[0][0]) if email.alternatives else ""  # emails of django-allauth are text
        if folder := os.environ.get("LOOK"):
            address = email.to[0].partition("@")[0]
            said = f"Subject: {email.subject}\n\n{email.body}"
            Path(folder, f"{called.name}-{address}.txt").write_text(said)
            Path(folder, f"{called.name}-{address}.html").write_text(html)
        assert any(one in email.subject for one in known) or email.subject in _ABOUT_THE_READER, email.subject
        assert not email.subject.endswith((":", ","))
        line = first_line(email.body)
        assert len(line.split()) >= 4, line
        assert line[0].isupper() or not line[0].isalpha(), line
        assert len(_BUTTON.findall(html)) <= 1
        assert not html or set(_ADDRESS.findall(email.body)) == set(_ADDRESS.findall(unescape(html))), email.subject
        assert "  ." not in email.body
        assert " ." not in " ".join(email.body.split()), email.body


#: How the footer of an HTML part begins, and a link in it, which the text introduces in other words.
_FOOTER = "color: #4a6168; font-size: 14px"
_LINK = re.compile(r"<a\s[^>]*>.*?</a>(?:\s*\([^)]*\))?", re.DOTALL)
#: Numbers and dates as digits; the place of an item in a list is none.
_NUMBER = re.compile(r"(?<![\w-])(?:[A-Z]-)?\d[\d,.:]*\d|(?<![\w-])(?:[A-Z]-)?\d")
_PLACE = re.compile(r"^\d+\. ", re.MULTILINE)


def visible(html: str) -> str:
    """Return what a reader of an HTML part sees, on one line."""
    body = re.sub(r"<(style|title)\b.*?</\1>", " ", html, flags=re.DOTALL)
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", body)).split())


def both_parts(email: mail.EmailMessage) -> tuple[str, str]:
    """Return the words of the text and the HTML part, each on one line, without links."""
    assert isinstance(email, mail.EmailMultiAlternatives)
    text = " ".join(_ADDRESS.sub(" ", _PLACE.sub("", str(email.body))).split())
    return text, _ADDRESS.sub(" ", visible(str(email.alternatives[0][0])))


@pytest.mark.django_db
@pytest.mark.parametrize("called", TELLING, indirect=True)
def test_both_parts_of_an_email_say_the_same(called: Called) -> None:
    known = set(called.known + names()) - {settings.SITE_NAME}

    for email in deliver():
        if not email.alternatives:  # those of django-allauth are text
            continue
        text, html = both_parts(email)
        _, found, footer = str(email.alternatives[0][0]).partition(_FOOTER)
        assert found
        for sentence in visible(_LINK.sub("", footer.partition(">")[2])).split(". "):
            assert sentence.strip(" .") in text, email.subject
        assert set(_NUMBER.findall(text)) == set(_NUMBER.findall(html)), email.subject
        assert {one for one in known if one in text} == {one for one in known if one in html}, email.subject


@pytest.mark.django_db
@pytest.mark.parametrize("called", TELLING, indirect=True)
def test_both_parts_of_an_email_quote_the_same(called: Called) -> None:
    fill(columns())

    for email in deliver():
        if email.alternatives:
            text, html = both_parts(email)
            assert set(words_in(text)) == set(words_in(html)), email.subject


def columns_in_emails() -> dict[str, set[str]]:
    """Return the columns that the recorded emails quote, by address."""
    labels = {column.word: column.label for column in columns()}
    found: dict[str, set[str]] = defaultdict(set)
    fill(columns())
    for one in deliver():
        whole = f"{one.message().as_string()} {one.subject} {one.body} {one.alternatives}"
        found[one.to[0]] |= {labels[word] for word in words_in(whole)}
    reasons = [(one.kind, one.reason) for one in recorded() if one.status != "sent"]
    assert found, reasons
    return found


@pytest.mark.django_db
@pytest.mark.parametrize("called", TELLING, indirect=True)
def test_emails_quote_only_what_is_listed(called: Called) -> None:
    for address, labels in columns_in_emails().items():
        assert labels <= SHOWN, (address, sorted(labels - SHOWN))


@pytest.mark.django_db
@pytest.mark.parametrize("called", ["entry_shared_with_those_asked"], indirect=True)
def test_a_quoted_private_note_is_found(called: Called, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Entry, "amount", property(lambda entry: entry.private_note))

    quoted = columns_in_emails()

    assert any("exchange.Entry.private_note" in labels for labels in quoted.values())


def test_every_kind_of_email_has_a_service_in_the_table() -> None:
    recorded_here = {kind for case in CASES.values() for kind, _ in case.told}
    # Tests of digests and of alerts cover those two rooms; other tests register their own kinds.
    elsewhere = ("digests.", "outbox.", "tests.")
    known = {kind.code for kind in all_kinds() if not kind.code.startswith(elsewhere)}

    assert recorded_here == known
