"""Notices in the inbox are recorded, grouped, opened and marked, and read only by people who may read them."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone

from partnerships.digests.models import InboxItem
from partnerships.digests.queries.inbox import SHOWN, unread_count
from partnerships.digests.retention import tidy
from partnerships.digests.services import mark_items, subscribe
from partnerships.outbox.groups import RecordLookup
from partnerships.outbox.kinds import all_kinds
from partnerships.outbox.models import Email
from partnerships.plans.models import Plan
from tests.commitments.promises import propose
from tests.digests.conftest import PostOffice, play, publish
from tests.digests.test_changes_are_told import STATUS, happen
from tests.support.parties import leave_partnership_as_westmarch
from tests.support.signing_in import signed_in
from tests.world import World


def page(person: Any, query: str = "") -> str:
    """Return the person's inbox as HTML."""
    response = signed_in(person).get(reverse("digests:inbox") + query)
    assert response.status_code == 200
    return response.content.decode()


@pytest.fixture
def item(world: World) -> InboxItem:
    """Return the notice that asks Ben to confirm a commitment of Larkhaven."""
    propose(world)
    return InboxItem.objects.get(person=world.ben)


def test_a_notice_is_in_the_inbox_of_its_recipient(world: World, item: InboxItem) -> None:
    assert item.kind == "commitments.proposed"
    assert item.group == "commitments"
    assert item.record_kind == "commitment"
    assert item.partnership_id == world.partnership.pk
    assert item.is_unread
    assert Email.objects.filter(kind="commitments.proposed", person_id=world.ben.pk).count() == 1


def test_the_inbox_groups_notices_by_partnership(world: World, item: InboxItem) -> None:
    html = page(world.ben)

    assert f'<h2 class="govuk-heading-m">{world.partnership.title}</h2>' in html
    assert "Commitment to confirm: Sixty modular homes" in html
    assert "You have 1 unread notice." in " ".join(html.split())


def test_opening_a_notice_marks_it_read_and_leads_to_its_page(world: World, item: InboxItem) -> None:
    response = signed_in(world.ben).get(reverse("digests:inbox-open", args=[item.pk]))

    assert response["Location"] == reverse("commitments:detail", args=[item.record_id])
    assert unread_count(world.ben) == 0


def test_a_head_request_marks_nothing(world: World, item: InboxItem) -> None:
    signed_in(world.ben).head(reverse("digests:inbox-open", args=[item.pk]))

    assert unread_count(world.ben) == 1


def test_somebody_elses_notice_does_not_exist(world: World, item: InboxItem) -> None:
    client = signed_in(world.chidi)

    assert client.get(reverse("digests:inbox-open", args=[item.pk])).status_code == 404
    client.post(reverse("digests:inbox-mark"), {"item": item.pk, "as": "read"})
    assert unread_count(world.ben) == 1


def test_notices_are_marked_read_and_unread(world: World, item: InboxItem) -> None:
    client = signed_in(world.ben)
    inbox_url = f"{reverse('digests:inbox')}?unread=yes"

    response = client.post(reverse("digests:inbox-mark"), {"item": item.pk, "as": "read", "back": inbox_url})
    assert response["Location"] == inbox_url
    assert unread_count(world.ben) == 0

    client.post(reverse("digests:inbox-mark"), {"item": item.pk, "as": "unread", "back": "https://elsewhere.example/"})
    assert unread_count(world.ben) == 1

    client.post(reverse("digests:inbox-mark"), {"all": "yes"})
    assert unread_count(world.ben) == 0


def test_marking_nothing_says_what_to_do(world: World, item: InboxItem) -> None:
    response = signed_in(world.ben).post(reverse("digests:inbox-mark"), {"as": "read"}, follow=True)

    assert "Select at least one notice." in response.content.decode()


def test_the_inbox_is_filtered_by_group_and_unread(world: World, item: InboxItem) -> None:
    assert "Sixty modular homes" in page(world.ben, "?group=commitments&unread=yes")
    assert "No notices match." in page(world.ben, "?group=asks")
    mark_items(person=world.ben, item_ids=[item.pk], is_read=True, now=timezone.now())

    assert "No notices match." in page(world.ben, "?unread=yes")


def test_what_may_no_longer_be_read_has_no_name_and_no_link(world: World, item: InboxItem) -> None:
    InboxItem.objects.filter(pk=item.pk).update(person=world.chidi)

    html = page(world.chidi)

    assert "something you can no longer read" in html
    assert "Sixty modular homes" not in html
    assert world.partnership.title not in html
    response = signed_in(world.chidi).get(reverse("digests:inbox-open", args=[item.pk]), follow=True)
    assert "You can no longer read what this notice is about." in response.content.decode()


def test_the_masthead_says_how_many_are_unread(world: World, item: InboxItem) -> None:
    html = " ".join(signed_in(world.ben).get(reverse("web:home")).content.decode().split())

    assert 'class="cg-you__count">1<' in html


def test_a_digest_is_in_the_inbox_too(world: World, plan: Plan, office: PostOffice) -> None:
    browser = signed_in(world.ben)
    browser.post(reverse("digests:subscribe", args=["plan", plan.pk]))
    publish(plan, 100, author=world.amina)
    play(office)

    [digest] = InboxItem.objects.filter(person=world.ben, record_kind="digest")
    response = browser.get(reverse("digests:inbox-open", args=[digest.pk]), follow=True)
    assert response.status_code == 200
    assert "Harbour Quarter" in response.content.decode()


def test_a_digest_in_the_inbox_is_named_after_what_it_told(world: World, plan: Plan, office: PostOffice) -> None:
    for target in (plan, world.partnership):
        subscribe(person=world.ben, target=target, author=world.ben, now=timezone.now())
    happen(world, STATUS, before="active", after="under_review")
    play(office)
    page_of_one_record = " ".join(page(world.ben, "?group=digests").split())
    publish(plan, 100, author=world.amina)
    propose(world)
    play(office)
    page_of_two_records = " ".join(page(world.ben, "?group=digests").split())
    plan.owners.update(ended_at=timezone.now())
    type(plan).objects.filter(pk=plan.pk).update(audience="owners")
    page_without_plan = page(world.ben, "?group=digests")

    title = world.partnership.title
    assert f'<h2 class="govuk-heading-m">{title}</h2>' in page_of_one_record
    assert f"Digest: {title}" in page_of_one_record
    assert f"Digest: {title} and 1 more" in page_of_two_records
    assert "and 1 more" not in page_without_plan


def test_notices_are_kept_for_12_months(world: World, item: InboxItem) -> None:
    tidy(now=timezone.now() + dt.timedelta(days=364))
    assert InboxItem.objects.filter(pk=item.pk).exists()

    tidy(now=timezone.now() + dt.timedelta(days=366))
    assert not InboxItem.objects.filter(pk=item.pk).exists()


def test_every_record_that_a_notice_is_about_has_a_page() -> None:
    kinds = {kind.about.kind for kind in all_kinds() if isinstance(kind.about, RecordLookup)}

    assert kinds <= SHOWN.keys()


def test_leaving_a_partnership_is_told_to_the_others(world: World) -> None:
    leave_partnership_as_westmarch(world)

    assert InboxItem.objects.filter(person=world.amina, kind="agreements.gone").exists()
