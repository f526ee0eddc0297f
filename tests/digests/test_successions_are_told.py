"""Stakeholders get one email about a succession, and digests do not repeat it."""

from __future__ import annotations

import datetime as dt
import re
from urllib.parse import urlsplit

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from partnerships.digests import services
from partnerships.digests.models import InboxItem, Preference, Subscription
from partnerships.digests.models.targets import Target
from partnerships.digests.retention import tidy
from partnerships.kit.dates import known_day, long_date
from partnerships.organisations import services as organisations
from partnerships.organisations.models import Organisation, Role, Succession
from partnerships.organisations.obligations import held_records_by_kind
from partnerships.outbox.models import Email
from partnerships.people.models import User
from tests.digests.conftest import PostOffice, html_of, play, text_of
from tests.organisations.handing_over import record_undoing
from tests.support.ledger import rewrite
from tests.support.moments import today
from tests.support.outbox import deliver
from tests.support.pages import collapse
from tests.world import World, join, make_partnership

KIND = "digests.succession"
TITLE = "Westmarch Borough Council joins Harbour Community Trust"


def follow(person: User, target: Target, asked_by: Organisation, author: User) -> None:
    """Add a confirmed subscription that an organisation asked for."""
    services.add_confirmed_subscription(
        person=person, target=target, author=author, organisation=asked_by, now=timezone.now()
    )


def merger(world: World, *kinds: str, place: str = "") -> Succession:
    """Record that Harbour replaces Westmarch today, and has accepted all records of these kinds."""
    succession = organisations.record_succession(
        kind="absorb",
        status="order_made",
        place=place,
        vests_on=known_day(today()),
        ties=organisations.ties_between([world.westmarch], [world.harbour]),
        author=None,
        now=timezone.now(),
    )
    for group in held_records_by_kind(world.westmarch, today(), kinds):
        organisations.propose_handovers(
            succession=succession,
            predecessor=world.westmarch,
            kind=group.kind.code,
            records=[record.pk for record in group.records],
            successor=world.harbour,
            author=None,
            now=timezone.now(),
        )
    if kinds:
        organisations.answer_handovers(
            lines=list(succession.handovers.all()), accept=True, author=None, now=timezone.now()
        )
    return succession


def another_of_the_order(world: World) -> Succession:
    """Record that Tidewater replaces Larkhaven today by the same order, and has accepted nothing."""
    return organisations.record_succession(
        kind="absorb",
        status="order_made",
        place="Estuary",
        vests_on=known_day(today()),
        ties=organisations.ties_between([world.larkhaven], [world.tidewater]),
        author=None,
        now=timezone.now(),
    )


def vest() -> None:
    """Run the job that applies successions which are due."""
    organisations.hand_over_due(now=timezone.now())


def told() -> list[int | None]:
    """Return the ids of the recipients of emails about successions."""
    return list(Email.objects.filter(kind=KIND).values_list("person_id", flat=True))


def test_stakeholder_gets_one_email_with_what_passed_on(world: World, office: PostOffice) -> None:
    follow(world.sol, world.partnership, world.westmarch, world.ben)
    follow(world.sol, world.westmarch, world.westmarch, world.ben)
    merger(world, "partnerships", "followers", "stakeholders")
    vest()
    vest()
    office.drain()

    assert told() == [world.sol.pk]
    (message,) = office.to(world.sol)
    assert message["Subject"] == TITLE
    for part in (text_of(message), html_of(message)):
        assert f"on {long_date(today())}" in part
        assert "1 of the records you follow" in part
        assert world.partnership.title in part
        assert "an organisation yet" not in part
        assert "/digests/preferences/" in part
        assert "/digests/stop/" in part


def test_what_nobody_accepted_is_said_to_await_an_organisation(world: World, office: PostOffice) -> None:
    follow(world.sol, world.partnership, world.westmarch, world.ben)
    merger(world)
    vest()
    office.drain()

    (message,) = office.to(world.sol)
    assert "1 of the records you follow does not belong to an organisation yet:" in " ".join(text_of(message).split())
    assert world.partnership.title in text_of(message)


def test_stakeholders_of_others_hear_nothing(world: World) -> None:
    follow(world.sol, world.other_partnership, world.tidewater, world.chidi)
    merger(world)
    vest()

    assert told() == []


def test_succession_of_long_ago_is_history_and_told_to_nobody(world: World) -> None:
    follow(world.sol, world.partnership, world.westmarch, world.ben)
    succession = merger(world)
    Succession.objects.filter(pk=succession.pk).update(vests_on=known_day(today() - dt.timedelta(days=400)))
    Organisation.objects.filter(pk=world.westmarch.pk).update(valid_from=None)
    vest()

    assert Succession.objects.get().status == "effective"
    assert not Email.objects.filter(kind__in=[KIND, "organisations.handed_over"]).exists()


def test_who_stopped_following_before_it_leaves_gets_nothing(world: World, office: PostOffice) -> None:
    follow(world.sol, world.partnership, world.westmarch, world.ben)
    merger(world, "partnerships", "stakeholders")
    vest()
    services.stop(subscriptions=world.sol.subscriptions.all(), author=world.sol, reason="Enough.", now=timezone.now())
    office.drain()

    assert office.to(world.sol) == []
    assert Email.objects.get(kind=KIND).status == "suppressed"


@pytest.mark.parametrize("days", [1, 729], ids=["next day", "almost two years later"])
def test_mail_programs_stop_only_what_the_email_was_about(
    world: World, office: PostOffice, client: Client, days: int
) -> None:
    follow(world.sol, world.partnership, world.westmarch, world.ben)
    follow(world.sol, world.other_partnership, world.tidewater, world.chidi)
    merger(world, "partnerships", "stakeholders")
    vest()
    office.drain()

    (message,) = office.to(world.sol)
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert "<mailto:" in message["List-Unsubscribe"]
    assert str(message["List-Id"]).endswith(".localhost>")
    link = urlsplit(str(message["List-Unsubscribe"]).partition(">")[0].removeprefix("<")).path
    tidy(now=timezone.now() + dt.timedelta(days=days))
    assert world.partnership.title in client.get(link).content.decode()
    for _ in range(2):  # A mail program may try again.
        assert client.post(link, {"List-Unsubscribe": "One-Click"}).status_code == 200

    (remaining_subscription,) = Subscription.objects.live().filter(person=world.sol)
    assert remaining_subscription.partnership == world.other_partnership

    rewrite(Email.objects.get(kind=KIND).pk, params={})  # as versions before 1 December 2026 did after a year
    assert world.other_partnership.title in client.get(link).content.decode()


def test_email_waits_for_the_end_of_a_pause(world: World, office: PostOffice) -> None:
    follow(world.sol, world.partnership, world.westmarch, world.ben)
    Preference.objects.filter(person=world.sol).update(paused_until=today() + dt.timedelta(days=3))
    merger(world, "partnerships", "stakeholders")
    vest()

    office.drain()

    assert office.to(world.sol) == []
    assert Email.objects.get(kind=KIND).available_at > timezone.now()


def test_email_is_sent_when_a_pause_ends_early(world: World, office: PostOffice) -> None:
    follow(world.sol, world.partnership, world.westmarch, world.ben)
    Preference.objects.filter(person=world.sol).update(paused_until=today() + dt.timedelta(days=3))
    merger(world, "partnerships", "stakeholders")
    vest()
    office.drain()

    services.end_pause(person=world.sol, author=world.sol, now=timezone.now())
    office.drain()

    assert [str(message["Subject"]) for message in office.to(world.sol)] == [TITLE]


def take_effect_and_undo(succession: Succession, office: PostOffice) -> None:
    """Let the succession take effect, undo it, and send all emails. The task runs once more, as it may."""
    vest()
    record_undoing(succession)
    vest()
    vest()
    office.drain()


def test_undoing_a_succession_is_told_in_one_email(world: World, office: PostOffice) -> None:
    follow(world.sol, world.partnership, world.westmarch, world.ben)
    succession = merger(world, "partnerships", "stakeholders")

    take_effect_and_undo(succession, office)

    emails = office.to(world.sol)
    assert [str(email["Subject"]) for email in emails] == [TITLE, f"Undone: {TITLE}"]
    assert "belongs to Westmarch Borough Council again" in collapse(text_of(emails[1]))


def test_undoing_a_succession_without_accepted_records_is_told_in_one_email(world: World, office: PostOffice) -> None:
    follow(world.sol, world.partnership, world.westmarch, world.ben)
    succession = merger(world)

    take_effect_and_undo(succession, office)

    emails = office.to(world.sol)
    assert [str(email["Subject"]) for email in emails] == [TITLE, f"Undone: {TITLE}"]
    assert "belongs to Westmarch Borough Council again" in collapse(text_of(emails[1]))


def test_digests_do_not_repeat_to_staff_what_the_email_said(world: World, office: PostOffice) -> None:
    for person in (world.ben, world.amina):
        services.subscribe(person=person, target=world.partnership, author=person, now=timezone.now())
    merger(world, "partnerships", "people")
    vest()
    play(office)

    assert "Passed to another organisation" in text_of(office.to(world.amina)[0])
    assert [message for message in office.to(world.ben) if "Passed to another" in text_of(message)] == []


def test_a_digest_says_what_stays_unread_in_the_inbox(world: World, office: PostOffice) -> None:
    services.subscribe(person=world.ben, target=world.partnership, author=world.ben, now=timezone.now())
    services.choose_ways(person=world.ben, ways={"partnerships": "inbox"}, author=world.ben, now=timezone.now())
    merger(world, "partnerships", "people")
    vest()
    play(office)

    assert InboxItem.objects.get(person=world.ben, kind="organisations.handed_over").told_at is None
    assert any("Passed to another organisation" in text_of(message) for message in office.to(world.ben))


def test_digests_tell_staff_what_passed_on_after_the_email(world: World, office: PostOffice) -> None:
    join(world.ben, world.larkhaven, Role.VIEWER, world.now)  # a party that stays
    services.subscribe(person=world.ben, target=world.partnership, author=world.ben, now=timezone.now())
    succession = merger(world, "partnerships")
    succession.handovers.update(consent="The lender")
    vest()
    assert InboxItem.objects.filter(kind="organisations.handed_over", person=world.ben).exists()
    organisations.record_consent(
        lines=list(succession.handovers.all()),
        given_by="Estuary Bank",
        given_on=today(),
        evidence="Minutes of 3 May",
        author=None,
        now=timezone.now(),
    )
    vest()
    play(office)

    assert [message for message in office.to(world.ben) if "Passed to another organisation" in text_of(message)]


def test_no_digest_says_again_what_the_email_of_a_stakeholder_said(world: World, office: PostOffice) -> None:
    follow(world.sol, world.partnership, world.westmarch, world.ben)
    follow(world.sol, world.westmarch, world.westmarch, world.ben)
    merger(world, "partnerships", "followers", "stakeholders")
    vest()
    play(office)
    play(office)

    assert [str(message["Subject"]) for message in office.to(world.sol)] == [TITLE]


def test_successions_of_one_order_are_told_in_one_email_and_undone_in_one(world: World, office: PostOffice) -> None:
    follow(world.sol, world.partnership, world.westmarch, world.ben)
    first_succession = merger(world, "partnerships", "people", "stakeholders", place="Estuary")
    another_of_the_order(world)
    vest()
    vest()
    office.drain()
    record_undoing(first_succession, together=True)
    vest()
    vest()
    office.drain()

    first_email, second_email = office.to(world.sol)
    assert first_email["Subject"] == "Reorganisation of Estuary"
    assert second_email["Subject"] == "Undone: reorganisation of Estuary"
    text = " ".join(text_of(first_email).split())
    assert "Larkhaven Homes joins Tidewater Housing Group" in text
    assert TITLE in text
    assert f"1 of the records you follow belongs to Harbour Community Trust now: * {world.partnership.title}" in text
    assert f"1 of the records you follow does not belong to an organisation yet: * {world.partnership.title}" in text
    for person in (world.ben, world.amina, world.hana):
        emails = Email.objects.filter(kind="organisations.handed_over", person_id=person.pk)
        assert [len(email.params["also"]) for email in emails] == [1, 1]


def test_stakeholder_hears_once_more_when_nothing_awaits_any_longer(world: World, office: PostOffice) -> None:
    follow(world.sol, world.partnership, world.westmarch, world.ben)
    other_partnership = make_partnership(
        "Ferry Homes",
        chair=world.westmarch,
        chair_lead=world.ben,
        other=world.larkhaven,
        other_lead=world.amina,
        now=timezone.now(),
    )
    follow(world.sol, other_partnership, world.westmarch, world.ben)
    succession = merger(world, "partnerships", "stakeholders")
    handover_lines = succession.handovers.order_by("record")
    handover_lines.update(consent="The lender")
    vest()
    office.drain()
    text = " ".join(text_of(office.to(world.sol)[0]).split())
    assert "2 of the records you follow do not belong to an organisation yet" in text

    for lines in zip(
        handover_lines.filter(kind="partnerships"), handover_lines.filter(kind="stakeholders"), strict=True
    ):
        organisations.record_consent(
            lines=lines,
            given_by="Estuary Bank",
            given_on=today(),
            evidence="Minutes of 3 May",
            author=None,
            now=timezone.now(),
        )
        with CaptureQueriesContext(connection) as queries:
            vest()
        vest()
        office.drain()
        statements = [query["sql"] for query in queries]
        ledger_queries = [sql for sql in statements if f"'{KIND}'" in sql and sql.startswith("SELECT")]
        assert ledger_queries
        assert [sql for sql in ledger_queries if '"person_id" IN' not in sql] == [], "This reads the whole ledger."

    _, second_email = office.to(world.sol)
    assert second_email["Subject"] == f"Handover complete: {TITLE}"
    text = " ".join(text_of(second_email).split())
    assert "2 of the records you follow belong to Harbour Community Trust now:" in text
    assert "do not belong to an organisation yet" not in text


def test_email_to_staff_names_what_is_with_whom_as_far_as_they_may_read(world: World) -> None:
    merger(world, "partnerships")
    vest()

    sent = deliver()
    for reader, reads in ((world.hana, True), (world.ben, False)):
        (email,) = [message for message in sent if message.to == [reader.email]]
        for part in (str(email.body), str(email.alternatives[0][0])):  # type: ignore[attr-defined]  # it has two parts
            assert (f"Partnerships: {world.partnership.title}" in part) == reads
            assert "Harbour Community Trust has taken over" in " ".join(re.sub(r"<[^>]+>", " ", part).split())
            assert "Nobody has taken over" in " ".join(part.split())
