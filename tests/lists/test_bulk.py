"""People change several rows of a list at once, without JavaScript."""

from __future__ import annotations

from typing import Any, NamedTuple

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from partnerships.commitments.models import Commitment
from partnerships.commitments.services import change_owner, end_commitment
from partnerships.digests.models import Subscription
from partnerships.exchange.models import Entry
from partnerships.kit.dates import long_date
from partnerships.organisations.models import Kind
from partnerships.people.models import User
from partnerships.plans.models import Milestone
from partnerships.recommendations.models import Recommendation, Response
from tests.agreements.test_posts import create_post_of, fill
from tests.commitments.promises import agree, in_days, propose
from tests.exchange.conftest import shared_entry
from tests.plans.drafts import published_plan
from tests.recommendations.reports import answer_recommendation, make_recommendation
from tests.support.outbox import deliver, drop_emails
from tests.support.signing_in import signed_in
from tests.world import World

ADDRESS = "lists:bulk"


def open_confirmation(reader: User, action: str, *rows: Any, kind: str = "commitments", **more_fields: Any) -> Any:
    """Choose an action for these rows in the form below the table, and return the page that asks for confirmation."""
    fields = {"action": action, "row": [row.pk for row in rows], **more_fields}
    return signed_in(reader).get(reverse(ADDRESS, args=[kind]), fields, follow=True)


def confirm(reader: User, page: Any, **filled: Any) -> Any:
    """Send the form of the page that asks for confirmation, and return the page that follows."""
    return signed_in(reader).post(page.redirect_chain[-1][0], filled, follow=True)


def test_the_table_has_a_box_for_each_row_and_names_it(world: World) -> None:
    promise = agree(world, text="Cottages.")

    page = signed_in(world.amina).get(reverse("commitments:list"), {"look": "table"}).content.decode()

    assert f'id="row-{promise.pk}"' in page
    assert "Choose Cottages." in page
    assert '<option value="assign">Change the owner</option>' in page
    assert '<option value="xlsx">Download as Excel</option>' in page


class ChosenCommitments(NamedTuple):
    """Four chosen commitments. Amina can change the owner of the first two."""

    cottages: Commitment
    bungalows: Commitment
    ended_commitment: Commitment
    commitment_of_westmarch: Commitment


@pytest.fixture
def chosen_commitments(world: World) -> ChosenCommitments:
    """Create two commitments that Amina can change, one that has ended and one of another organisation."""
    cottages, bungalows, flats = (agree(world, text=text) for text in ("Cottages.", "Bungalows.", "Flats."))
    ended_commitment = end_commitment(commitment=flats, reason="Over.", author=world.amina, now=timezone.now())
    commitment_of_westmarch = agree(
        world, text="Land.", giver=world.westmarch, receiver=world.larkhaven, owner=world.ben
    )
    drop_emails()
    return ChosenCommitments(cottages, bungalows, ended_commitment, commitment_of_westmarch)


def test_the_confirmation_says_which_rows_are_left_out(world: World, chosen_commitments: ChosenCommitments) -> None:
    confirmation_page = open_confirmation(world.amina, "assign", *chosen_commitments)

    text = " ".join(confirmation_page.content.decode().split())
    assert "Change the owner: 2 commitments" in text
    assert "2 left out" in text
    assert "These commitments have ended, so you can no longer change their owner." in text
    assert "Only editors and leads of the organisation that made the promise can change these commitments." in text


def test_the_owner_of_several_commitments_is_changed(world: World, chosen_commitments: ChosenCommitments) -> None:
    confirmation_page = open_confirmation(world.amina, "assign", *chosen_commitments, status="agreed")

    list_page = confirm(world.amina, confirmation_page, owner=world.vera.pk)

    assert set(Commitment.objects.filter(owner=world.vera)) == {
        chosen_commitments.cottages,
        chosen_commitments.bungalows,
    }
    assert "2 commitments: the owner has been changed" in list_page.content.decode()
    assert list_page.redirect_chain[-1][0] == f"{reverse('commitments:list')}?status=agreed"


def test_a_new_owner_of_several_commitments_gets_one_email(world: World, chosen_commitments: ChosenCommitments) -> None:
    confirmation_page = open_confirmation(world.amina, "assign", *chosen_commitments)

    confirm(world.amina, confirmation_page, owner=world.vera.pk)

    [email] = deliver()
    assert email.to == [world.vera.email]
    assert email.subject == f"{world.amina.display_name} has made you the owner of 2 commitments"
    assert "Cottages." in email.body
    assert "Bungalows." in email.body


def test_an_email_to_a_new_owner_leaves_out_what_they_own_already(world: World) -> None:
    cottages = agree(world, text="Cottages.")
    bungalows = agree(world, text="Bungalows.")
    change_owner(commitment=cottages, owner=world.vera, author=world.amina, now=timezone.now())
    drop_emails()
    confirmation_page = open_confirmation(world.amina, "assign", cottages, bungalows)

    list_page = confirm(world.amina, confirmation_page, owner=world.vera.pk)

    assert "1 commitment: the owner has been changed" in list_page.content.decode()
    refusal = f"{world.vera.display_name} already owns these commitments. Choose another person."
    assert refusal in list_page.content.decode()
    [email] = deliver()
    assert "Bungalows." in email.body
    assert "Cottages." not in email.body


def test_the_confirmation_has_as_many_queries_for_several_rows_as_for_one(world: World) -> None:
    commitments = [agree(world) for _ in range(3)]
    client = signed_in(world.amina)
    address = reverse(ADDRESS, args=["commitments"])

    def count_queries(rows: list[Commitment]) -> int:
        fields = {"action": "remind", "rows": ",".join(str(row.pk) for row in rows)}
        client.get(address, fields)
        with CaptureQueriesContext(connection) as captured:
            client.get(address, fields)
        return len(captured)

    queries_for_one = count_queries(commitments[:1])
    queries_for_three = count_queries(commitments)

    assert queries_for_three == queries_for_one


def test_the_due_date_of_several_moves_with_one_reason(world: World) -> None:
    commitments = [agree(world), agree(world)]
    confirmation_page = open_confirmation(world.eddie, "due", *commitments)

    confirm(world.eddie, confirmation_page, due_on=in_days(120).isoformat(), reason="Drainage.")

    for commitment in commitments:
        commitment.refresh_from_db()
        assert commitment.due_on == in_days(120)
        assert commitment.slippages.get().reason == "Drainage."


def test_the_due_date_of_several_does_not_move_without_a_reason(world: World) -> None:
    commitment = agree(world)
    confirmation_page = open_confirmation(world.eddie, "due", commitment, agree(world))

    response = confirm(world.eddie, confirmation_page, due_on=in_days(120).isoformat())

    assert response.status_code == 422
    assert set(Commitment.objects.values_list("due_on", flat=True)) == {commitment.due_on}


@pytest.fixture
def overdue_and_later_commitment(world: World) -> list[Commitment]:
    """Create two commitments of Eddie to Ben's council, the first of them three days overdue."""
    overdue_commitment = agree(world)
    later_commitment = agree(world)
    Commitment.objects.filter(pk=overdue_commitment.pk).update(due_on=in_days(-3))
    drop_emails()
    return [overdue_commitment, later_commitment]


def test_an_owner_is_reminded_of_several_commitments_in_one_email(
    world: World, overdue_and_later_commitment: list[Commitment]
) -> None:
    confirmation_page = open_confirmation(world.ben, "remind", *overdue_and_later_commitment)

    confirm(world.ben, confirmation_page)

    [email] = deliver()
    assert email.to == [world.eddie.email]
    assert "This is a reminder from" in email.body
    assert email.body.count("overdue by 3 days") == 1


def test_an_owner_is_not_reminded_twice_in_a_day(world: World, overdue_and_later_commitment: list[Commitment]) -> None:
    confirmation_page = open_confirmation(world.ben, "remind", *overdue_and_later_commitment)
    confirm(world.ben, confirmation_page)

    response_to_second_reminder = confirm(world.ben, confirmation_page)

    assert "was reminded within the last day" in response_to_second_reminder.content.decode()
    assert len(deliver()) == 1


def test_the_confirmation_does_not_name_rows_that_the_reader_cannot_see(world: World) -> None:
    commitment = agree(world)

    confirmation_page = open_confirmation(world.chidi, "assign", commitment)

    assert commitment.text not in confirmation_page.content.decode()


def test_somebody_who_may_only_read_a_row_cannot_change_it(world: World) -> None:
    commitment = agree(world)
    confirmation_page = open_confirmation(world.ben, "assign", commitment)

    response = confirm(world.ben, confirmation_page, owner=world.ben.pk)

    assert "Change the owner: 0 commitments" in " ".join(confirmation_page.content.decode().split())
    assert response.status_code == 422
    commitment.refresh_from_db()
    assert commitment.owner == world.eddie


#: Choose every row that matches the filters, on all pages of the list.
ALL_AGREED = {"all": "1", "status": "agreed"}


@pytest.fixture
def three_agreed_commitments(world: World) -> list[Commitment]:
    """Create three agreed commitments, and a proposed one."""
    propose(world)
    return [agree(world, text=f"Homes {count}.") for count in (1, 2, 3)]


def test_all_rows_that_match_are_changed(world: World, three_agreed_commitments: list[Commitment]) -> None:
    confirmation_page = open_confirmation(world.amina, "assign", **ALL_AGREED)

    confirm(world.amina, confirmation_page, owner=world.vera.pk)

    assert set(Commitment.objects.filter(owner=world.vera)) == set(three_agreed_commitments)


def test_only_some_rows_can_be_changed_at_once(
    world: World, three_agreed_commitments: list[Commitment], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("partnerships.lists.services.MAX_CHANGED", 2)

    response = open_confirmation(world.amina, "assign", **ALL_AGREED)

    assert "You can change at most 2 rows at once" in response.content.decode()


def test_a_row_must_be_chosen_first(world: World, three_agreed_commitments: list[Commitment]) -> None:
    response = open_confirmation(world.amina, "assign")

    assert "Choose at least one row first." in response.content.decode()


@pytest.fixture
def two_asks(world: World) -> list[Entry]:
    """Share two asks of Larkhaven with the partnership, without a closing date."""
    sharing: dict[str, Any] = {"audience": "partnership", "partnership": world.partnership, "closes_on": None}
    asks = [
        shared_entry(world.larkhaven, world.amina, timezone.now(), title=title, **sharing)
        for title in ("Ask for land", "Ask for staff")
    ]
    drop_emails()
    return asks


def test_people_who_owe_answers_are_reminded_of_several_asks_once(world: World, two_asks: list[Entry]) -> None:
    confirmation_page = open_confirmation(world.amina, "remind", *two_asks, kind="asks")

    confirm(world.amina, confirmation_page)

    emails = deliver()
    recipients = [email.to[0] for email in emails]
    assert len(recipients) == len(set(recipients))
    [email_to_ben] = [email for email in emails if email.to == [world.ben.email]]
    assert email_to_ben.subject == f"Reminder from {world.amina.display_name}: please answer 2 asks and offers"


def test_people_who_owe_answers_are_not_reminded_twice_in_a_week(world: World, two_asks: list[Entry]) -> None:
    confirmation_page = open_confirmation(world.amina, "remind", *two_asks, kind="asks")
    confirm(world.amina, confirmation_page)

    response_to_second_reminder = confirm(world.amina, confirmation_page)

    assert "were reminded within the last 7 days" in response_to_second_reminder.content.decode()


def test_a_colleague_becomes_the_facilitator_of_several_asks(world: World, two_asks: list[Entry]) -> None:
    confirmation_page = open_confirmation(world.amina, "assign", *two_asks, kind="asks")

    confirm(world.amina, confirmation_page, person=world.eddie.pk)

    [email] = deliver()
    assert email.to == [world.eddie.email]
    assert email.subject == f"{world.amina.display_name} has named you as the facilitator of 2 asks and offers"


def test_several_asks_get_another_closing_date(world: World, two_asks: list[Entry]) -> None:
    confirmation_page = open_confirmation(world.eddie, "due", *two_asks, kind="asks")

    confirm(world.eddie, confirmation_page, closes_on=in_days(90).isoformat())

    assert set(Entry.objects.values_list("closes_on", flat=True)) == {in_days(90)}


def test_the_closing_date_of_several_asks_cannot_be_in_the_past(world: World, two_asks: list[Entry]) -> None:
    confirmation_page = open_confirmation(world.eddie, "due", *two_asks, kind="asks")

    response = confirm(world.eddie, confirmation_page, closes_on=in_days(-1).isoformat())

    assert response.status_code == 422
    assert "The closing date cannot be in the past. Choose a later date." in response.content.decode()
    assert f'value="{long_date(in_days(-1))}"' in response.content.decode()


def test_other_parties_cannot_change_the_closing_date_of_asks(world: World, two_asks: list[Entry]) -> None:
    confirmation_page = open_confirmation(world.ben, "due", *two_asks, kind="asks")

    assert (
        "Only editors and leads of the organisation that shared these asks and offers can change them."
        in confirmation_page.content.decode()
    )


def test_the_chosen_rows_alone_are_downloaded(world: World) -> None:
    cottages = agree(world, text="Cottages.")
    agree(world, text="Bungalows.")

    response = open_confirmation(world.ben, "csv", cottages)

    [_headings, row] = b"".join(response.streaming_content).decode().splitlines()
    assert "Cottages." in row


def test_rows_that_the_person_follows_already_are_left_out(world: World) -> None:
    followed_commitment = agree(world)
    new_commitment = agree(world)
    confirm(world.ben, open_confirmation(world.ben, "follow", followed_commitment))
    confirmation_page = open_confirmation(world.ben, "follow", followed_commitment, new_commitment)

    confirm(world.ben, confirmation_page)

    assert "You already follow what these rows are about." in confirmation_page.content.decode()
    subscriptions = Subscription.objects.confirmed().filter(person=world.ben, commitment__isnull=False)
    assert set(subscriptions.values_list("commitment", flat=True)) == {followed_commitment.pk, new_commitment.pk}


def test_plans_of_several_milestones_are_followed_each_once(world: World) -> None:
    plan = published_plan(world)
    milestones = Milestone.objects.visible_to(world.ben)
    confirmation_page = open_confirmation(world.ben, "follow", *milestones, kind="milestones")

    confirm(world.ben, confirmation_page)

    assert (
        "You also chose another row of the same plan, partnership or organisation."
        in confirmation_page.content.decode()
    )
    assert Subscription.objects.confirmed().filter(person=world.ben, plan=plan).exists()


def test_partnerships_and_organisations_of_contacts_are_followed_each_once(world: World) -> None:
    posts = [create_post_of(world, role) for role in ("lead", "finance")]
    posts.append(create_post_of(world, "lead", organisation=world.westmarch))
    posts.append(create_post_of(world, "lead", organisation=world.westmarch, partnership=None))
    holders = [fill(post, world.ben if post.organisation == world.westmarch else world.amina) for post in posts]
    confirmation_page = open_confirmation(world.ben, "follow", *holders, kind="contacts")

    confirm(world.ben, confirmation_page)

    assert confirmation_page.content.decode().count("You also chose another row of the same") == 1
    subscriptions = Subscription.objects.confirmed().filter(person=world.ben)
    assert set(subscriptions.values_list("partnership", "organisation")) == {
        (world.partnership.pk, None),
        (None, world.westmarch.pk),
    }


class ChosenRecommendations(NamedTuple):
    """Four chosen recommendations. Larkhaven can give the first two an owner and a review date."""

    unanswered: Recommendation
    under_way: Recommendation
    done: Recommendation
    addressed_to_councils: Recommendation


@pytest.fixture
def chosen_recommendations(world: World) -> ChosenRecommendations:
    """Make recommendations with different responses of Larkhaven, and one that is not addressed to it."""
    unanswered, under_way, done = (make_recommendation(world, words) for words in ("Meet.", "Publish.", "Count."))
    answer_recommendation(under_way, world.larkhaven, world.eddie, "under_way", reason="We publish.", note="By May.")
    answer_recommendation(done, world.larkhaven, world.eddie, "done")
    addressed_to_councils = make_recommendation(world, "Build.", kinds=(Kind.COUNCIL,))
    return ChosenRecommendations(unanswered, under_way, done, addressed_to_councils)


def test_the_confirmation_says_which_recommendations_have_another_addressee(
    world: World, chosen_recommendations: ChosenRecommendations
) -> None:
    confirmation_page = open_confirmation(world.eddie, "assign", *chosen_recommendations, kind="recommendations")

    refusal = "These recommendations are not addressed to your organisation, so you cannot respond to them."
    assert refusal in confirmation_page.content.decode()


def test_several_recommendations_need_an_owner(world: World, chosen_recommendations: ChosenRecommendations) -> None:
    confirmation_page = open_confirmation(world.eddie, "assign", *chosen_recommendations, kind="recommendations")

    response = confirm(world.eddie, confirmation_page, organisation=world.larkhaven.pk)

    assert response.status_code == 422


def test_several_recommendations_get_an_owner_for_their_review_date(
    world: World, chosen_recommendations: ChosenRecommendations
) -> None:
    confirmation_page = open_confirmation(world.eddie, "assign", *chosen_recommendations, kind="recommendations")
    fields = {"organisation": world.larkhaven.pk, "owner": world.vera.pk, "review_on": in_days(30).isoformat()}

    list_page = confirm(world.eddie, confirmation_page, **fields).content.decode()

    assert "2 recommendations: the owner and the review date have been saved" in list_page
    assert f"The response of {world.larkhaven.display_name} is done, so you do not need to review it." in list_page
    responses = Response.objects.filter(owner=world.vera, review_on=in_days(30))
    assert set(responses.values_list("recommendation", "status", "reason", "note")) == {
        (chosen_recommendations.unanswered.pk, "not_started", "", ""),
        (chosen_recommendations.under_way.pk, "under_way", "We publish.", "By May."),
    }


def test_a_viewer_cannot_give_recommendations_an_owner(
    world: World, chosen_recommendations: ChosenRecommendations
) -> None:
    confirmation_page = open_confirmation(
        world.vera, "assign", chosen_recommendations.unanswered, kind="recommendations"
    )

    assert "Only editors and leads can change these recommendations." in confirmation_page.content.decode()


@pytest.mark.parametrize(
    ("list_slug", "fields"),
    [
        pytest.param("commitments", {"action": "burn"}, id="unknown action"),
        pytest.param("nothing", {"action": "csv"}, id="unknown list"),
        pytest.param("commitments", {"action": "csv", "rows": "none"}, id="rows that are no numbers"),
    ],
)
def test_an_action_on_something_unknown_is_not_found(world: World, list_slug: str, fields: dict[str, str]) -> None:
    response = signed_in(world.ben).get(reverse(ADDRESS, args=[list_slug]), fields)

    assert response.status_code == 404


def test_a_download_of_rows_that_are_no_numbers_is_not_found(world: World) -> None:
    export_url = reverse("lists:export", args=["commitments", "csv"])

    response = signed_in(world.ben).get(export_url, {"action": "csv", "rows": "none"})

    assert response.status_code == 404
