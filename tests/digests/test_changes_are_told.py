"""Digests report the changes of partnerships, commitments, asks and organisations."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

import pytest
from django.utils import timezone

from partnerships.activity import follower_notices
from partnerships.activity.folding import FoldRule
from partnerships.activity.follower_notices import FollowerNotice, Group
from partnerships.activity.models import Event
from partnerships.activity.subjects import Audience
from partnerships.digests import services
from partnerships.digests.emails import subjects
from partnerships.digests.models import DeliverySubject, SubjectWatermark, Subscription
from partnerships.people.models import User
from tests.digests.conftest import PostOffice, html_of, play, publish, text_of
from tests.world import World

PARTY_LEFT, TERMS, STATUS, NOTE = (
    "partnership.party_left",
    "partnership.terms_in_force",
    "partnership.status_changed",
    "partnership.document_added",
)


@pytest.fixture(autouse=True)
def registered_notices(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Register four kinds of event that digests report, whatever the rooms have registered."""
    kinds = (
        FollowerNotice(
            kind=PARTY_LEFT,
            group=Group.PARTIES,
            sentence="Party left",
            fold=FoldRule.EACH,
            touches_dates_or_money=False,
            audience=Audience.OUTSIDE,
            subject_key="",
            is_in_plan_digests=False,
        ),
        FollowerNotice(
            kind=TERMS,
            group=Group.TERMS,
            sentence="Terms amended",
            fold=FoldRule.LAST,
            touches_dates_or_money=True,
            audience=Audience.OUTSIDE,
            subject_key="",
            is_in_plan_digests=False,
        ),
        FollowerNotice(
            kind=STATUS,
            group=Group.STATUS,
            sentence="Changed the status{change}",
            fold=FoldRule.FIELDS,
            touches_dates_or_money=False,
            audience=Audience.OUTSIDE,
            subject_key="",
            is_in_plan_digests=False,
        ),
        FollowerNotice(
            kind=NOTE,
            group=Group.DOCUMENTS,
            sentence="Document added",
            fold=FoldRule.EACH,
            touches_dates_or_money=False,
            audience=Audience.INSIDE,
            subject_key="",
            is_in_plan_digests=False,
        ),
    )
    for kind in kinds:
        monkeypatch.setitem(follower_notices._notices_by_kind, kind.kind, kind)
    subjects.clear_cache()
    yield
    subjects.clear_cache()


def happen(world: World, kind: str, *, actor: User | None = None, also: tuple[str, ...] = (), **data: Any) -> Event:
    """Record an event of the partnership, which gets its number at once."""
    notice = follower_notices.follower_notice_of(kind)
    assert notice is not None
    return Event.objects.create(
        kind=kind,
        actor_id=actor.pk if actor else None,
        organisation_id=world.larkhaven.pk,
        target_kind="partnership",
        target_id=world.partnership.pk,
        at=timezone.now(),
        audience=notice.audience,
        subjects=[f"partnership:{world.partnership.pk}", *also],
        data=data,
    )


def follow(person: User, target: Any, **more: Any) -> Subscription:
    """Add a confirmed subscription of a person with an account."""
    return services.add_confirmed_subscription(person=person, target=target, author=None, now=timezone.now(), **more)


def add_sol(world: World) -> Subscription:
    """Add Sol's confirmed subscription to the partnership, as a stakeholder of Larkhaven."""
    return services.add_confirmed_subscription(
        person=world.sol,
        target=world.partnership,
        author=world.amina,
        organisation=world.larkhaven,
        now=timezone.now(),
    )


def texts_to(office: PostOffice, person: User) -> list[str]:
    """Return the text of each email to a person, without line breaks."""
    return [" ".join(text_of(message).split()) for message in office.to(person)]


def test_a_follower_hears_what_changed_who_did_it_and_why(world: World, office: PostOffice) -> None:
    follow(world.ben, world.partnership)
    happen(world, TERMS, actor=world.amina, reason="New homes target.")
    happen(world, STATUS, actor=world.amina, before="active", after="under_review")

    play(office)

    [message] = office.to(world.ben)
    text = " ".join(text_of(message).split())
    assert world.partnership.title in str(message["Subject"])
    assert str(message["Subject"]).endswith("terms amended and 1 more change")
    assert "changed the status: was active, now under" in text.lower()
    assert "“New homes target.”" in text
    assert world.amina.display_name in text
    assert "Changed the status" in " ".join(html_of(message).split())


def test_the_next_email_begins_where_the_last_one_ended(world: World, office: PostOffice) -> None:
    follow(world.ben, world.partnership)
    happen(world, TERMS, actor=world.amina)
    play(office)
    happen(world, PARTY_LEFT, actor=world.amina)

    play(office)
    play(office)

    first, second = texts_to(office, world.ben)
    assert "Terms amended" in first
    assert "Terms amended" not in second
    assert "Party left" in second


def test_what_returned_to_where_it_was_is_not_told(world: World, office: PostOffice) -> None:
    follow(world.ben, world.partnership)
    happen(world, STATUS, actor=world.amina, before="active", after="suspended")
    happen(world, STATUS, actor=world.amina, before="suspended", after="active")

    play(office)

    assert office.to(world.ben) == []
    row = SubjectWatermark.objects.select_related("subject").get(recipient=world.ben, subject__kind="partnership")
    assert row.number == row.subject.last_number


def test_a_stakeholder_hears_only_what_is_for_everybody(world: World, office: PostOffice) -> None:
    add_sol(world)
    happen(world, TERMS, actor=world.amina, reason="canary reason", before="canary old", after="canary new")
    happen(world, NOTE, actor=world.amina, name="canary document")

    play(office)

    [message] = office.to(world.sol)
    content = text_of(message) + html_of(message)
    assert "Terms amended" in content
    assert "canary" not in content
    assert "Document added" not in content
    assert f"{world.amina.display_name}, {world.larkhaven.name}" not in content


def test_what_may_not_be_told_counts_as_passed(world: World, office: PostOffice) -> None:
    add_sol(world)
    happen(world, NOTE, actor=world.amina)

    play(office)

    assert office.to(world.sol) == []
    row = SubjectWatermark.objects.select_related("subject").get(recipient=world.sol, subject__kind="partnership")
    assert row.number == row.subject.last_number


def test_a_stakeholder_hears_nothing_once_the_asker_left(world: World, office: PostOffice) -> None:
    """Sol cannot read the partnership himself, because it is not open to the network."""
    add_sol(world)
    happen(world, TERMS, actor=world.amina)
    party = world.party(world.larkhaven)
    party.status = "left"
    party.left_at = timezone.now()
    party.save(update_fields=["status", "left_at"])

    play(office)

    assert world.partnership.audience != "network"
    assert office.to(world.sol) == []


def test_dates_and_money_only(world: World, office: PostOffice) -> None:
    subscription = follow(world.ben, world.partnership)
    Subscription.objects.filter(pk=subscription.pk).update(hears="dates")
    happen(world, TERMS, actor=world.amina)
    happen(world, STATUS, actor=world.amina, before="active", after="under_review")

    play(office)

    [text] = texts_to(office, world.ben)
    assert "Terms amended" in text
    assert "Changed the status" not in text


def test_only_what_concerns_my_organisation(world: World, office: PostOffice) -> None:
    subscription = follow(world.ben, world.partnership)
    Subscription.objects.filter(pk=subscription.pk).update(hears="own")
    happen(world, TERMS, actor=world.amina)
    happen(world, PARTY_LEFT, actor=world.amina, also=(f"organisation:{world.westmarch.pk}",))

    play(office)

    [text] = texts_to(office, world.ben)
    assert "Party left" in text
    assert "Terms amended" not in text


def test_a_change_of_two_subjects_comes_once_in_an_email(world: World, office: PostOffice) -> None:
    follow(world.ben, world.partnership)
    follow(world.ben, world.larkhaven)
    happen(world, TERMS, actor=world.amina, also=(f"organisation:{world.larkhaven.pk}",))

    play(office)

    [text] = texts_to(office, world.ben)
    assert text.count("Terms amended") == 1


def test_a_change_told_at_once_is_not_in_the_weekly_email(world: World, office: PostOffice) -> None:
    follow(world.ben, world.partnership)
    follow(world.ben, world.larkhaven, frequency="weekly")
    happen(world, TERMS, actor=world.amina, also=(f"organisation:{world.larkhaven.pk}",))
    play(office)

    play(office, now=timezone.now() + dt.timedelta(days=9))

    assert len(office.to(world.ben)) == 1


def test_the_ledger_keeps_which_events_an_email_told(world: World, office: PostOffice) -> None:
    add_sol(world)
    event = happen(world, TERMS, actor=world.amina)
    happen(world, NOTE, actor=world.amina)

    play(office)

    row = DeliverySubject.objects.get(delivery__recipient=world.sol)
    assert row.told == [event.pk]
    assert row.to_number - row.from_number == 2


def test_plans_and_changes_come_in_one_email(world: World, office: PostOffice, plan: Any) -> None:
    follow(world.ben, world.partnership)
    publish(plan, 110, author=world.amina)
    happen(world, TERMS, actor=world.amina)

    play(office)

    [text] = texts_to(office, world.ben)
    assert "Harbour Quarter" in text
    assert "Terms amended" in text
