"""Lines of a handover are proposed, emailed and answered, and each side reads only what concerns it."""

from __future__ import annotations

import datetime as dt
from typing import Any, NamedTuple

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from partnerships.agreements.services import create_post
from partnerships.commitments.models import Commitment
from partnerships.kit.dates import known_day, long_date
from partnerships.organisations import services
from partnerships.organisations.emails import write_handover_proposed
from partnerships.organisations.holding_counts import count_undecided
from partnerships.organisations.models import Handover, Membership, Role, Succession
from partnerships.organisations.services import ties_between
from partnerships.outbox.content import Content
from partnerships.outbox.models import Email
from partnerships.people.models import User
from partnerships.plans.models import Plan
from partnerships.plans.services import create_plan
from partnerships.work.queries import tasks_of_person
from tests.commitments.promises import agree
from tests.organisations.handing_over import (
    accept_lines,
    create_council,
    division,
    propose_lines,
    record_absorption,
    record_merger,
    split_of_westmarch,
    take_effect,
    task_names,
)
from tests.support.moments import today
from tests.support.signing_in import signed_in
from tests.world import World

#: Emails about proposals wait for a quarter of an hour, because more lines may be proposed.
EMAIL_DELAY = dt.timedelta(minutes=16)
#: How long the successor has to answer.
DUE_IN = dt.timedelta(9)


class ProposedLines(NamedTuple):
    """A succession in thirty days with two proposed lines, for a commitment and for a partnership."""

    succession: Succession
    commitment: Commitment
    proposed_at: dt.datetime

    def email(self) -> Any:
        """Return the only email about these lines."""
        return Email.objects.get(kind="organisations.handover_proposed")


@pytest.fixture
def proposed_lines(world: World) -> ProposedLines:
    """Propose that Harbour takes over a commitment and a partnership of Westmarch."""
    commitment = agree(world)
    succession = record_merger(world, days=30)
    now = timezone.now()
    propose_lines(world, succession, "commitments", commitment.pk, due_on=today() + DUE_IN)
    propose_lines(world, succession, "partnerships", world.partnership.pk, due_on=today() + DUE_IN)
    return ProposedLines(succession, commitment, now)


def test_no_email_is_sent_while_more_lines_may_be_proposed(proposed_lines: ProposedLines) -> None:
    email_count = services.email_proposals(now=proposed_lines.proposed_at)

    assert email_count == 0


def test_leads_of_the_successor_get_one_email_about_all_proposed_lines(
    world: World, proposed_lines: ProposedLines
) -> None:
    email_count = services.email_proposals(now=proposed_lines.proposed_at + EMAIL_DELAY)

    assert email_count == 1
    assert proposed_lines.email().person_id == world.hana.pk


def test_proposed_lines_are_emailed_once(proposed_lines: ProposedLines) -> None:
    services.email_proposals(now=proposed_lines.proposed_at + EMAIL_DELAY)

    email_count = services.email_proposals(now=proposed_lines.proposed_at + EMAIL_DELAY)

    assert email_count == 0


def test_email_about_proposed_lines_counts_the_records_and_names_none(
    world: World, proposed_lines: ProposedLines
) -> None:
    services.email_proposals(now=proposed_lines.proposed_at + EMAIL_DELAY)

    content = write_handover_proposed(proposed_lines.email(), world.hana, proposed_lines.proposed_at)

    assert isinstance(content, Content)
    text = content.render().text
    due_date = long_date(today() + DUE_IN)
    assert "asks your organisation to take over 2 records" in text
    assert f"2 records from Westmarch Borough Council, with 60 homes. Please answer by {due_date}." in text
    assert reverse("organisations:handover-answer", args=[proposed_lines.succession.pk]) in text
    assert proposed_lines.commitment.text not in text


@pytest.fixture
def lines_proposed_again(world: World, proposed_lines: ProposedLines) -> ProposedLines:
    """Propose one of the lines again after both were emailed, while Harbour has no lead."""
    services.email_proposals(now=proposed_lines.proposed_at + EMAIL_DELAY)
    Membership.objects.filter(organisation=world.harbour, person=world.hana).update(role=Role.EDITOR)
    propose_lines(world, proposed_lines.succession, "commitments", proposed_lines.commitment.pk)
    return proposed_lines


def test_lines_proposed_again_are_not_emailed_while_the_successor_has_no_lead(
    lines_proposed_again: ProposedLines,
) -> None:
    email_count = services.email_proposals(now=lines_proposed_again.proposed_at + 2 * EMAIL_DELAY)

    assert email_count == 0


def test_lines_proposed_again_are_emailed_again_once_the_successor_has_a_lead(
    world: World, lines_proposed_again: ProposedLines
) -> None:
    services.email_proposals(now=lines_proposed_again.proposed_at + 2 * EMAIL_DELAY)
    Membership.objects.filter(organisation=world.harbour, person=world.hana).update(role=Role.LEAD)

    email_count = services.email_proposals(now=lines_proposed_again.proposed_at + 2 * EMAIL_DELAY)

    assert email_count == 1


@pytest.mark.usefixtures("proposed_lines")
def test_administrators_invite_a_lead_for_a_successor_that_has_none(world: World) -> None:
    Membership.objects.filter(organisation=world.harbour, person=world.hana).update(role=Role.EDITOR)

    tasks = task_names(world, world.dee)

    assert "Invite a lead to answer handover lines" in tasks


def test_email_about_proposed_lines_is_not_sent_once_all_are_accepted(
    world: World, proposed_lines: ProposedLines
) -> None:
    services.email_proposals(now=proposed_lines.proposed_at + EMAIL_DELAY)
    accept_lines(world, proposed_lines.succession)

    reason = write_handover_proposed(proposed_lines.email(), world.hana, proposed_lines.proposed_at)

    assert str(reason).startswith("All handover lines")


@pytest.fixture
def two_proposed_handovers(world: World) -> dt.datetime:
    """Propose lines of two successions, and return the moment from which they are emailed.

    Harbour and Tidewater, which has no lead, are to share a commitment. Larkhaven is to take over a post of Riverside.
    """
    now = timezone.now()
    Membership.objects.filter(organisation=world.tidewater, role=Role.LEAD).update(role=Role.EDITOR)
    division(world)
    post = create_post(organisation=world.riverside, role="finance", author=world.nadia, now=now)
    propose_lines(
        world,
        record_absorption(world.riverside, world.larkhaven, days=30),
        "posts",
        post.pk,
        predecessor=world.riverside,
        successor=world.larkhaven,
        author=None,
    )
    return now + EMAIL_DELAY


def recipients_of_proposals() -> set[int | None]:
    """Return the ids of the people who were emailed about proposed lines."""
    emails = Email.objects.filter(kind="organisations.handover_proposed")
    return set(emails.values_list("person_id", flat=True))


def test_a_shared_line_is_not_emailed_while_a_successor_has_no_lead(
    world: World, two_proposed_handovers: dt.datetime
) -> None:
    services.email_proposals(now=two_proposed_handovers)

    assert recipients_of_proposals() == {world.amina.pk}


def test_a_shared_line_is_emailed_once_every_successor_has_a_lead(
    world: World, two_proposed_handovers: dt.datetime
) -> None:
    services.email_proposals(now=two_proposed_handovers)
    Membership.objects.filter(organisation=world.tidewater, person=world.chidi).update(role=Role.LEAD)

    email_count = services.email_proposals(now=two_proposed_handovers)

    assert email_count == 2
    assert recipients_of_proposals() == {world.amina.pk, world.hana.pk, world.chidi.pk}


def handover_page(person: User, succession: Succession) -> str:
    """Return the page about who takes over what, as a person sees it."""
    return signed_in(person).get(reverse("organisations:handover", args=[succession.pk])).content.decode()


def test_leads_of_the_predecessor_do_not_read_what_the_successor_has_today(
    world: World, proposed_lines: ProposedLines
) -> None:
    page = handover_page(world.ben, proposed_lines.succession)

    assert "Takes over" in page
    assert "Has today" not in page


@pytest.mark.parametrize("reader", ["hana", "dee"])
def test_leads_of_the_successor_and_administrators_read_what_the_successor_has_today(
    world: World, proposed_lines: ProposedLines, reader: str
) -> None:
    page = handover_page(getattr(world, reader), proposed_lines.succession)

    assert "Takes over" in page
    assert "Has today" in page


def count_queries_to_propose(world: World, succession: Succession, *records: int) -> int:
    """Propose that two successors share these commitments, and return the number of SQL queries."""
    with CaptureQueriesContext(connection) as captured:
        propose_lines(world, succession, "commitments", *records, sharing="jointly", others=[world.tidewater])
    return len(captured)


def test_many_shared_lines_are_proposed_in_as_many_queries_as_one(world: World) -> None:
    succession = split_of_westmarch(world)
    one_record = agree(world).pk
    four_records = [agree(world).pk for _ in range(4)]

    query_count_for_one = count_queries_to_propose(world, succession, one_record)
    query_count_for_four = count_queries_to_propose(world, succession, *four_records)

    assert query_count_for_one == query_count_for_four
    assert succession.handovers.filter(others=world.tidewater).count() == 5


def test_lines_to_a_body_that_is_no_longer_a_successor_are_deleted(world: World) -> None:
    promise = agree(world)
    succession = record_merger(world)
    propose_lines(world, succession, "commitments", promise.pk)
    accept_lines(world, succession)

    services.correct_succession(
        succession=succession,
        ties=ties_between([world.westmarch], [world.tidewater]),
        reason="The order names another.",
        author=None,
        now=timezone.now(),
    )

    take_effect(succession)

    promise.refresh_from_db()
    assert not Handover.objects.exists()
    assert promise.receiver == world.westmarch


@pytest.fixture
def disputed_line(world: World) -> Handover:
    """Return a line for a commitment of Westmarch in a merger in thirty days, which Harbour disputes."""
    succession = record_merger(world, days=30)
    propose_lines(world, succession, "commitments", agree(world).pk)
    accept_lines(world, succession, accept=False, reason="It is the county's.")
    return Handover.objects.get()


def test_disputing_a_line_makes_its_record_undecided_again(world: World) -> None:
    succession = record_merger(world, days=30)
    propose_lines(world, succession, "commitments", agree(world).pk)
    undecided_before = count_undecided(succession, world.westmarch, today())

    accept_lines(world, succession, accept=False, reason="It is the county's.")

    assert count_undecided(succession, world.westmarch, today()) == undecided_before + 1


def test_predecessor_sees_why_a_line_is_disputed(world: World, disputed_line: Handover) -> None:
    address = reverse(
        "organisations:handover-propose", args=[disputed_line.succession_id, world.westmarch.pk, "commitments"]
    )

    page = signed_in(world.ben).get(address).content.decode()

    assert "disputed: It is the county" in page


def test_predecessor_proposes_a_disputed_line_again(world: World, disputed_line: Handover) -> None:
    address = reverse(
        "organisations:handover-propose", args=[disputed_line.succession_id, world.westmarch.pk, "commitments"]
    )
    post_fields = {
        "successor": world.harbour.pk,
        "sharing": "alone",
        "records": [disputed_line.record],
        "basis": "Article 5",
    }

    response = signed_in(world.ben).post(address, post_fields)

    line = Handover.objects.get()
    assert response.status_code == 302
    assert line.state == "proposed"
    assert line.basis == "Article 5"
    assert line.dispute == ""


@pytest.fixture
def address_of_three_lines(world: World, monkeypatch: pytest.MonkeyPatch) -> str:
    """Propose three lines to Harbour, and return the address of its page, which shows two lines at a time."""
    monkeypatch.setattr("partnerships.organisations.views.handovers.MAX_LINES_ON_PAGE", 2)
    succession = record_merger(world, days=30)
    posts = [
        create_post(organisation=world.westmarch, role="finance", title=title, author=world.ben, now=timezone.now()).pk
        for title in ("First", "Second", "Third")
    ]
    propose_lines(world, succession, "posts", *posts)
    return reverse("organisations:handover-answer", args=[succession.pk])


def test_successor_is_told_how_many_lines_the_page_does_not_show(world: World, address_of_three_lines: str) -> None:
    page = signed_in(world.hana).get(address_of_three_lines).content.decode()

    assert page.count('name="lines"') == 2
    assert "All 3, including those that are not shown" in page


def test_successor_must_choose_lines_to_answer(world: World, address_of_three_lines: str) -> None:
    response = signed_in(world.hana).post(address_of_three_lines, {"answer": "accept"})

    assert response.status_code == 422
    assert set(Handover.objects.values_list("state", flat=True)) == {"proposed"}


def test_successor_accepts_all_lines_also_those_that_the_page_does_not_show(
    world: World, address_of_three_lines: str
) -> None:
    response = signed_in(world.hana).post(address_of_three_lines, {"answer": "accept", "everything": "on"})

    assert response.status_code == 302
    assert set(Handover.objects.values_list("state", flat=True)) == {"accepted"}


@pytest.fixture
def merger_in_force(world: World) -> Succession:
    """Return a merger in force that passed on a post of Westmarch; Westmarch still has a commitment."""
    agree(world)
    succession = record_merger(world)
    post = create_post(organisation=world.westmarch, role="finance", author=world.ben, now=timezone.now())
    propose_lines(world, succession, "posts", post.pk)
    accept_lines(world, succession)
    take_effect(succession)
    return succession


@pytest.mark.usefixtures("merger_in_force")
def test_leads_are_emailed_what_was_handed_over_and_how_much_is_left(world: World) -> None:
    emails = Email.objects.filter(kind="organisations.handed_over")

    assert set(emails.values_list("person_id", flat=True)) == {world.ben.pk, world.hana.pk}
    # Westmarch still has a partnership, a commitment and Ben's membership.
    assert emails[0].params["waiting"] == {str(world.westmarch.pk): 3}


def test_a_line_accepted_after_the_day_is_applied_without_a_second_email(
    world: World, merger_in_force: Succession
) -> None:
    propose_lines(world, merger_in_force, "commitments", Commitment.objects.get().pk)
    line = Handover.objects.get(kind="commitments")
    services.answer_handovers(lines=[line], accept=True, author=world.hana, now=timezone.now())

    services.hand_over_due(now=timezone.now())

    line.refresh_from_db()
    assert line.state == "applied"
    assert Email.objects.filter(kind="organisations.handed_over").count() == 2


def test_viewers_can_open_the_page_of_a_succession_that_emails_link_to(
    world: World, merger_in_force: Succession
) -> None:
    response = signed_in(world.vera).get(reverse("organisations:succession", args=[merger_in_force.pk]))

    assert response.status_code == 200


@pytest.fixture
def merger_to_prepare(world: World) -> Succession:
    """Return a merger in thirty days, with a commitment to Westmarch for which no line is proposed."""
    agree(world)
    return record_merger(world, days=30)


def propose_url(world: World, succession: Succession, kind: str) -> str:
    """Return the page on which records of Westmarch are proposed."""
    return reverse("organisations:handover-propose", args=[succession.pk, world.westmarch.pk, kind])


@pytest.mark.parametrize("reader", ["ben", "hana"])
def test_leads_of_both_sides_find_the_handover_of_a_succession(
    world: World, merger_to_prepare: Succession, reader: str
) -> None:
    address = reverse("organisations:succession", args=[merger_to_prepare.pk])

    page = signed_in(getattr(world, reader)).get(address).content.decode()

    assert reverse("organisations:handover", args=[merger_to_prepare.pk]) in page


def test_the_predecessors_lead_finds_links_to_propose(world: World, merger_to_prepare: Succession) -> None:
    page = handover_page(world.ben, merger_to_prepare)

    assert propose_url(world, merger_to_prepare, "commitments") in page


def test_the_successors_lead_finds_no_links_to_propose(world: World, merger_to_prepare: Succession) -> None:
    page = handover_page(world.hana, merger_to_prepare)

    assert propose_url(world, merger_to_prepare, "commitments") not in page


@pytest.fixture
def draft_of_westmarch(world: World) -> Plan:
    """Return Secret Quay, a plan of Westmarch that has no published version."""
    return create_plan(
        owners=[world.westmarch],
        partnership=None,
        title="Secret Quay",
        kind="housing_strategy",
        audience="owners",
        author=world.ben,
        now=timezone.now(),
    )


@pytest.mark.usefixtures("draft_of_westmarch")
def test_predecessors_people_see_titles_of_drafts_to_hand_over(world: World) -> None:
    address = propose_url(world, record_merger(world, days=30), "plans")

    page = signed_in(world.ben).get(address).content.decode()

    assert "Secret Quay" in page


@pytest.mark.usefixtures("draft_of_westmarch")
def test_administrators_do_not_see_titles_of_drafts_to_hand_over(world: World) -> None:
    address = propose_url(world, record_merger(world, days=30), "plans")

    page = signed_in(world.dee).get(address).content.decode()

    assert "Secret Quay" not in page


def test_successors_people_see_neither_names_nor_titles_of_drafts_before_the_day(
    world: World, draft_of_westmarch: Plan
) -> None:
    succession = record_merger(world, days=30)
    membership = Membership.objects.get(person=world.ben)
    propose_lines(world, succession, "people", membership.pk, author=None)
    propose_lines(world, succession, "plans", draft_of_westmarch.pk, author=None)
    address = reverse("organisations:handover-answer", args=[succession.pk])

    page = signed_in(world.hana).get(address).content.decode()

    assert f"Lead {membership.pk}" in page
    assert "Ben West" not in page
    assert f"Plan {draft_of_westmarch.pk}" in page
    assert "Secret Quay" not in page


@pytest.mark.usefixtures("merger_to_prepare")
def test_administrators_leave_the_task_to_the_leads_of_the_body(world: World) -> None:
    tasks = task_names(world, world.dee)

    assert "Say who takes over" not in tasks


@pytest.mark.usefixtures("merger_to_prepare")
def test_administrators_have_the_task_if_the_body_has_no_lead(world: World) -> None:
    Membership.objects.filter(person=world.ben).update(ends_on=today())

    tasks = task_names(world, world.dee)

    assert "Say who takes over" in tasks


@pytest.mark.usefixtures("merger_to_prepare")
def test_leads_of_the_successor_do_not_have_the_task_if_the_body_has_no_lead(world: World) -> None:
    Membership.objects.filter(person=world.ben).update(ends_on=today())

    tasks = task_names(world, world.hana)

    assert "Say who takes over" not in tasks


def test_administrators_have_one_task_for_all_bodies_without_a_lead(world: World) -> None:
    first_council = create_council("One Council")
    second_council = create_council("Two Council")
    successor = create_council("New Council")
    create_post(organisation=first_council, role="finance", author=None, now=timezone.now())
    create_post(organisation=second_council, role="finance", author=None, now=timezone.now())
    services.record_succession(
        kind="merge",
        status="order_made",
        vests_on=known_day(today() + dt.timedelta(days=30)),
        ties=ties_between([first_council, second_council], [successor]),
        author=None,
        now=timezone.now(),
    )

    tasks = tasks_of_person(world.dee, timezone.now())

    [task] = [task for task in tasks if task.action == "Say who takes over"]
    assert task.title == "1 record of One Council, and perhaps records of 1 other organisation without a lead"
