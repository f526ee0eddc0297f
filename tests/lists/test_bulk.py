"""People change several rows of a list at once, without JavaScript."""

from __future__ import annotations

from typing import Any

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
from partnerships.recommendations.models import Response
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


def test_several_get_a_new_owner_who_hears_of_it_once(world: World) -> None:
    first = agree(world, text="Cottages.")
    second = agree(world, text="Bungalows.")
    ended_commitment = end_commitment(
        commitment=agree(world, text="Flats."), reason="Over.", author=world.amina, now=timezone.now()
    )
    commitment_of_westmarch = agree(
        world, text="Land.", giver=world.westmarch, receiver=world.larkhaven, owner=world.ben
    )
    drop_emails()

    page = open_confirmation(
        world.amina, "assign", first, second, ended_commitment, commitment_of_westmarch, status="agreed"
    )
    text = " ".join(page.content.decode().split())
    list_page = confirm(world.amina, page, owner=world.vera.pk)

    assert "Change the owner: 2 commitments" in text
    assert "2 left out" in text
    assert "These commitments have ended, so you can no longer change their owner." in text
    assert "Only editors and leads of the organisation that made the promise can change these commitments." in text
    assert set(Commitment.objects.filter(owner=world.vera)) == {first, second}
    assert "2 commitments: the owner has been changed" in list_page.content.decode()
    assert list_page.redirect_chain[-1][0] == f"{reverse('commitments:list')}?status=agreed"
    (email,) = deliver()
    assert email.to == [world.vera.email]
    assert email.subject == f"{world.amina.display_name} has made you the owner of 2 commitments"
    assert "Cottages." in email.body
    assert "Bungalows." in email.body


def test_who_owns_a_commitment_already_is_not_told_of_it_again(world: World) -> None:
    first = agree(world, text="Cottages.")
    second = agree(world, text="Bungalows.")
    change_owner(commitment=first, owner=world.vera, author=world.amina, now=timezone.now())
    drop_emails()

    list_page = confirm(world.amina, open_confirmation(world.amina, "assign", first, second), owner=world.vera.pk)

    assert "1 commitment: the owner has been changed" in list_page.content.decode()
    refusal = f"{world.vera.display_name} already owns these commitments. Choose another person."
    assert refusal in list_page.content.decode()
    (email,) = deliver()
    assert "Bungalows." in email.body
    assert "Cottages." not in email.body


def test_the_page_that_asks_first_costs_the_same_for_one_row_and_for_several(world: World) -> None:
    commitments = [agree(world) for _ in range(3)]
    client = signed_in(world.amina)
    address = reverse(ADDRESS, args=["commitments"])

    def count_queries(rows: list[Commitment]) -> int:
        fields = {"action": "remind", "rows": ",".join(str(row.pk) for row in rows)}
        client.get(address, fields)
        with CaptureQueriesContext(connection) as captured:
            client.get(address, fields)
        return len(captured)

    assert count_queries(commitments[:1]) == count_queries(commitments)


def test_the_due_date_of_several_moves_with_one_reason(world: World) -> None:
    first = agree(world)
    second = agree(world)
    page = open_confirmation(world.eddie, "due", first, second)

    incomplete = confirm(world.eddie, page, due_on=in_days(120).isoformat())
    confirm(world.eddie, page, due_on=in_days(120).isoformat(), reason="Drainage.")

    assert incomplete.status_code == 422
    assert [commitment.due_on for commitment in Commitment.objects.all()] == [in_days(120)] * 2
    assert [commitment.slippages.get().reason for commitment in Commitment.objects.all()] == ["Drainage."] * 2


def test_owners_are_reminded_once_a_day_in_one_email(world: World) -> None:
    first = agree(world)
    second = agree(world)
    Commitment.objects.filter(pk=first.pk).update(due_on=in_days(-3))
    drop_emails()

    page = open_confirmation(world.ben, "remind", first, second)
    confirm(world.ben, page)
    page_after_second_reminder = confirm(world.ben, page).content.decode()

    (email,) = deliver()
    assert email.to == [world.eddie.email]
    assert "This is a reminder from" in email.body
    assert email.body.count("overdue by 3 days") == 1
    assert "was reminded within the last day" in page_after_second_reminder


def test_nobody_changes_what_they_may_not_see_or_may_only_read(world: World) -> None:
    promise = agree(world)

    page_of_stranger = open_confirmation(world.chidi, "assign", promise)
    page_of_partner = open_confirmation(world.ben, "assign", promise)
    response = confirm(world.ben, page_of_partner, owner=world.ben.pk)

    assert promise.text not in page_of_stranger.content.decode()
    assert "Change the owner: 0 commitments" in " ".join(page_of_partner.content.decode().split())
    assert response.status_code == 422
    promise.refresh_from_db()
    assert promise.owner == world.eddie


def test_all_that_match_are_chosen_on_all_pages_up_to_a_limit(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    agreed = [agree(world, text=f"Homes {number}.") for number in range(3)]
    propose(world)
    all_agreed = {"all": "1", "status": "agreed"}

    page = open_confirmation(world.amina, "assign", **all_agreed)
    confirm(world.amina, page, owner=world.vera.pk)
    monkeypatch.setattr("partnerships.lists.services.MAX_CHANGED", 2)
    page_with_too_many = open_confirmation(world.amina, "assign", **all_agreed)
    page_without_rows = open_confirmation(world.amina, "assign")

    assert set(Commitment.objects.filter(owner=world.vera)) == set(agreed)
    assert "You can change at most 2 rows at once" in page_with_too_many.content.decode()
    assert "Choose at least one row first." in page_without_rows.content.decode()


def test_those_who_owe_answers_are_reminded_once_and_a_colleague_helps_along(world: World) -> None:
    sharing: dict[str, Any] = {"audience": "partnership", "partnership": world.partnership, "closes_on": None}
    first, second = (
        shared_entry(world.larkhaven, world.amina, timezone.now(), title=f"Ask {one}", **sharing) for one in "AB"
    )
    drop_emails()

    page = open_confirmation(world.amina, "remind", first, second, kind="asks")
    confirm(world.amina, page)
    page_after_second_reminder = confirm(world.amina, page).content.decode()
    reminder_emails = [(email.to, email.subject) for email in deliver()]
    drop_emails()
    confirm(world.amina, open_confirmation(world.amina, "assign", first, second, kind="asks"), person=world.eddie.pk)
    emails_to_facilitator = [(email.to, email.subject) for email in deliver()][len(reminder_emails) :]

    assert (
        [world.ben.email],
        f"Reminder from {world.amina.display_name}: please answer 2 asks and offers",
    ) in reminder_emails
    assert len(reminder_emails) == len({to for (to,), _ in reminder_emails})
    assert "were reminded within the last 7 days" in page_after_second_reminder
    assert emails_to_facilitator == [
        ([world.eddie.email], f"{world.amina.display_name} has named you as the facilitator of 2 asks and offers")
    ]


def test_several_asks_get_another_closing_date(world: World) -> None:
    sharing: dict[str, Any] = {"audience": "partnership", "partnership": world.partnership}
    first, second = (
        shared_entry(world.larkhaven, world.amina, timezone.now(), title=f"Ask {one}", **sharing) for one in "AB"
    )
    page = open_confirmation(world.eddie, "due", first, second, kind="asks")

    refused_page = confirm(world.eddie, page, closes_on=in_days(-1).isoformat())
    confirm(world.eddie, page, closes_on=in_days(90).isoformat())
    page_of_partner = open_confirmation(world.ben, "due", first, kind="asks").content.decode()

    assert refused_page.status_code == 422
    assert "The closing date cannot be in the past. Choose a later date." in refused_page.content.decode()
    assert f'value="{long_date(in_days(-1))}"' in refused_page.content.decode()
    assert set(Entry.objects.values_list("closes_on", flat=True)) == {in_days(90)}
    assert (
        "Only editors and leads of the organisation that shared these asks and offers can change them."
        in page_of_partner
    )


def test_the_chosen_rows_alone_are_downloaded(world: World) -> None:
    first = agree(world, text="Cottages.")
    _ = agree(world, text="Bungalows.")

    file = open_confirmation(world.ben, "csv", first)

    lines = b"".join(file.streaming_content).decode().splitlines()
    assert len(lines) == 2
    assert "Cottages." in lines[1]


def test_several_are_followed_and_those_followed_already_are_left_out(world: World) -> None:
    first = agree(world)
    second = agree(world)
    confirm(world.ben, open_confirmation(world.ben, "follow", first))

    page = open_confirmation(world.ben, "follow", first, second)
    confirm(world.ben, page)

    assert "You already follow what these rows are about." in page.content.decode()
    followed = Subscription.objects.confirmed().filter(person=world.ben, commitment__isnull=False)
    assert set(followed.values_list("commitment", flat=True)) == {first.pk, second.pk}


def test_plans_of_several_milestones_are_followed_each_once(world: World) -> None:
    plan = published_plan(world)

    page = open_confirmation(world.ben, "follow", *Milestone.objects.visible_to(world.ben), kind="milestones")
    confirm(world.ben, page)

    assert "You also chose another row of the same plan, partnership or organisation." in page.content.decode()
    assert Subscription.objects.confirmed().filter(person=world.ben, plan=plan).exists()


def test_partnerships_and_organisations_of_contacts_are_followed_each_once(world: World) -> None:
    posts = [create_post_of(world, role) for role in ("lead", "finance")]
    posts.append(create_post_of(world, "lead", organisation=world.westmarch))
    posts.append(create_post_of(world, "lead", organisation=world.westmarch, partnership=None))
    holders = [fill(post, world.ben if post.organisation == world.westmarch else world.amina) for post in posts]

    page = open_confirmation(world.ben, "follow", *holders, kind="contacts")
    confirm(world.ben, page)

    assert page.content.decode().count("You also chose another row of the same") == 1
    followed = Subscription.objects.confirmed().filter(person=world.ben)
    assert set(followed.values_list("partnership", "organisation")) == {
        (world.partnership.pk, None),
        (None, world.westmarch.pk),
    }


def test_several_recommendations_get_an_owner_and_a_review_date(world: World) -> None:
    unanswered, answered, finished = (make_recommendation(world, words) for words in ("Meet.", "Publish.", "Count."))
    addressed_to_council = make_recommendation(world, "Build.", kinds=(Kind.COUNCIL,))
    answer_recommendation(answered, world.larkhaven, world.eddie, "under_way", reason="We publish.", note="By May.")
    answer_recommendation(finished, world.larkhaven, world.eddie, "done")
    page = open_confirmation(
        world.eddie, "assign", unanswered, answered, finished, addressed_to_council, kind="recommendations"
    )

    incomplete_page = confirm(world.eddie, page, organisation=world.larkhaven.pk)
    fields = {"organisation": world.larkhaven.pk, "owner": world.vera.pk, "review_on": in_days(30).isoformat()}
    list_page = confirm(world.eddie, page, **fields).content.decode()
    page_of_viewer = open_confirmation(world.vera, "assign", unanswered, kind="recommendations").content.decode()

    refusal = "These recommendations are not addressed to your organisation, so you cannot respond to them."
    assert refusal in page.content.decode()
    assert incomplete_page.status_code == 422
    assert "2 recommendations: the owner and the review date have been saved" in list_page
    assert f"The response of {world.larkhaven.display_name} is done, so you do not need to review it." in list_page
    responses = Response.objects.filter(owner=world.vera, review_on=in_days(30)).order_by("pk")
    assert set(responses.values_list("recommendation", "status", "reason", "note")) == {
        (unanswered.pk, "not_started", "", ""),
        (answered.pk, "under_way", "We publish.", "By May."),
    }
    assert "Only editors and leads can change these recommendations." in page_of_viewer


def test_an_action_or_list_that_is_not_there_is_not_found(world: World) -> None:
    client = signed_in(world.ben)

    assert client.get(reverse(ADDRESS, args=["commitments"]), {"action": "burn"}).status_code == 404
    assert client.get(reverse(ADDRESS, args=["nothing"]), {"action": "csv"}).status_code == 404
    for address in (reverse(ADDRESS, args=["commitments"]), reverse("lists:export", args=["commitments", "csv"])):
        assert client.get(address, {"action": "csv", "rows": "none"}).status_code == 404
