"""No digest says anything that its reader may not read.

A planted world has a word in every private field, and people of every kind follow what they can. Every digest and
summary is searched for words of others.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterator
from typing import Any

import pytest
from django.core import mail
from django.db import connection, transaction
from django.test import TestCase, override_settings
from django.utils import timezone

from partnerships.commitments import services as commitments
from partnerships.commitments.models import Commitment
from partnerships.digests import services as digests
from partnerships.digests.emails import changes, event_filter, rendering, selecting, subjects
from partnerships.digests.services.sweep import plan_round
from partnerships.exchange import services as exchange
from partnerships.exchange.models import Entry
from partnerships.outbox.draining import drain
from partnerships.outbox.models import Email, EmailStatus
from partnerships.people.models import User
from tests.digests.conftest import PostOffice, html_of, read, text_of
from tests.support.constraints import check_once
from tests.support.crawling import words_shown
from tests.support.planted import Planted
from tests.support.planting import plant
from tests.support.prepared import Files, files_written, kept_with_files

pytestmark = [pytest.mark.django_db, pytest.mark.slow]

#: Personas who follow what they may find: the partnerships and organisations of the directory.
FOLLOWERS = ("viewer", "editor", "lead", "partner", "stranger", "left", "shared", "share_ended", "administrator")


def everybody_follows(planted: Planted) -> None:
    """Everybody follows every partnership and organisation that they may follow; Sol by Larkhaven's wish."""
    world = planted.world
    now = timezone.now()
    targets = (world.partnership, world.other_partnership, world.larkhaven, world.westmarch, world.tidewater)
    for persona in FOLLOWERS:
        for target in targets:
            digests.add_confirmed_subscription(person=planted.people[persona], target=target, author=None, now=now)
    for target in (world.partnership, world.larkhaven):
        digests.add_confirmed_subscription(
            person=world.sol, target=target, author=world.amina, organisation=world.larkhaven, now=now
        )


def tell_stakeholders(planted: Planted) -> None:
    """Leads mark a commitment and an ask, which then change with private reasons."""
    world = planted.world
    now = timezone.now()
    promise = Commitment.objects.get(text__contains=f"zq{planted.mark}giveninpartnership")
    ask = Entry.objects.get(title__contains=f"zq{planted.mark}held")
    commitments.mark_for_stakeholders(commitment=promise, tell=True, author=world.ben, now=now)
    exchange.mark_for_stakeholders(entry=ask, tell=True, author=world.ben, now=now)
    commitments.change_due_date(
        commitment=promise,
        due_on=timezone.localdate() + dt.timedelta(days=90),
        reason=planted.word("slipped again", "viewer", "editor", "lead", "partner"),
        author=world.eddie,
        now=now,
    )
    exchange.decide_response(
        response=ask.responses.get(),
        accept=True,
        reason=planted.word("accepted", "viewer", "editor", "lead", "partner"),
        author=world.amina,
        now=now,
    )
    # A follower without an account hears the partnership's title, and the title of what is marked.
    for word in (world.partnership.title, promise.text, ask.title):
        planted.readers[word] |= {"stakeholder"}


@pytest.fixture(scope="module", params=[False, True], ids=["summaries", "at once"])
def planted(
    request: Any, django_db_setup: None, django_db_blocker: Any, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Planted]:
    """Provide the planted world with followers, whose emails are not sent yet; rolled back."""
    files = override_settings(
        MEDIA_ROOT=tmp_path_factory.mktemp("planted"), DIGEST_SETTLE_MINUTES=0, NOTICES_AT_ONCE=request.param
    )
    with django_db_blocker.unblock(), files, transaction.atomic():
        yield kept_with_files(_planted_at_once if request.param else _planted_for_summaries)
        transaction.set_rollback(True)


def _planted_for_summaries() -> tuple[Planted, Files]:
    with TestCase.captureOnCommitCallbacks(execute=True):
        made = plant(begin=everybody_follows)
        made.world.partnership.refresh_from_db()
        tell_stakeholders(made)
    check_once()
    return made, files_written()


def _planted_at_once() -> tuple[Planted, Files]:
    return _planted_for_summaries()


@pytest.fixture(autouse=True)
def media_root() -> None:
    """Leave the world's files where they were created."""


@pytest.fixture(autouse=True)
def notices_come_at_once() -> None:
    """Leave this to the planted world."""


def every_email(planted: Planted, *, only_to: Collection[User] = ()) -> list[tuple[str, str]]:
    """Send everything, or what some people get, in a savepoint: address and the whole of each email."""
    for clear in (selecting.clear_cache, subjects.clear_cache, rendering.clear_caches):
        clear()
    office = PostOffice()
    now = timezone.now()
    with transaction.atomic():
        mail.outbox.clear()
        connection.check_constraints()  # numbers the changes
        plan_round(now=now)
        plan_round(now=now + dt.timedelta(days=8))
        if only_to:
            others = Email.objects.unsettled().exclude(person_id__in=[one.pk for one in only_to])
            others.update(status=EmailStatus.DROPPED, settled_at=now, reason="Not asked for.")
        drain(seconds=300, connect=lambda: office)
        found = [
            (email.recipient, "\n".join((str(message.items()), text_of(message), html_of(message))))
            for email in office.sent
            for message in [read(email.data)]
        ]
        transaction.set_rollback(True)
    return found


def foreign_words(planted: Planted, emails: list[tuple[str, str]]) -> list[str]:
    """Return what emails say that their reader may not read."""
    persona_of = {person.email: persona for persona, person in planted.people.items()}
    return [
        f"{to} ({persona_of.get(to, 'nobody')}) is told {word}"
        for to, said in emails
        for word in words_shown(planted.readers, said)
        if persona_of.get(to) not in planted.readers[word] and word not in planted.in_emails.get(to, ())
    ]


def test_no_digest_or_summary_has_a_foreign_word(planted: Planted) -> None:
    emails = every_email(planted)

    assert foreign_words(planted, emails) == []
    recipients = {to for to, _ in emails}
    for persona in ("viewer", "editor", "partner", "stranger", "stakeholder"):
        assert planted.people[persona].email in recipients, persona
    said = " ".join(text for to, text in emails if to == planted.world.sol.email)
    assert planted.world.partnership.title in said
    assert f"zq{planted.mark}giveninpartnershipz" in said  # the commitment that a lead marked


def words_in_emails_of_outsiders(planted: Planted) -> list[str]:
    """Return the words of others in the emails to Sol, a stakeholder, and to Chidi, of another partnership."""
    world = planted.world
    return foreign_words(planted, every_email(planted, only_to=[world.sol, world.chidi]))


def test_a_leak_of_what_insiders_read_to_stakeholders_is_found(
    planted: Planted, monkeypatch: pytest.MonkeyPatch
) -> None:
    real_lines = changes.digest_lines
    monkeypatch.setattr(changes, "digest_lines", lambda lines, *, today, outside: real_lines(lines, today=today))

    assert words_in_emails_of_outsiders(planted) != []


def test_a_leak_of_events_whose_readers_are_not_checked_is_found(
    planted: Planted, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        event_filter, "visible_to_accounts", lambda people, events: dict.fromkeys(people, frozenset(events))
    )

    assert words_in_emails_of_outsiders(planted) != []
