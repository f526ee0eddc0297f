"""Saved views open only for people who may, and show each reader their own rows."""

from __future__ import annotations

import datetime as dt
from typing import Any, NamedTuple

import pytest
from django.core import mail
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from partnerships.commitments.models import Commitment
from partnerships.commitments.services import end_commitment
from partnerships.digests.models import NoticeChoice, NoticeDelivery
from partnerships.digests.retention import tidy
from partnerships.kit.rights import UnableToAct
from partnerships.lists import services
from partnerships.lists.models import Follow, SavedView
from partnerships.lists.queries import listing_by
from partnerships.lists.reading import Listing
from partnerships.lists.services import UnableToSaveView
from partnerships.organisations.models import Handover, Role, Succession
from partnerships.organisations.services import end_membership
from partnerships.outbox.models import ADDRESS_RETENTION
from partnerships.people.models import User
from tests.commitments.promises import agree, propose
from tests.organisations.handing_over import accept_lines, propose_lines, record_merger, record_undoing, take_effect
from tests.support.crawling import forms_of
from tests.support.outbox import deliver, drop_emails, stop_address
from tests.support.parties import leave_partnership_as_westmarch
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


@pytest.fixture
def view_of_partnership(world: World) -> SavedView:
    """Return a view that Amina shares with the partnership, to which Ben's council belongs too."""
    view = create_view(world.amina)
    return services.share_view(view=view, person=world.amina, shared_with=world.partnership, now=timezone.now())


def test_a_view_of_a_partnership_is_not_found_by_those_who_left(world: World, view_of_partnership: SavedView) -> None:
    status_code_of_party = signed_in(world.ben).get(view_of_partnership.get_absolute_url()).status_code

    leave_partnership_as_westmarch(world)

    assert status_code_of_party == 200
    assert signed_in(world.ben).get(view_of_partnership.get_absolute_url()).status_code == 404


def test_a_view_of_a_partnership_is_no_default_of_those_who_left(world: World, view_of_partnership: SavedView) -> None:
    services.choose_default(kind="commitments", view=view_of_partnership, person=world.ben)
    list_page_of_party = signed_in(world.ben).get(reverse("commitments:list"))

    leave_partnership_as_westmarch(world)

    list_page_of_leaver = signed_in(world.ben).get(reverse("commitments:list"))
    assert list_page_of_party.context["view"] == view_of_partnership
    assert list_page_of_leaver.context["view"] is None


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
    client_of_hana = signed_in(world.hana)
    status_code_before_merger = client_of_hana.get(view.get_absolute_url()).status_code

    take_effect(merger)

    assert status_code_before_merger == 404
    assert client_of_hana.get(view.get_absolute_url()).status_code == 200


def test_an_editor_of_a_body_that_ended_cannot_change_its_view(
    world: World, view_of_merged_council: ViewOfMergedCouncil
) -> None:
    view, merger = view_of_merged_council
    take_effect(merger)

    with pytest.raises(UnableToSaveView, match="no longer an editor for the organisation"):
        services.change_view(view=view, person=world.ben, name="Anything")


def test_a_shared_view_returns_when_the_succession_is_undone(
    world: World, view_of_merged_council: ViewOfMergedCouncil
) -> None:
    view, merger = view_of_merged_council
    take_effect(merger)

    take_effect(record_undoing(merger))

    assert signed_in(world.hana).get(view.get_absolute_url()).status_code == 404


@pytest.fixture
def view_of_leaver(world: World) -> SavedView:
    """Return a view that Ben shared with a partnership, which his council has left and which has a new title since."""
    view = services.share_view(
        view=create_view(world.ben), person=world.ben, shared_with=world.partnership, now=timezone.now()
    )
    leave_partnership_as_westmarch(world)
    world.partnership.title = "New title CANARY"
    world.partnership.save(update_fields=["title"])
    return view


def test_a_leaver_keeps_a_shared_view_without_the_partnerships_title(world: World, view_of_leaver: SavedView) -> None:
    response = signed_in(world.ben).get(reverse("lists:views"))

    text_of_views = " ".join(response.content.decode().split())
    assert "shared with a partnership that you are no longer part of" in text_of_views
    assert "CANARY" not in text_of_views


def test_a_leaver_cannot_change_a_shared_view(world: World, view_of_leaver: SavedView) -> None:
    response = signed_in(world.ben).post(reverse("lists:view", args=[view_of_leaver.pk]), {"name": "Shout"})

    assert response.status_code == 422
    assert (
        "You are no longer an editor for the organisation or partnership that shares this view"
        in response.content.decode()
    )


def test_a_leaver_can_change_the_view_once_it_is_not_shared(world: World, view_of_leaver: SavedView) -> None:
    services.share_view(view=view_of_leaver, person=world.ben, shared_with=None, now=timezone.now())

    response = signed_in(world.ben).post(reverse("lists:view", args=[view_of_leaver.pk]), {"name": "Mine again"})

    assert response.status_code == 302
    assert SavedView.objects.get().name == "Mine again"


def test_a_viewer_shares_with_nobody(world: World) -> None:
    view = create_view(world.vera)

    with pytest.raises(UnableToAct):
        services.share_view(view=view, person=world.vera, shared_with=world.larkhaven, now=timezone.now())


def texts_of_rows(list_page: Any) -> list[str]:
    """Return the texts of the commitments on a page of their list."""
    return [commitment.text for commitment in list_page.context["page"].rows]


def test_a_list_opens_with_the_default_view(world: World, two_commitments: None) -> None:
    view = create_view(world.ben)

    signed_in(world.ben).post(reverse("lists:default", args=[view.pk]))

    list_page = signed_in(world.ben).get(reverse("commitments:list"))
    assert texts_of_rows(list_page) == ["Cottages."]


def test_a_list_shows_everything_if_its_address_asks_for_no_view(world: World, two_commitments: None) -> None:
    services.choose_default(kind="commitments", view=create_view(world.ben), person=world.ben)

    list_page = signed_in(world.ben).get(reverse("commitments:list") + "?view=")

    assert sorted(texts_of_rows(list_page)) == ["Bungalows.", "Cottages."]


def test_a_list_shows_everything_once_it_has_no_default(world: World, two_commitments: None) -> None:
    services.choose_default(kind="commitments", view=create_view(world.ben), person=world.ben)

    signed_in(world.ben).post(reverse("lists:no-default", args=["commitments"]))

    list_page = signed_in(world.ben).get(reverse("commitments:list"))
    assert sorted(texts_of_rows(list_page)) == ["Bungalows.", "Cottages."]


def test_what_a_list_no_longer_knows_is_left_out_of_a_view(world: World) -> None:
    view = create_view(world.ben)
    view.state = {"filters": {"gone": ["x"], "status": ["agreed"]}, "columns": ["gone", "due"], "sort": "gone"}
    view.save(update_fields=["state"])

    list_page = signed_in(world.ben).get(view.get_absolute_url())

    assert list_page.status_code == 200
    assert [heading.label for heading in list_page.context["headings"]] == ["Commitment", "Due date"]


def test_a_shared_view_is_listed_by_its_new_name(world: World, view_of_partnership: SavedView) -> None:
    signed_in(world.amina).post(reverse("lists:view", args=[view_of_partnership.pk]), {"name": "Signed"})

    assert "Signed" in signed_in(world.ben).get(reverse("lists:views")).content.decode()


def test_a_view_is_shared_with_a_partnership_on_its_page(world: World) -> None:
    view = create_view(world.amina)

    signed_in(world.amina).post(
        reverse("lists:share", args=[view.pk]), {"shared_with": f"partnership-{world.partnership.pk}"}
    )

    views_of_ben = signed_in(world.ben).get(reverse("lists:views")).content.decode()
    assert "shared with Estuary Partnership" in " ".join(views_of_ben.split())


def test_a_view_is_removed_on_its_page(world: World, view_of_partnership: SavedView) -> None:
    signed_in(world.amina).post(reverse("lists:remove", args=[view_of_partnership.pk]))

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
    emails = check_and_return_emails(in_hours(2))

    assert emails == []


def test_a_follower_gets_an_email_about_what_enters_a_view(world: World, followed_view: SavedView) -> None:
    propose(world, text="Flats.")
    drop_emails()

    [email] = check_and_return_emails(in_hours(4))

    assert email.to == [world.ben.email]
    assert email.subject == "Changes in your view “Agreed”: 1 added"
    assert "Flats." in email.body
    assert "Cottages." not in email.body


@pytest.mark.parametrize(
    "hours", [pytest.param(4.5, id="within an hour of the email"), pytest.param(8, id="after that hour")]
)
def test_a_row_that_entered_a_view_is_in_no_second_email(world: World, followed_view: SavedView, hours: float) -> None:
    propose(world, text="Flats.")
    check_and_return_emails(in_hours(4))

    emails = check_and_return_emails(in_hours(hours))

    assert emails == []


def end_bungalows(world: World) -> None:
    """End the proposed commitment, so that it leaves the followed view."""
    bungalows = Commitment.objects.get(text="Bungalows.")
    end_commitment(commitment=bungalows, reason="Over.", author=world.amina, now=timezone.now())
    drop_emails()


def test_a_follower_gets_an_email_about_what_leaves_a_view(world: World, followed_view: SavedView) -> None:
    end_bungalows(world)

    [email] = check_and_return_emails(in_hours(6))

    assert email.subject == "Changes in your view “Agreed”: 1 removed"
    assert "Bungalows." in email.body


def test_a_row_that_left_a_view_is_in_no_second_email(world: World, followed_view: SavedView) -> None:
    end_bungalows(world)
    check_and_return_emails(in_hours(6))

    emails = check_and_return_emails(in_hours(8))

    assert emails == []


#: The fields that a mail program posts when its reader clicks “unsubscribe” (RFC 8058).
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


def test_a_second_click_on_an_email_keeps_the_other_followed_view(world: World, stop_link: StopLink) -> None:
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
        (NoticeDelivery.AT_ONCE, "You will get an email when rows enter or leave “Agreed”."),
        (NoticeDelivery.SUMMARY, "Your summary by email will say which rows enter or leave “Agreed”."),
        (NoticeDelivery.INBOX, "Your inbox will say which rows enter or leave “Agreed”."),
        (NoticeDelivery.OFF, "You follow “Agreed”, but you have turned off notifications about views."),
    ],
)
def test_following_a_view_says_how_its_news_come(world: World, way: NoticeDelivery, words: str) -> None:
    NoticeChoice.objects.create(person=world.ben, group="views", way=way)
    view = create_view(world.ben)

    response = signed_in(world.ben).post(reverse("lists:follow", args=[view.pk]), follow=True)

    assert words in response.content.decode()
    assert f'href="{reverse("digests:manage")}"' in response.content.decode()


def test_an_email_only_counts_rows_that_the_follower_can_no_longer_read(world: World) -> None:
    commitment_to_harbour = propose(world, text="Cottages.", receiver=world.harbour, partnership=None)
    membership = join(world.nadia, world.harbour, Role.VIEWER, timezone.now())
    view = create_view(world.nadia, filters={"status": ["proposed"]})
    now = timezone.now()
    services.follow_view(view=view, person=world.nadia, now=now)
    end_membership(membership=membership, reason="Moved.", author=world.hana, now=now)
    drop_emails()

    [email] = check_and_return_emails(now + dt.timedelta(hours=1))

    assert commitment_to_harbour.text not in email.body
    assert "1 row that you can no longer see" in email.body


def test_a_party_follows_a_view_on_its_page(world: World, view_of_partnership: SavedView) -> None:
    signed_in(world.ben).post(reverse("lists:follow", args=[view_of_partnership.pk]))

    assert views_followed_by(world.ben) == {view_of_partnership}


def test_a_follow_ends_with_the_right_to_open_the_view(world: World, view_of_partnership: SavedView) -> None:
    services.follow_view(view=view_of_partnership, person=world.ben, now=timezone.now())
    leave_partnership_as_westmarch(world)
    drop_emails()

    emails = check_and_return_emails(in_hours(1))

    assert emails == []
    assert views_followed_by(world.ben) == set()


@pytest.fixture
def overgrown_view(world: World, monkeypatch: pytest.MonkeyPatch) -> SavedView:
    """Return a view that Ben follows and that has three rows, one more than can be followed."""
    view = create_view(world.ben, filters={"status": ["proposed"]})
    services.follow_view(view=view, person=world.ben, now=timezone.now())
    monkeypatch.setattr("partnerships.lists.services.following.MAX_ROWS", 2)
    monkeypatch.setattr("partnerships.lists.services.MAX_ROWS", 2)  # the number in the text of the page
    for _ in range(3):
        propose(world)
    drop_emails()
    return view


def text_of_own_views(person: User) -> str:
    """Return the page of the person's saved views, with single spaces."""
    return " ".join(signed_in(person).get(reverse("lists:views")).content.decode().split())


def test_a_followed_view_that_grows_too_large_says_so(world: World, overgrown_view: SavedView) -> None:
    emails = check_and_return_emails(in_hours(1))

    assert emails == []
    expected_text = "you follow it, but we cannot tell you about changes, because the view shows more than 2 rows"
    assert expected_text in text_of_own_views(world.ben)


def test_a_followed_view_that_was_too_large_is_read_again(world: World, overgrown_view: SavedView) -> None:
    check_and_return_emails(in_hours(1))
    newest_commitment = Commitment.objects.latest("pk")
    end_commitment(commitment=newest_commitment, reason="Over.", author=world.amina, now=timezone.now())
    drop_emails()

    emails = check_and_return_emails(in_hours(2))

    assert emails == []
    assert "you follow it" in text_of_own_views(world.ben)
    assert "we cannot tell you about changes" not in text_of_own_views(world.ben)


@pytest.fixture
def broken_view(world: World, monkeypatch: pytest.MonkeyPatch) -> SavedView:
    """Return a view that Ben follows, that was never read and that cannot be read.

    He follows a sound view too, which a new commitment has entered. A sweep reads one view.
    """
    now = timezone.now()
    broken_view, sound_view = (
        services.save_view(person=world.ben, kind="commitments", name=name, state={}, now=now)
        for name in ("Broken", "Sound")
    )
    for view in (broken_view, sound_view):
        services.follow_view(view=view, person=world.ben, now=now)
    Follow.objects.filter(view=broken_view).update(checked_at=None)

    def fail_for_broken_view(view: SavedView, person: User) -> Listing | None:
        if view == broken_view:
            raise ValueError("This view cannot be read.")
        return listing_by(view, person)

    monkeypatch.setattr("partnerships.lists.services.following.listing_by", fail_for_broken_view)
    monkeypatch.setattr("partnerships.lists.services.following.MAX_CHECKED", 1)
    propose(world)
    return broken_view


def test_a_sweep_begins_with_a_view_that_was_never_read(broken_view: SavedView) -> None:
    now = in_hours(1)

    email_count = services.check_followed_views(now=now)

    assert email_count == 0
    assert Follow.objects.get(view=broken_view).checked_at == now


def test_a_view_that_cannot_be_read_does_not_stop_the_others(broken_view: SavedView) -> None:
    now = in_hours(1)
    services.check_followed_views(now=now)

    email_count = services.check_followed_views(now=now)

    assert email_count == 1


def test_a_view_of_too_many_rows_cannot_be_followed(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    propose(world)
    propose(world)
    monkeypatch.setattr("partnerships.lists.services.following.MAX_ROWS", 1)
    view = create_view(world.ben, filters={"status": ["proposed"]})

    with pytest.raises(services.UnableToFollow):
        services.follow_view(view=view, person=world.ben, now=timezone.now())
