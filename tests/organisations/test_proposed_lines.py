"""Lines of a handover are proposed, emailed and answered, and each side reads only what concerns it."""

from __future__ import annotations

import datetime as dt
from typing import Any, NamedTuple

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from partnerships.agreements.services import (
    create_post,
)
from partnerships.commitments.models import Commitment
from partnerships.kit.dates import known_day, long_date
from partnerships.organisations import services
from partnerships.organisations.emails import write_handover_proposed
from partnerships.organisations.holding_counts import count_held, count_undecided
from partnerships.organisations.models import Handover, Membership, Role, Succession
from partnerships.organisations.services import ties_between
from partnerships.outbox.content import Content
from partnerships.outbox.models import Email
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
    for kind, record in (("commitments", commitment.pk), ("partnerships", world.partnership.pk)):
        propose_lines(world, succession, kind, record, due_on=today() + DUE_IN)
    return ProposedLines(succession, commitment, now)


def test_leads_of_the_successor_get_one_email_about_all_proposed_lines(
    world: World, proposed_lines: ProposedLines
) -> None:
    later = proposed_lines.proposed_at + EMAIL_DELAY

    email_counts = [services.email_proposals(now=now) for now in (proposed_lines.proposed_at, later, later)]

    assert email_counts == [0, 1, 0]
    assert proposed_lines.email().person_id == world.hana.pk


def test_email_about_proposed_lines_counts_the_records_and_names_none(
    world: World, proposed_lines: ProposedLines
) -> None:
    services.email_proposals(now=proposed_lines.proposed_at + EMAIL_DELAY)

    content = write_handover_proposed(proposed_lines.email(), world.hana, proposed_lines.proposed_at)

    assert isinstance(content, Content)
    text = content.render().text
    due_date = long_date(today() + DUE_IN)
    assert "asks your organisation to take over 2 records" in text
    assert f"2 records from {world.westmarch.name}, with 60 homes. Please answer by {due_date}." in text
    assert reverse("organisations:handover-answer", args=[proposed_lines.succession.pk]) in text
    assert proposed_lines.commitment.text not in text


def test_lines_proposed_again_are_emailed_again_once_the_successor_has_a_lead(
    world: World, proposed_lines: ProposedLines
) -> None:
    later = proposed_lines.proposed_at + EMAIL_DELAY
    services.email_proposals(now=later)
    membership = Membership.objects.filter(organisation=world.harbour, person=world.hana)
    membership.update(role=Role.EDITOR)
    propose_lines(world, proposed_lines.succession, "commitments", proposed_lines.commitment.pk)

    count_without_lead = services.email_proposals(now=later + EMAIL_DELAY)
    membership.update(role=Role.LEAD)
    count_with_lead = services.email_proposals(now=later + EMAIL_DELAY)

    assert count_without_lead == 0
    assert count_with_lead == 1


def test_administrators_invite_a_lead_for_a_successor_that_has_none(
    world: World, proposed_lines: ProposedLines
) -> None:
    Membership.objects.filter(organisation=world.harbour, person=world.hana).update(role=Role.EDITOR)

    assert "Invite a lead to answer handover lines" in task_names(world, world.dee)


def test_email_about_proposed_lines_is_not_sent_once_all_are_accepted(
    world: World, proposed_lines: ProposedLines
) -> None:
    services.email_proposals(now=proposed_lines.proposed_at + EMAIL_DELAY)

    accept_lines(world, proposed_lines.succession)

    reason = write_handover_proposed(proposed_lines.email(), world.hana, proposed_lines.proposed_at)
    assert str(reason).startswith("All handover lines")


def test_a_line_is_emailed_once_the_organisation_has_a_lead(world: World) -> None:
    now = timezone.now()
    quiet_period = dt.timedelta(minutes=16)
    Membership.objects.filter(organisation=world.tidewater, role=Role.LEAD).update(role=Role.EDITOR)
    division(world)
    post = create_post(organisation=world.riverside, role="finance", author=world.nadia, now=now)
    succession = record_absorption(world.riverside, world.larkhaven, days=30)
    sides_and_author = {"predecessor": world.riverside, "successor": world.larkhaven, "author": None}
    propose_lines(world, succession, "posts", post.pk, **sides_and_author)
    emails = Email.objects.filter(kind="organisations.handover_proposed")

    services.email_proposals(now=now + quiet_period)
    recipients_without_lead = {email.person_id for email in emails.all()}
    Membership.objects.filter(organisation=world.tidewater, person=world.chidi).update(role=Role.LEAD)
    count_with_lead = services.email_proposals(now=now + quiet_period)

    assert recipients_without_lead == {world.amina.pk}
    assert count_with_lead == 2
    assert {email.person_id for email in emails.all()} == {world.amina.pk, world.hana.pk, world.chidi.pk}


def test_leads_of_each_side_read_only_the_totals_that_pass_between_both(world: World) -> None:
    promise = agree(world)
    succession = record_merger(world, days=30)
    propose_lines(world, succession, "commitments", promise.pk)
    client = Client()
    address = reverse("organisations:handover", args=[succession.pk])

    visible_totals = {}
    for reader in (world.ben, world.hana, world.dee):
        client.force_login(reader)
        page = client.get(address).content.decode()
        visible_totals[reader] = ("Takes over" in page, "Has today" in page)

    assert visible_totals == {world.ben: (True, False), world.hana: (True, True), world.dee: (True, True)}


def test_many_shared_lines_are_proposed_in_as_many_queries_as_one(world: World) -> None:
    succession = split_of_westmarch(world)

    def queries(number: int) -> int:
        promises = [agree(world).pk for _ in range(number)]
        with CaptureQueriesContext(connection) as captured:
            propose_lines(world, succession, "commitments", *promises, sharing="jointly", others=[world.tidewater])
        return len(captured)

    assert queries(1) == queries(4)
    assert [list(line.others.all()) for line in succession.handovers.all()] == [[world.tidewater]] * 5


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
    assert emails[0].params["waiting"] == {str(world.westmarch.pk): count_held(world.westmarch, today())}


def test_a_line_accepted_after_the_day_is_applied_without_a_second_email(
    world: World, merger_in_force: Succession
) -> None:
    propose_lines(world, merger_in_force, "commitments", Commitment.objects.get().pk)
    line = Handover.objects.filter(kind="commitments")
    services.answer_handovers(lines=list(line), accept=True, author=world.hana, now=timezone.now())

    services.hand_over_due(now=timezone.now())

    assert line.get().state == "applied"
    assert Email.objects.filter(kind="organisations.handed_over").count() == 2


def test_viewers_can_open_the_page_of_a_succession_that_emails_link_to(
    world: World, merger_in_force: Succession
) -> None:
    response = signed_in(world.vera).get(reverse("organisations:succession", args=[merger_in_force.pk]))

    assert response.status_code == 200


def test_successors_lead_finds_the_handover_but_no_links_to_propose(world: World) -> None:
    agree(world)
    succession = record_merger(world, days=30)
    address = reverse("organisations:handover", args=[succession.pk])
    pages = {}
    for reader in (world.ben, world.hana):
        client = signed_in(reader)
        assert address in client.get(reverse("organisations:succession", args=[succession.pk])).content.decode()
        pages[reader] = client.get(address).content.decode()

    proposing = reverse("organisations:handover-propose", args=[succession.pk, world.westmarch.pk, "commitments"])
    assert proposing in pages[world.ben]
    assert proposing not in pages[world.hana]


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
def test_predecessors_people_see_titles_of_drafts_to_hand_over_administrators_do_not(world: World) -> None:
    succession = record_merger(world, days=30)
    address = reverse("organisations:handover-propose", args=[succession.pk, world.westmarch.pk, "plans"])

    page_of_ben = signed_in(world.ben).get(address).content.decode()
    page_of_dee = signed_in(world.dee).get(address).content.decode()

    assert "Secret Quay" in page_of_ben
    assert "Secret Quay" not in page_of_dee


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
    assert world.ben.display_name not in page
    assert f"Plan {draft_of_westmarch.pk}" in page
    assert "Secret Quay" not in page


def test_administrators_have_the_task_if_the_body_has_no_lead(world: World) -> None:
    agree(world)
    record_merger(world, days=30)
    tasks_with_lead = task_names(world, world.dee)

    Membership.objects.filter(person=world.ben).update(ends_on=today())

    assert "Say who takes over" not in tasks_with_lead
    assert "Say who takes over" in task_names(world, world.dee)
    assert "Say who takes over" not in task_names(world, world.hana)


def test_administrators_have_one_task_for_all_bodies_without_a_lead(world: World) -> None:
    first_council = create_council("One Council")
    second_council = create_council("Two Council")
    successor = create_council("New Council")
    for council in (first_council, second_council):
        create_post(organisation=council, role="finance", author=None, now=timezone.now())
    services.record_succession(
        kind="merge",
        status="order_made",
        vests_on=known_day(today() + dt.timedelta(days=30)),
        ties=ties_between([first_council, second_council], [successor]),
        author=None,
        now=timezone.now(),
    )

    titles = [line.title for line in tasks_of_person(world.dee, timezone.now()) if line.action == "Say who takes over"]

    assert titles == ["1 record of One Council, and perhaps records of 1 other organisation without a lead"]
