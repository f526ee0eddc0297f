"""Saved views open only for people who may, and show each reader their own rows."""

from __future__ import annotations

import datetime as dt
from typing import Any, NamedTuple

import pytest
from django.core import mail
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from partnerships.agreements.services import leave_partnership
from partnerships.commitments.models import Commitment
from partnerships.commitments.services import end_commitment
from partnerships.digests.models import NoticeChoice, NoticeDelivery
from partnerships.digests.retention import tidy
from partnerships.kit.rights import UnableToAct
from partnerships.lists import services
from partnerships.lists.models import Follow, SavedView
from partnerships.lists.queries import listing_by
from partnerships.lists.services import UnableToSaveView
from partnerships.organisations.models import Handover, Role, Succession
from partnerships.organisations.services import end_membership
from partnerships.outbox.models import ADDRESS_RETENTION
from partnerships.people.models import User
from tests.commitments.promises import agree, propose
from tests.organisations.handing_over import accept_lines, propose_lines, record_merger, record_undoing, take_effect
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


QUERY_OF_VIEW = "?status=agreed&columns=text,owner&sort=-text&evil=1"


@pytest.fixture
def two_commitments(world: World) -> None:
    """Create an agreed and a proposed commitment."""
    agree(world, text="Cottages.")
    propose(world, text="Bungalows.")


def save_on_page(person: User) -> Any:
    """Save a view of agreed commitments on the page, and return the list that it opens."""
    save_url = reverse("lists:save", args=["commitments"]) + QUERY_OF_VIEW
    return signed_in(person).post(save_url, {"name": "Agreed"}, follow=True)


def test_a_view_is_saved_with_its_filters_columns_and_order(world: World, two_commitments: None) -> None:
    save_on_page(world.ben)

    assert SavedView.objects.get().state == {
        "filters": {"status": ["agreed"]},
        "columns": ["text", "owner"],
        "sort": "-text",
        "group": "",
        "look": "",
    }


def test_a_saved_view_opens_with_its_filters_and_columns(world: World, two_commitments: None) -> None:
    list_page = save_on_page(world.ben)

    assert [heading.label for heading in list_page.context["headings"]] == ["Commitment", "Owner"]
    assert [row.text for row in list_page.context["page"].rows] == ["Cottages."]


def test_a_view_without_one_of_its_filters_is_marked_as_changed(world: World, two_commitments: None) -> None:
    list_page = save_on_page(world.ben)
    url_without_filter = reverse("commitments:list") + list_page.context["chips"][0].href

    page_without_filter = signed_in(world.ben).get(url_without_filter)

    assert len(page_without_filter.context["page"].rows) == 2
    assert page_without_filter.context["is_changed"]


def test_a_second_view_needs_a_name_of_its_own(world: World, two_commitments: None) -> None:
    save_on_page(world.ben)

    second_response = save_on_page(world.ben)

    assert second_response.status_code == 422


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


class ViewOfMergedCouncil(NamedTuple):
    """A view that Ben shared with Westmarch, and the merger in which Harbour takes the view over."""

    view: SavedView
    merger: Succession


@pytest.fixture
def view_of_merged_council(world: World) -> ViewOfMergedCouncil:
    """Share a view with Westmarch, and accept that it passes to Harbour."""
    view = create_view(world.ben)
    services.share_view(view=view, person=world.ben, shared_with=world.westmarch, now=timezone.now())
    merger = record_merger(world)
    propose_lines(world, merger, "shared_views", view.pk)
    accept_lines(world, merger)
    return ViewOfMergedCouncil(view, merger)


def test_the_line_about_a_shared_view_does_not_show_its_name(view_of_merged_council: ViewOfMergedCouncil) -> None:
    assert Handover.objects.get().title == f"Shared view {view_of_merged_council.view.pk}"


def test_a_view_shared_with_a_body_that_ends_is_its_successors_from_the_day_on(
    world: World, view_of_merged_council: ViewOfMergedCouncil
) -> None:
    view, merger = view_of_merged_council
    hana = signed_in(world.hana)
    status_code_before = hana.get(view.get_absolute_url()).status_code

    take_effect(merger)

    assert status_code_before == 404
    assert hana.get(view.get_absolute_url()).status_code == 200
    with pytest.raises(UnableToSaveView, match="no longer an editor for the organisation"):
        services.change_view(view=view, person=world.ben, name="Anything")


def test_a_shared_view_returns_when_the_succession_is_undone(
    world: World, view_of_merged_council: ViewOfMergedCouncil
) -> None:
    view, merger = view_of_merged_council
    take_effect(merger)

    take_effect(record_undoing(merger))

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


@pytest.fixture
def followed_view(world: World) -> SavedView:
    """Return a view of proposed commitments that Ben follows; one proposed and one agreed commitment exist."""
    agree(world, text="Cottages.")
    propose(world, text="Bungalows.")
    view = create_view(world.ben, filters={"status": ["proposed"]})
    services.follow_view(view=view, person=world.ben, now=timezone.now())
    drop_emails()
    return view


def in_hours(hours: float) -> dt.datetime:
    """Return the moment this many hours from now."""
    return timezone.now() + dt.timedelta(hours=hours)


def test_a_follower_gets_no_email_while_nothing_changes(followed_view: SavedView) -> None:
    assert check_and_return_emails(in_hours(2)) == []


def test_a_follower_gets_one_email_about_what_enters_a_view(world: World, followed_view: SavedView) -> None:
    propose(world, text="Flats.")
    drop_emails()

    [email] = check_and_return_emails(in_hours(4))
    emails_of_second_check = check_and_return_emails(in_hours(4.5))

    assert email.to == [world.ben.email]
    assert email.subject == "Changes in your view “Agreed”: 1 added"
    assert "Flats." in email.body
    assert "Cottages." not in email.body
    assert emails_of_second_check == []


def test_a_follower_gets_one_email_about_what_leaves_a_view(world: World, followed_view: SavedView) -> None:
    commitment = Commitment.objects.get(text="Bungalows.")
    end_commitment(commitment=commitment, reason="Over.", author=world.amina, now=timezone.now())
    drop_emails()

    [email] = check_and_return_emails(in_hours(6))
    emails_of_second_check = check_and_return_emails(in_hours(8))

    assert email.subject == "Changes in your view “Agreed”: 1 removed"
    assert "Bungalows." in email.body
    assert emails_of_second_check == []


ONE_CLICK = {"List-Unsubscribe": "One-Click"}


class StopLink(NamedTuple):
    """The link in an email about one view, with which its reader stops following it."""

    url: str
    view: SavedView
    other_followed_view: SavedView


@pytest.fixture
def stop_link(world: World) -> StopLink:
    """Return the link in an email to Ben, who follows two views; the email itself has been deleted."""
    view = create_view(world.ben, filters={"status": ["proposed"]})
    now = timezone.now()
    other_view = services.save_view(person=world.ben, kind="commitments", name="All", state={}, now=now)
    for followed in (view, other_view):
        services.follow_view(view=followed, person=world.ben, now=now)
    propose(world, text="Flats.")
    drop_emails()
    url = next(
        stop_address(email)
        for email in check_and_return_emails(now + dt.timedelta(hours=2))
        if "“Agreed”" in email.subject
    )
    tidy(now=now + ADDRESS_RETENTION + dt.timedelta(days=1))  # the link lives longer
    return StopLink(url, view, other_view)


def views_followed_by(person: User) -> set[SavedView]:
    """Return the views that the person follows."""
    return {follow.view for follow in person.followed_views.all()}


def test_one_click_on_an_email_about_one_view_stops_only_that_view(world: World, stop_link: StopLink) -> None:
    response = Client().post(stop_link.url, ONE_CLICK)

    assert "the view “Agreed”" in response.content.decode()
    assert views_followed_by(world.ben) == {stop_link.other_followed_view}


def test_a_second_click_on_an_email_about_one_view_changes_nothing(world: World, stop_link: StopLink) -> None:
    Client().post(stop_link.url, ONE_CLICK)

    response = Client().post(stop_link.url, ONE_CLICK)

    assert response.status_code == 200
    assert views_followed_by(world.ben) == {stop_link.other_followed_view}


def test_the_page_after_one_click_can_undo_it(world: World, stop_link: StopLink) -> None:
    stop_page = Client().post(stop_link.url, ONE_CLICK)
    [undo_form] = [form for form in forms_of(stop_page.content) if "undo" in form.fields]

    Client().post(stop_link.url, undo_form.fields)

    assert views_followed_by(world.ben) == {stop_link.view, stop_link.other_followed_view}


def test_one_click_works_again_after_it_was_undone(world: World, stop_link: StopLink) -> None:
    stop_page = Client().post(stop_link.url, ONE_CLICK)
    [undo_form] = [form for form in forms_of(stop_page.content) if "undo" in form.fields]
    Client().post(stop_link.url, undo_form.fields)

    Client().post(stop_link.url, ONE_CLICK)

    assert views_followed_by(world.ben) == {stop_link.other_followed_view}


@pytest.mark.parametrize(
    ("way", "words"),
    [
        (NoticeDelivery.AT_ONCE, "You will get an email when rows enter or leave “My view”."),
        (NoticeDelivery.SUMMARY, "Your summary by email will say which rows enter or leave “My view”."),
        (NoticeDelivery.INBOX, "Your inbox will say which rows enter or leave “My view”."),
        (NoticeDelivery.OFF, "You follow “My view”, but you have turned off notifications about views."),
    ],
)
def test_following_a_view_says_how_its_news_come(world: World, way: NoticeDelivery, words: str) -> None:
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


@pytest.fixture
def overgrown_view(world: World, monkeypatch: pytest.MonkeyPatch) -> SavedView:
    """Return a view that Ben follows and that has two rows, one more than can be followed."""
    view = create_view(world.ben, filters={"status": ["proposed"]})
    services.follow_view(view=view, person=world.ben, now=timezone.now())
    monkeypatch.setattr("partnerships.lists.services.following.MAX_ROWS", 1)
    monkeypatch.setattr("partnerships.lists.services.MAX_ROWS", 1)
    for _ in range(2):
        propose(world)
    drop_emails()
    return view


def test_a_followed_view_that_grows_too_large_says_so(world: World, overgrown_view: SavedView) -> None:
    emails = check_and_return_emails(in_hours(1))

    page = " ".join(signed_in(world.ben).get(reverse("lists:views")).content.decode().split())
    assert emails == []
    assert "you follow it, but we cannot tell you about changes, because the view shows more than 1 rows" in page


def test_a_followed_view_that_was_too_large_starts_again(world: World, overgrown_view: SavedView) -> None:
    check_and_return_emails(in_hours(1))
    newest_commitment = Commitment.objects.latest("pk")
    end_commitment(commitment=newest_commitment, reason="Over.", author=world.amina, now=timezone.now())
    drop_emails()

    emails = check_and_return_emails(in_hours(2))

    page = signed_in(world.ben).get(reverse("lists:views")).content.decode()
    assert emails == []
    assert "you follow it" in page
    assert "we send nothing" not in page


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
