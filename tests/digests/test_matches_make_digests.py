"""A new match is sent once, to people who may read both sides.

The match causes a digest, or is added to a digest that is sent anyway.
"""

from __future__ import annotations

import datetime as dt
import re

import pytest
from django.conf import settings
from django.urls import reverse
from django.utils import timezone

from partnerships.digests import services
from partnerships.digests.emails.news import News
from partnerships.digests.emails.wording import wording_of
from partnerships.digests.models import Delivery, MatchNotice
from partnerships.digests.planning.matches import MAX_MATCHES, find_new_matches
from partnerships.digests.services.sweep import plan_round
from partnerships.exchange.models import Direction, Match
from partnerships.outbox.bounces import suppress_address
from tests.digests.conftest import PostOffice, html_of, play, publish, text_of
from tests.exchange.conftest import shared_entry
from tests.support.signing_in import signed_in
from tests.world import World


@pytest.fixture
def match(world: World) -> Match:
    """Return a match between Larkhaven's ask and the council's offer of land.

    The whole network may read both.
    """
    now = timezone.now() - dt.timedelta(hours=1)
    ask = shared_entry(world.larkhaven, world.amina, now, title="Land for sixty homes")
    offer = shared_entry(world.westmarch, world.ben, now, direction=Direction.OFFER, title="A level site by the quay")
    match, _ = Match.objects.update_or_create(
        ask=ask, offer=offer, defaults={"score": 80, "reasons": ["both about land"], "found_at": timezone.now()}
    )
    return match


def test_a_new_match_causes_one_digest(world: World, match: Match, office: PostOffice) -> None:
    find_new_matches(now=timezone.now())
    play(office)
    find_new_matches(now=timezone.now())
    play(office)

    [email] = office.to(world.amina)
    assert str(email["Subject"]) == "1 new match"
    for part in (text_of(email), html_of(email)):
        assert "Land for sixty homes" in part
        assert "A level site by the quay" in part
    assert len(office.to(world.ben)) == 1
    assert office.to(world.chidi) == []


def test_a_digest_with_too_many_matches_links_to_the_full_list(world: World, match: Match, office: PostOffice) -> None:
    for number in range(MAX_MATCHES + 1):
        offer = shared_entry(
            world.westmarch, world.ben, timezone.now(), direction=Direction.OFFER, title=f"A level site, plot {number}"
        )
        Match.objects.update_or_create(
            ask=match.ask,
            offer=offer,
            defaults={"score": 70, "reasons": ["both about land"], "found_at": timezone.now()},
        )
    find_new_matches(now=timezone.now())
    play(office)

    [email] = office.to(world.amina)
    page = signed_in(world.amina).get(reverse("exchange:matches")).content.decode()

    list_url = f"{settings.SITE_ORIGIN}{reverse('exchange:matches')}"
    assert re.search(rf"and 2 more\s+{re.escape(list_url)}\s", text_of(email))
    assert re.search(rf'<a href="{re.escape(list_url)}"[^>]*>and 2 more</a>', html_of(email))
    assert all(f"A level site, plot {number}" in page for number in range(MAX_MATCHES + 1))


def test_the_preview_of_your_own_digest_shows_the_new_match(world: World, match: Match) -> None:
    find_new_matches(now=timezone.now())
    preview_url = reverse("digests:preview", kwargs={"pk": world.amina.pk})

    page_before = signed_in(world.amina).get(preview_url).content.decode()
    MatchNotice.objects.update(told_at=timezone.now())
    page_after = signed_in(world.amina).get(preview_url).content.decode()

    assert "A level site by the quay" in page_before
    assert "There is nothing new" not in page_before
    assert "A level site by the quay" not in page_after
    assert "There is nothing new" in page_after


def test_a_match_is_included_in_a_digest_about_a_plan(world: World, plan, match: Match, office: PostOffice) -> None:
    services.subscribe(person=world.ben, target=plan, author=world.ben, now=timezone.now())
    publish(plan, 96, author=world.amina)
    find_new_matches(now=timezone.now())
    play(office)

    [email] = office.to(world.ben)
    assert str(email["Subject"]).endswith("in Harbour Quarter and 1 new match")
    assert "A level site by the quay" in text_of(email)


def news_of_plan(title: str, *, from_number: int = 1, change_count: int = 0) -> News:
    """Return the news of a plan, which is new to the reader if `from_number` is 0."""
    return News(
        plan_id=1,
        title=title,
        partnership="Westmarch homes partnership",
        from_number=from_number,
        to_number=2,
        count=change_count,
        lines=(),
        folded=0,
        homes=(),
        editions=(),
    )


def test_subject_joins_changes_matches_and_notices_in_one_list() -> None:
    news = [news_of_plan("Harbour Quarter", change_count=3)]

    wording = wording_of(news, match_count=2, notice_count=1)

    assert wording.subject == "3 changes in Harbour Quarter, 2 new matches and 1 notice"
    assert wording.heading == wording.subject


def test_subject_about_several_plans_ends_with_their_titles() -> None:
    news = [news_of_plan("Harbour Quarter", change_count=3), news_of_plan("Mill Lane", from_number=0)]

    wording = wording_of(news, match_count=1)

    assert wording.heading == "3 changes in Harbour Quarter, 1 new plan and 1 new match"
    assert wording.subject == f"{wording.heading}: Harbour Quarter, Mill Lane"


def test_a_match_that_may_no_longer_be_read_is_left_out(world: World, match: Match, office: PostOffice) -> None:
    find_new_matches(now=timezone.now())
    plan_round(now=timezone.now())
    Match.objects.all().delete()
    office.drain()

    assert office.sent == []
    assert not Delivery.objects.exists()
    assert not MatchNotice.objects.filter(told_at=None).exists()


def test_somebody_who_stopped_all_digests_gets_no_matches(world: World, match: Match, office: PostOffice) -> None:
    services.add_confirmed_subscription(person=world.amina, target=world.larkhaven, author=None, now=timezone.now())
    services.stop_everything(person=world.amina, author=world.amina, reason="Enough.", now=timezone.now())

    find_new_matches(now=timezone.now())
    play(office)

    assert office.to(world.amina) == []
    assert len(office.to(world.ben)) == 1


def test_a_suppressed_address_gets_no_matches(world: World, match: Match, office: PostOffice) -> None:
    find_new_matches(now=timezone.now())
    suppress_address(address=world.amina.email, reason="Gone.", email_id=None, author_id=None, now=timezone.now())
    waiting_count = MatchNotice.objects.filter(recipient=world.amina, told_at=None).count()
    MatchNotice.objects.filter(recipient=world.amina).delete()
    for _ in range(3):
        find_new_matches(now=timezone.now())
        play(office)

    assert waiting_count == 0
    assert not Delivery.objects.filter(recipient=world.amina).exists()
    assert not MatchNotice.objects.filter(recipient=world.amina).exists()
    assert len(office.to(world.ben)) == 1


def test_an_unsendable_address_is_tried_once(world: World, match: Match, office: PostOffice) -> None:
    world.amina.email = "“amina”@larkhaven.example"
    world.amina.save(update_fields=["email"])
    find_new_matches(now=timezone.now())
    for _ in range(3):
        play(office)

    [row] = Delivery.objects.filter(recipient=world.amina)
    assert row.status == "failed"
    assert row.reason == "Mail servers do not accept this address. Correct it before sending the email again."


def test_a_match_waits_for_the_hour_its_reader_chose(world: World, match: Match, office: PostOffice) -> None:
    now = timezone.now()
    services.prefer(
        person=world.amina,
        frequency="daily",
        hour=(now.hour + 3) % 24,
        weekday=0,
        working_days_of="",
        paused_until=None,
        time_zone="UTC",
        author=world.amina,
        now=now,
    )

    find_new_matches(now=now)
    play(office, now=now)
    count_before = len(office.to(world.amina))
    play(office, now=now + dt.timedelta(hours=4))

    assert count_before == 0
    assert len(office.to(world.amina)) == 1
