"""Saved views open only for people who may, and show each reader their own rows."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.core import mail
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from partnerships.agreements.services import leave_partnership
from partnerships.commitments.services import end_commitment
from partnerships.digests.models import NoticeChoice, Way
from partnerships.digests.retention import tidy
from partnerships.kit.rights import UnableToAct
from partnerships.lists import services
from partnerships.lists.models import Follow, SavedView
from partnerships.lists.queries import listing_by
from partnerships.lists.services import UnableToSaveView
from partnerships.organisations.models import Handover, Role
from partnerships.organisations.services import end_membership
from partnerships.outbox.models import ADDRESS_KEPT
from partnerships.people.models import User
from tests.commitments.promises import agree, propose
from tests.organisations.test_handovers import accept_lines, propose_lines, record_merger, record_undoing, take_effect
from tests.support.crawling import forms_of
from tests.support.outbox import deliver, drop_emails, stop_address
from tests.support.signing_in import signed_in
from tests.world import World, join


def create_view(person: User, **state: Any) -> SavedView:
    """Save a view of the commitments, by default of those that are agreed."""
    return services.save_view(
        person=person,
        kind="commitments",
        name="Agreed",
        state=state or {"filters": {"status": ["agreed"]}},
        now=timezone.now(),
    )


def test_a_view_is_saved_on_its_page_and_opens_with_filters_columns_and_order(world: World) -> None:
    agree(world, text="Cottages.")
    propose(world, text="Bungalows.")
    ben = signed_in(world.ben)
    query = "?status=agreed&columns=text,owner&sort=-text&evil=1"

    list_page = ben.post(reverse("lists:save", args=["commitments"]) + query, {"name": "Agreed"}, follow=True)

    view = SavedView.objects.get()
    assert view.state == {
        "filters": {"status": ["agreed"]},
        "columns": ["text", "owner"],
        "sort": "-text",
        "group": "",
        "look": "",
    }
    assert [heading.label for heading in list_page.context["headings"]] == ["Commitment", "Owner"]
    assert [row.text for row in list_page.context["page"].rows] == ["Cottages."]
    page_without_first_filter = ben.get(reverse("commitments:list") + list_page.context["chips"][0].href)
    assert len(page_without_first_filter.context["page"].rows) == 2
    assert page_without_first_filter.context["is_changed"]
    assert ben.post(reverse("lists:save", args=["commitments"]) + query, {"name": "Agreed"}).status_code == 422


def test_a_shared_view_shows_each_reader_their_own_rows_and_names_no_other_record(world: World) -> None:
    propose(world)
    view = create_view(world.amina, filters={"partnership": [str(world.partnership.pk)]})
    services.share_view(view=view, person=world.amina, shared_with=world.larkhaven, now=timezone.now())
    colleague_of_amina = world.vera

    page_of_colleague = signed_in(colleague_of_amina).get(view.get_absolute_url())
    page_of_stranger = signed_in(world.chidi).get(view.get_absolute_url())

    assert len(page_of_colleague.context["page"].rows) == 1
    assert page_of_stranger.status_code == 404


def test_a_view_shared_with_a_partnership_ends_with_it_for_those_who_leave(world: World) -> None:
    view = services.share_view(
        view=create_view(world.amina), person=world.amina, shared_with=world.partnership, now=timezone.now()
    )
    services.choose_default(kind="commitments", view=view, person=world.ben)
    page_before = signed_in(world.ben).get(reverse("commitments:list"))
    leave_partnership(party=world.party(world.westmarch), reason="Budget.", author=world.ben, now=timezone.now())
    page_after = signed_in(world.ben).get(reverse("commitments:list"))

    assert page_before.context["view"] == view
    assert page_after.context["view"] is None
    assert signed_in(world.ben).get(view.get_absolute_url()).status_code == 404


def test_a_view_shared_with_a_body_that_ends_is_its_successors_from_the_day_on(world: World) -> None:
    view = create_view(world.ben)
    services.share_view(view=view, person=world.ben, shared_with=world.westmarch, now=timezone.now())
    succession = record_merger(world)

    propose_lines(world, succession, "shared_views", view.pk)
    accept_lines(world, succession)
    assert Handover.objects.get().title == f"Shared view {view.pk}"
    assert signed_in(world.hana).get(view.get_absolute_url()).status_code == 404
    take_effect(succession)

    assert signed_in(world.hana).get(view.get_absolute_url()).status_code == 200
    with pytest.raises(UnableToSaveView, match="no longer an editor for the organisation"):
        services.change_view(view=view, person=world.ben, name="Anything")
    take_effect(record_undoing(succession))
    assert signed_in(world.hana).get(view.get_absolute_url()).status_code == 404


def test_a_leaver_keeps_a_shared_view_but_cannot_change_it_or_see_its_new_title(world: World) -> None:
    view = services.share_view(
        view=create_view(world.ben), person=world.ben, shared_with=world.partnership, now=timezone.now()
    )
    leave_partnership(party=world.party(world.westmarch), reason="Budget.", author=world.ben, now=timezone.now())
    world.partnership.title = "New title CANARY"
    world.partnership.save(update_fields=["title"])
    ben = signed_in(world.ben)
    address = reverse("lists:view", args=[view.pk])

    page_of_views = " ".join(ben.get(reverse("lists:views")).content.decode().split())
    refused_response = ben.post(address, {"name": "Shout"})
    services.share_view(view=view, person=world.ben, shared_with=None, now=timezone.now())
    response_when_unshared = ben.post(address, {"name": "Mine again"})

    assert "shared with a partnership that you are no longer part of" in page_of_views
    assert "CANARY" not in page_of_views
    assert refused_response.status_code == 422
    assert (
        "You are no longer an editor for the organisation or partnership that shares this view"
        in refused_response.content.decode()
    )
    assert response_when_unshared.status_code == 302
    assert SavedView.objects.get().name == "Mine again"


def test_a_viewer_shares_with_nobody(world: World) -> None:
    view = create_view(world.vera)

    with pytest.raises(UnableToAct):
        services.share_view(view=view, person=world.vera, shared_with=world.larkhaven, now=timezone.now())


def test_a_list_opens_with_the_default_view_until_told_otherwise(world: World) -> None:
    agree(world, text="Cottages.")
    propose(world, text="Bungalows.")
    ben = signed_in(world.ben)
    address = reverse("commitments:list")
    view = create_view(world.ben)

    ben.post(reverse("lists:default", args=[view.pk]))
    page_with_default = ben.get(address)
    page_with_everything = ben.get(f"{address}?view=")
    ben.post(reverse("lists:no-default", args=["commitments"]))
    page_without_default = ben.get(address)

    assert [row.text for row in page_with_default.context["page"].rows] == ["Cottages."]
    assert len(page_with_everything.context["page"].rows) == len(page_without_default.context["page"].rows) == 2


def test_what_a_list_no_longer_knows_is_left_out_of_a_view(world: World) -> None:
    view = create_view(world.ben)
    view.state = {"filters": {"gone": ["x"], "status": ["agreed"]}, "columns": ["gone", "due"], "sort": "gone"}
    view.save(update_fields=["state"])

    list_page = signed_in(world.ben).get(view.get_absolute_url())

    assert list_page.status_code == 200
    assert [heading.label for heading in list_page.context["headings"]] == ["Commitment", "Due date"]


def test_a_view_is_renamed_shared_and_removed_on_its_pages(world: World) -> None:
    view = create_view(world.amina)
    amina = signed_in(world.amina)

    amina.post(reverse("lists:view", args=[view.pk]), {"name": "Signed"})
    amina.post(reverse("lists:share", args=[view.pk]), {"shared_with": f"partnership-{world.partnership.pk}"})
    page_of_views = signed_in(world.ben).get(reverse("lists:views")).content.decode()
    amina.post(reverse("lists:remove", args=[view.pk]))

    assert "Signed" in page_of_views
    assert "shared with Estuary Partnership" in " ".join(page_of_views.split())
    assert not SavedView.objects.exists()


def check_and_return_emails(now: dt.datetime) -> list[Any]:
    """Read the followed views at this moment, and return the emails about them."""
    mail.outbox.clear()
    services.check_followed_views(now=now)
    return [email for email in deliver() if "changed" in email.body]


def test_a_followed_view_tells_once_what_enters_and_what_leaves(world: World) -> None:
    agree(world, text="Cottages.")
    commitment = propose(world, text="Bungalows.")
    view = create_view(world.ben, filters={"status": ["proposed"]})
    now = timezone.now()
    services.follow_view(view=view, person=world.ben, now=now)
    drop_emails()
    hours = [now + dt.timedelta(hours=2 * number) for number in range(1, 6)]

    assert check_and_return_emails(hours[0]) == []
    propose(world, text="Flats.")
    drop_emails()
    (email_about_entry,) = check_and_return_emails(hours[1])
    assert check_and_return_emails(hours[1] + dt.timedelta(minutes=30)) == []
    end_commitment(commitment=commitment, reason="Over.", author=world.amina, now=timezone.now())
    drop_emails()
    (email_about_leaving,) = check_and_return_emails(hours[2])
    assert check_and_return_emails(hours[3]) == []

    assert email_about_entry.to == [world.ben.email]
    assert email_about_entry.subject == "“Agreed”: 1 row added"
    assert "Flats." in email_about_entry.body
    assert "Cottages." not in email_about_entry.body
    assert email_about_leaving.subject == "“Agreed”: 1 row removed"
    assert "Bungalows." in email_about_leaving.body


def test_one_click_on_an_email_about_one_view_stops_only_that_view(world: World) -> None:
    view = create_view(world.ben, filters={"status": ["proposed"]})
    now = timezone.now()
    other_view = services.save_view(person=world.ben, kind="commitments", name="All", state={}, now=now)
    for one in (view, other_view):
        services.follow_view(view=one, person=world.ben, now=now)
    propose(world, text="Flats.")
    drop_emails()
    stop_link = next(
        stop_address(email)
        for email in check_and_return_emails(now + dt.timedelta(hours=2))
        if email.subject.startswith("“Agreed”")
    )
    tidy(now=now + ADDRESS_KEPT + dt.timedelta(days=1))  # the link lives longer

    stop_page = Client().post(stop_link, {"List-Unsubscribe": "One-Click"})

    assert "the view “Agreed”" in stop_page.content.decode()
    assert [follow.view for follow in world.ben.followed_views.all()] == [other_view]
    second_stop_page = Client().post(stop_link, {"List-Unsubscribe": "One-Click"})
    assert [follow.view for follow in world.ben.followed_views.all()] == [other_view]
    assert second_stop_page.status_code == 200
    [undo_form] = [form for form in forms_of(stop_page.content) if "undo" in form.fields]
    Client().post(stop_link, undo_form.fields)
    assert {follow.view for follow in world.ben.followed_views.all()} == {view, other_view}
    Client().post(stop_link, {"List-Unsubscribe": "One-Click"})
    assert [follow.view for follow in world.ben.followed_views.all()] == [other_view]


@pytest.mark.parametrize(
    ("way", "words"),
    [
        (Way.AT_ONCE, "You will get an email when something enters or leaves “My view”."),
        (Way.SUMMARY, "Your summary by email will say what enters or leaves “My view”."),
        (Way.INBOX, "Your inbox will say what enters or leaves “My view”."),
        (Way.OFF, "You follow “My view”, but you have turned off notifications about views."),
    ],
)
def test_following_a_view_says_how_its_news_come(world: World, way: Way, words: str) -> None:
    NoticeChoice.objects.create(person=world.ben, group="views", way=way)
    view = create_view(world.ben)

    page = signed_in(world.ben).post(reverse("lists:follow", args=[view.pk]), follow=True).content.decode()

    assert words.replace("My view", view.name) in page
    assert f'href="{reverse("digests:manage")}"' in page


def test_what_a_follower_can_no_longer_read_is_counted_and_not_named(world: World) -> None:
    commitment_to_harbour = propose(world, text="Cottages.", receiver=world.harbour, partnership=None)
    membership = join(world.nadia, world.harbour, Role.VIEWER, timezone.now())
    view = create_view(world.nadia, filters={"status": ["proposed"]})
    now = timezone.now()
    services.follow_view(view=view, person=world.nadia, now=now)
    end_membership(membership=membership, reason="Moved.", author=world.hana, now=now)
    drop_emails()

    (email,) = check_and_return_emails(now + dt.timedelta(hours=1))

    assert commitment_to_harbour.text not in email.body
    assert "1 row that you can no longer see" in email.body


def test_a_follow_ends_with_the_right_to_open_the_view(world: World) -> None:
    view = services.share_view(
        view=create_view(world.amina), person=world.amina, shared_with=world.partnership, now=timezone.now()
    )
    signed_in(world.ben).post(reverse("lists:follow", args=[view.pk]))
    assert Follow.objects.filter(person=world.ben).exists()
    leave_partnership(party=world.party(world.westmarch), reason="Budget.", author=world.ben, now=timezone.now())
    drop_emails()

    assert check_and_return_emails(timezone.now() + dt.timedelta(hours=1)) == []
    assert not Follow.objects.filter(person=world.ben).exists()


def test_a_followed_view_that_grows_too_large_says_so_and_starts_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    view = create_view(world.ben, filters={"status": ["proposed"]})
    now = timezone.now()
    services.follow_view(view=view, person=world.ben, now=now)
    monkeypatch.setattr("partnerships.lists.services.following.MAX_ROWS", 1)
    monkeypatch.setattr("partnerships.lists.services.MAX_ROWS", 1)
    newest_commitment = [propose(world), propose(world)][-1]
    drop_emails()

    assert check_and_return_emails(now + dt.timedelta(hours=1)) == []
    page_while_too_large = " ".join(signed_in(world.ben).get(reverse("lists:views")).content.decode().split())
    end_commitment(commitment=newest_commitment, reason="Over.", author=world.amina, now=timezone.now())
    drop_emails()
    assert check_and_return_emails(now + dt.timedelta(hours=2)) == []
    page_afterwards = signed_in(world.ben).get(reverse("lists:views")).content.decode()

    assert (
        "you follow it, but we cannot tell you about changes, because the view shows more than 1 rows"
        in page_while_too_large
    )
    assert "you follow it" in page_afterwards
    assert "we send nothing" not in page_afterwards


def test_the_sweep_reads_first_what_was_never_read_and_one_fault_does_not_stop_it(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = timezone.now()
    broken_view, sound_view = (
        services.save_view(person=world.ben, kind="commitments", name=name, state={}, now=now)
        for name in ("Broken", "Whole")
    )
    for view in (broken_view, sound_view):
        services.follow_view(view=view, person=world.ben, now=now)
    Follow.objects.filter(view=broken_view).update(checked_at=None)
    read_listing = listing_by

    def fail_for_broken_view(view: SavedView, person: User) -> Any:
        if view == broken_view:
            raise ValueError("This view cannot be read.")
        return read_listing(view, person)

    monkeypatch.setattr("partnerships.lists.services.following.listing_by", fail_for_broken_view)
    monkeypatch.setattr("partnerships.lists.services.following.MAX_CHECKED", 1)
    propose(world)
    later = now + dt.timedelta(hours=1)

    assert services.check_followed_views(now=later) == 0
    assert Follow.objects.get(view=broken_view).checked_at == later
    assert services.check_followed_views(now=later) == 1


def test_a_view_of_too_many_rows_cannot_be_followed(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    propose(world)
    propose(world)
    monkeypatch.setattr("partnerships.lists.services.following.MAX_ROWS", 1)

    with pytest.raises(services.UnableToFollow):
        services.follow_view(
            view=create_view(world.ben, filters={"status": ["proposed"]}), person=world.ben, now=timezone.now()
        )
