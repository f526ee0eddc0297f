"""Handover lines in unusual cases: records that cannot pass, records that changed in the meantime, and failures."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from partnerships.activity.models import Event
from partnerships.agreements.queries.terms import unbound_organisation_ids
from partnerships.agreements.services import (
    answer_invitation,
    ask_joined_parties,
    create_post,
    edit_settings,
    invite_organisation,
    leave_partnership,
)
from partnerships.commitments import services as commitments
from partnerships.commitments.models import Commitment
from partnerships.conversations.models import Conversation
from partnerships.conversations.services import AttendeeInput
from partnerships.kit.dates import known_day, long_date
from partnerships.organisations import services
from partnerships.organisations.emails import write_handover_proposed
from partnerships.organisations.holding_counts import count_held, count_undecided
from partnerships.organisations.models import Handover, Membership, Role
from partnerships.organisations.obligations import held_by
from partnerships.organisations.services import UnableToHandOverLines, ties_between
from partnerships.outbox.content import Content
from partnerships.outbox.models import Email
from partnerships.plans.services import create_plan
from partnerships.work.queries import waiting_for
from tests.commitments.promises import agree
from tests.conversations.gatherings import planned_meeting
from tests.conversations.talks import agree as talk_agree
from tests.conversations.talks import circulated
from tests.organisations.test_handovers import (
    accept_lines,
    create_council,
    division,
    propose_and_accept_everything,
    propose_lines,
    record_absorption,
    record_merger,
    record_undoing,
    take_effect,
    task_names,
)
from tests.support.moments import today
from tests.support.terms import agree_terms
from tests.world import World, join


def test_a_commitment_with_the_successor_stays_with_a_reason(world: World) -> None:
    commitment = agree(world)
    succession = record_absorption(world.westmarch, world.larkhaven)
    propose_lines(world, succession, "commitments", commitment.pk, successor=world.larkhaven)
    accept_lines(world, succession, author=world.amina)
    take_effect(succession)

    commitment.refresh_from_db()
    line = Handover.objects.get()
    assert (commitment.giver, commitment.receiver) == (world.larkhaven, world.westmarch)
    assert (line.state, line.applied_at) == ("stayed", None)
    assert "between the two organisations" in line.dispute
    assert not Event.objects.filter(kind="organisation.passed_on", target_kind="commitment").exists()
    with pytest.raises(UnableToHandOverLines, match="already answered"):
        services.answer_handovers(lines=[line], accept=True, author=world.amina, now=timezone.now())
    emails = Email.objects.filter(kind="organisations.handed_over")
    assert emails[0].params["waiting"][str(world.westmarch.pk)] > 0


def test_a_stayed_line_is_tried_again_when_the_undoing_is_undone(world: World) -> None:
    commitment = agree(world)
    succession = record_absorption(world.westmarch, world.larkhaven)
    propose_lines(world, succession, "commitments", commitment.pk, successor=world.larkhaven)
    accept_lines(world, succession, author=world.amina)
    take_effect(succession)
    assert Handover.objects.get().state == "stayed"
    undoing_succession = record_undoing(succession)
    take_effect(undoing_succession)
    # In the meantime another organisation becomes the giver, so that nothing prevents the handover any more.
    Commitment.objects.update(giver=world.tidewater, owner_organisation=world.tidewater)

    take_effect(record_undoing(undoing_succession))

    commitment.refresh_from_db()
    line = Handover.objects.get()
    assert (commitment.receiver, line.state, line.dispute) == (world.larkhaven, "applied", "")


def test_leads_of_the_successor_have_a_task_about_stayed_records(world: World) -> None:
    commitment = agree(world)
    absorbed = {"kind": "absorb", "status": "order_made", "vests_on": known_day(today())}
    ties = ties_between([world.westmarch], [world.larkhaven])
    succession = services.record_succession(ties=ties, author=None, now=timezone.now(), **absorbed)
    propose_and_accept_everything(succession, world.westmarch, world.larkhaven)
    take_effect(succession)
    client, task_name = Client(), "Deal with records that could not be handed over"
    client.force_login(world.amina)
    held_url = reverse("organisations:without-owner", args=[world.westmarch.pk])

    (task,) = [
        waiting_task for waiting_task in waiting_for(world.amina, timezone.now()) if waiting_task.what == task_name
    ]
    assert (task.title, task.path) == (f"1 record of {world.westmarch.display_name}", held_url)
    assert "Say who takes over" not in task_names(world, world.dee)
    page = client.get(held_url).content.decode()
    assert commitment.get_absolute_url() in page
    assert "The leads of Larkhaven Homes must deal with what cannot be handed over" in page
    overview = client.get(reverse("organisations:handover", args=[succession.pk])).content.decode()
    assert "1 record cannot be handed over" in overview
    assert held_url in overview

    commitments.end_commitment(commitment=commitment, reason="We are one now.", author=world.amina, now=timezone.now())

    assert task_name not in task_names(world, world.amina)
    assert "Nothing left" in client.get(held_url).content.decode()


def test_a_successors_signature_stays_when_the_succession_is_undone_and_the_page_says_so(world: World) -> None:
    succession = record_merger(world)
    propose_and_accept_everything(succession, world.westmarch, world.harbour)
    take_effect(succession)
    version = agree_terms(world.partnership, world.amina)
    url, client = reverse("organisations:succession", args=[succession.pk]), Client()
    client.force_login(world.amina)
    assert "Signed before the succession was undone" not in client.get(url).content.decode()

    undoing_succession = record_undoing(succession)
    take_effect(undoing_succession)

    assert {signature.organisation for signature in version.signatures.all()} == {world.larkhaven, world.harbour}
    page = client.get(url).content.decode()
    assert "Signed before the succession was undone" in page
    assert "Signed the terms" in page.partition("Signed before the succession was undone")[2]
    client.force_login(world.chidi)
    assert "Signed before the succession was undone" not in client.get(url).content.decode()
    # The predecessor takes part again, and has to sign the terms in force.
    assert unbound_organisation_ids(world.partnership, today()) == {world.westmarch.pk}
    ask_joined_parties(now=timezone.now())
    assert version.signatories.get(organisation=world.westmarch).joins
    # Once the undoing is undone, the signature counts again.
    take_effect(record_undoing(undoing_succession))
    assert unbound_organisation_ids(world.partnership, today()) == set()


def test_signatures_for_its_own_part_are_not_listed_when_a_succession_is_undone(world: World) -> None:
    now, succession = timezone.now(), record_merger(world)
    party = invite_organisation(
        partnership=world.partnership,
        organisation=world.harbour,
        role="member",
        reason="We need them.",
        author=world.amina,
        now=now,
    )
    answer_invitation(party=party, accept=True, reason="", author=world.hana, now=now)
    propose_lines(world, succession, "partnerships", world.partnership.pk)
    accept_lines(world, succession, accept=False, reason="We take part already.")
    agree_terms(world.partnership, world.amina)
    take_effect(succession)
    client = Client()
    client.force_login(world.amina)

    take_effect(record_undoing(succession))

    page = client.get(reverse("organisations:succession", args=[succession.pk])).content.decode()
    assert "Signed before the succession was undone" not in page


def test_leads_of_the_successor_get_one_email_about_all_proposed_lines(world: World) -> None:
    promise, succession, now = agree(world), record_merger(world, days=30), timezone.now()
    for kind, record in (("commitments", promise.pk), ("partnerships", world.partnership.pk)):
        propose_lines(world, succession, kind, record, due_on=today() + dt.timedelta(9))
    emails = Email.objects.filter(kind="organisations.handover_proposed")
    assert (services.tell_of_proposals(now=now), emails.count()) == (0, 0)  # more may be proposed

    later = now + dt.timedelta(minutes=16)
    assert [services.tell_of_proposals(now=later) for _ in range(2)] == [1, 0]
    email: Any = emails.get()
    content = write_handover_proposed(email, world.hana, now)
    assert email.person_id == world.hana.pk
    assert isinstance(content, Content)
    text = content.render().text
    assert "asks your organisation to take over 2 records" in text
    due = long_date(today() + dt.timedelta(9))
    assert f"2 records from {world.westmarch.name}, with 60 homes. Please answer by {due}." in text
    assert reverse("organisations:handover-answer", args=[succession.pk]) in text
    assert promise.text not in text

    # Lines that are proposed again are emailed again, once the successor has a lead.
    leads = Membership.objects.filter(organisation=world.harbour, role=Role.LEAD)
    leads.update(role=Role.EDITOR)
    propose_lines(world, succession, "commitments", promise.pk)
    assert services.tell_of_proposals(now=later + dt.timedelta(minutes=16)) == 0
    assert "Invite a lead to answer handover lines" in task_names(world, world.dee)
    Membership.objects.filter(organisation=world.harbour, person=world.hana).update(role=Role.LEAD)
    assert services.tell_of_proposals(now=later + dt.timedelta(minutes=16)) == 1
    accept_lines(world, succession)
    assert str(write_handover_proposed(email, world.hana, now)).startswith("All handover lines")


def test_a_line_is_emailed_once_the_organisation_has_a_lead(world: World) -> None:
    now, quiet_period = timezone.now(), dt.timedelta(minutes=16)
    Membership.objects.filter(organisation=world.tidewater, role=Role.LEAD).update(role=Role.EDITOR)
    division(world)
    post = create_post(organisation=world.riverside, role="finance", author=world.nadia, now=now)
    succession = record_absorption(world.riverside, world.larkhaven, days=30)
    sides_and_author = {"predecessor": world.riverside, "successor": world.larkhaven, "author": None}
    propose_lines(world, succession, "posts", post.pk, **sides_and_author)
    emails = Email.objects.filter(kind="organisations.handover_proposed")

    services.tell_of_proposals(now=now + quiet_period)
    assert {email.person_id for email in emails} == {world.amina.pk}

    Membership.objects.filter(organisation=world.tidewater, person=world.chidi).update(role=Role.LEAD)
    assert services.tell_of_proposals(now=now + quiet_period) == 2
    assert {email.person_id for email in emails.all()} == {world.amina.pk, world.hana.pk, world.chidi.pk}


def test_leads_of_each_side_read_only_the_totals_that_pass_between_both(world: World) -> None:
    promise, succession = agree(world), record_merger(world, days=30)
    propose_lines(world, succession, "commitments", promise.pk)
    client, address = Client(), reverse("organisations:handover", args=[succession.pk])

    visible_totals = {}
    for reader in (world.ben, world.hana, world.dee):
        client.force_login(reader)
        page = client.get(address).content.decode()
        visible_totals[reader] = ("Takes over" in page, "Has today" in page)

    assert visible_totals == {world.ben: (True, False), world.hana: (True, True), world.dee: (True, True)}


def test_a_commitment_that_ended_before_the_day_has_no_line_any_more(world: World) -> None:
    promise, succession = agree(world), record_merger(world)
    propose_lines(world, succession, "commitments", promise.pk)
    accept_lines(world, succession)
    commitments.end_commitment(commitment=promise, reason="Not needed.", author=world.ben, now=timezone.now())
    take_effect(succession)

    assert not Handover.objects.exists()


def test_lines_follow_a_successor_that_was_recorded_twice(world: World) -> None:
    promise, succession = agree(world), record_merger(world)
    propose_lines(world, succession, "commitments", promise.pk)
    accept_lines(world, succession)
    kept = create_council("Harbour Homes Association")
    services.merge_organisations(
        kept=kept, merged=world.harbour, reason="Recorded twice.", author=None, now=timezone.now()
    )
    take_effect(succession)

    promise.refresh_from_db()
    assert (promise.receiver, Handover.objects.get().successor) == (kept, kept)


def test_commitment_that_a_body_gives_passes_with_who_is_responsible_for_it(world: World) -> None:
    promise = agree(world)
    succession = record_absorption(world.larkhaven, world.harbour)
    propose_lines(world, succession, "commitments", promise.pk, predecessor=world.larkhaven, author=world.amina)
    accept_lines(world, succession)
    take_effect(succession)

    promise.refresh_from_db()
    assert (promise.giver, promise.owner_organisation) == (world.harbour, world.harbour)
    assert not [group for group in held_by(world.larkhaven, today()) if group.kind.code == "commitments"]


def test_a_body_that_continues_takes_nothing_over_from_itself(world: World) -> None:
    promise = agree(world)
    succession = services.record_succession(
        kind="recode",
        status="order_made",
        vests_on=known_day(today()),
        ties=[services.NewTie(world.westmarch, world.westmarch, "continuing")],
        author=None,
        now=timezone.now(),
    )

    assert "Say who takes over" not in task_names(world, world.ben)
    with pytest.raises(UnableToHandOverLines, match="Choose a successor"):
        propose_lines(world, succession, "commitments", promise.pk, successor=world.westmarch)


def test_a_body_that_passes_two_functions_on_keeps_records_without_a_line(world: World) -> None:
    ties = [
        services.NewTie(world.westmarch, successor, function=function)
        for successor, function in ((world.harbour, "housing"), (world.tidewater, "business_representation"))
    ]
    succession = services.record_succession(
        kind="function_transfer",
        status="order_made",
        vests_on=known_day(today()),
        ties=ties,
        author=None,
        now=timezone.now(),
    )
    promises = agree(world), agree(world)
    for promise, successor, lead in zip(
        promises, (world.harbour, world.tidewater), (world.hana, world.chidi), strict=True
    ):
        propose_lines(world, succession, "commitments", promise.pk, successor=successor)
        services.answer_handovers(
            lines=[Handover.objects.get(record=promise.pk)], accept=True, author=lead, now=timezone.now()
        )

    def receivers() -> list[str]:
        return [Commitment.objects.get(pk=promise.pk).receiver.name for promise in promises]

    client = Client()
    client.force_login(world.ben)
    page = client.get(reverse("organisations:handover", args=[succession.pk])).content.decode()
    assert "continues, and keeps " in " ".join(page.split())
    take_effect(succession)

    successor_names = [world.harbour.name, world.tidewater.name]
    assert receivers() == successor_names
    world.westmarch.refresh_from_db()
    assert not world.westmarch.is_ended
    assert world.party(world.westmarch).is_present
    assert "Say who takes over" not in task_names(world, world.ben)
    undoing_succession = record_undoing(succession)
    take_effect(undoing_succession)
    assert receivers() == [world.westmarch.name] * 2
    take_effect(record_undoing(undoing_succession))
    assert receivers() == successor_names


def test_an_error_in_one_succession_does_not_stop_the_others(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    promise, succession = agree(world), record_merger(world)
    other_succession = record_absorption(world.larkhaven, world.tidewater)
    propose_lines(world, succession, "commitments", promise.pk)
    accept_lines(world, succession)
    propose_lines(
        world,
        other_succession,
        "commitments",
        promise.pk,
        predecessor=world.larkhaven,
        successor=world.tidewater,
        author=None,
    )
    accept_lines(world, other_succession, author=None)
    real_move_records = services.handover_batches.move_records  # type: ignore[attr-defined]

    def break_first(kind: Any, records: Any, move: Any) -> Any:
        if move.source == world.westmarch:
            raise RuntimeError("A row is in the way.")
        return real_move_records(kind, records, move)

    moves = "partnerships.organisations.services.handover_batches.move_records"
    monkeypatch.setattr(moves, break_first)
    with pytest.raises(RuntimeError):
        services.hand_over_due(now=timezone.now())

    promise.refresh_from_db()
    assert (promise.giver, promise.receiver) == (world.tidewater, world.westmarch)
    # Administrators see the reason until the record has passed on.
    task_name, dee = "Fix a succession that hands nothing over", Client()
    dee.force_login(world.dee)
    page = " ".join(dee.get(reverse("organisations:succession", args=[succession.pk])).content.decode().split())
    assert "could not be handed over or returned: An unexpected error: RuntimeError." in page
    assert task_name in task_names(world, world.dee) - task_names(world, world.ben)
    monkeypatch.setattr(moves, real_move_records)
    services.hand_over_due(now=timezone.now())
    assert task_name not in task_names(world, world.dee)
    promise.refresh_from_db()
    assert promise.receiver == world.harbour


def test_memberships_that_start_later_pass_on_and_pending_ones_do_not(world: World) -> None:
    future_membership = join(world.vera, world.westmarch, "editor", timezone.now())
    Membership.objects.filter(pk=future_membership.pk).update(starts_on=today() + dt.timedelta(30))
    services.invite_member(
        organisation=world.westmarch, email="new@westmarch.example", role="viewer", author=world.ben, now=timezone.now()
    )
    succession = record_merger(world)
    propose_and_accept_everything(succession, world.westmarch, world.harbour)
    take_effect(succession)

    veras_memberships = Membership.objects.filter(organisation=world.harbour, person=world.vera)
    assert [membership.starts_on for membership in veras_memberships] == [today() + dt.timedelta(30)]
    assert not Membership.objects.filter(organisation=world.harbour, accepted_at=None).exists()


def test_many_shared_lines_are_proposed_in_as_many_queries_as_one(world: World) -> None:
    succession = services.record_succession(
        kind="split",
        status="order_made",
        vests_on=known_day(today()),
        ties=ties_between([world.westmarch], [world.harbour, world.tidewater]),
        author=None,
        now=timezone.now(),
    )

    def queries(number: int) -> int:
        promises = [agree(world).pk for _ in range(number)]
        with CaptureQueriesContext(connection) as captured:
            propose_lines(world, succession, "commitments", *promises, sharing="jointly", others=[world.tidewater])
        return len(captured)

    assert queries(1) == queries(4)
    assert [list(line.others.all()) for line in succession.handovers.all()] == [[world.tidewater]] * 5


def test_lines_to_a_body_that_is_no_longer_a_successor_are_deleted(world: World) -> None:
    promise, succession = agree(world), record_merger(world)
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


def test_predecessor_sees_why_a_line_is_disputed_and_proposes_again(world: World) -> None:
    promise, succession = agree(world), record_merger(world, days=30)
    propose_lines(world, succession, "commitments", promise.pk)
    undecided_before = count_undecided(succession, world.westmarch, today())
    accept_lines(world, succession, accept=False, reason="It is the county's.")
    assert count_undecided(succession, world.westmarch, today()) == undecided_before + 1
    ben = Client()
    ben.force_login(world.ben)
    address = reverse("organisations:handover-propose", args=[succession.pk, world.westmarch.pk, "commitments"])

    assert "disputed: It is the county" in ben.get(address).content.decode()
    post_fields = {"successor": world.harbour.pk, "sharing": "alone", "records": [promise.pk], "basis": "Article 5"}
    assert ben.post(address, post_fields).status_code == 302

    line = Handover.objects.get()
    assert (line.state, line.basis, line.dispute) == ("proposed", "Article 5", "")


def test_successor_answers_more_lines_than_one_page_shows(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("partnerships.organisations.views.handovers.MAX_LINES_ON_PAGE", 2)
    succession = record_merger(world, days=30)
    posts = [
        create_post(organisation=world.westmarch, role="finance", title=title, author=world.ben, now=timezone.now()).pk
        for title in ("First", "Second", "Third")
    ]
    propose_lines(world, succession, "posts", *posts)
    hana = Client()
    hana.force_login(world.hana)
    address = reverse("organisations:handover-answer", args=[succession.pk])

    page = hana.get(address).content.decode()
    assert page.count('name="lines"') == 2
    assert "All 3, including those that are not shown" in page
    assert hana.post(address, {"answer": "accept"}).status_code == 422
    assert hana.post(address, {"answer": "accept", "everything": "on"}).status_code == 302

    assert set(Handover.objects.values_list("state", flat=True)) == {"accepted"}


def test_line_accepted_later_sends_no_second_email_and_viewers_can_open_the_link(world: World) -> None:
    promise, succession = agree(world), record_merger(world)
    post = create_post(organisation=world.westmarch, role="finance", author=world.ben, now=timezone.now())
    propose_lines(world, succession, "posts", post.pk)
    accept_lines(world, succession)
    take_effect(succession)
    emails = Email.objects.filter(kind="organisations.handed_over")
    assert set(emails.values_list("person_id", flat=True)) == {world.ben.pk, world.hana.pk}
    assert emails[0].params["waiting"] == {str(world.westmarch.pk): count_held(world.westmarch, today())}

    propose_lines(world, succession, "commitments", promise.pk)
    line = Handover.objects.filter(kind="commitments")
    services.answer_handovers(lines=list(line), accept=True, author=world.hana, now=timezone.now())
    services.hand_over_due(now=timezone.now())

    assert line.get().state == "applied"
    assert emails.count() == 2
    client = Client()
    client.force_login(world.vera)
    assert client.get(reverse("organisations:succession", args=[succession.pk])).status_code == 200


def test_successors_lead_finds_the_handover_but_no_links_to_propose(world: World) -> None:
    agree(world)
    succession = record_merger(world, days=30)
    address = reverse("organisations:handover", args=[succession.pk])
    pages = {}
    for reader in (world.ben, world.hana):
        client = Client()
        client.force_login(reader)
        assert address in client.get(reverse("organisations:succession", args=[succession.pk])).content.decode()
        pages[reader] = client.get(address).content.decode()

    proposing = reverse("organisations:handover-propose", args=[succession.pk, world.westmarch.pk, "commitments"])
    assert proposing in pages[world.ben]
    assert proposing not in pages[world.hana]


def test_the_history_of_a_record_shows_that_it_was_returned(world: World) -> None:
    promise, succession = agree(world), record_merger(world)
    propose_lines(world, succession, "commitments", promise.pk)
    accept_lines(world, succession)
    take_effect(succession)
    undoing_succession = record_undoing(succession)

    take_effect(undoing_succession)

    events = Event.objects.filter(kind="organisation.passed_on", target_kind="commitment", target_id=promise.pk)
    passing_on, passing_back = events.order_by("pk")
    assert passing_on.data["after"] == passing_back.data["before"] == {"organisation": world.harbour.name}
    assert passing_back.data["after"] == {"organisation": world.westmarch.name}
    assert Handover.objects.get().state == "accepted"


def test_names_and_drafts_are_hidden_from_others_until_the_day(world: World) -> None:
    plan = create_plan(
        owners=[world.westmarch],
        partnership=None,
        title="Secret Quay",
        kind="housing_strategy",
        audience="owners",
        author=world.ben,
        now=timezone.now(),
    )
    succession = record_merger(world, days=30)
    membership = Membership.objects.get(person=world.ben)
    propose_lines(world, succession, "people", membership.pk, author=None)
    dee, ben, hana = Client(), Client(), Client()
    for client, reader in ((dee, world.dee), (ben, world.ben), (hana, world.hana)):
        client.force_login(reader)
    plans = reverse("organisations:handover-propose", args=[succession.pk, world.westmarch.pk, "plans"])

    assert "Secret Quay" in ben.get(plans).content.decode()
    assert "Secret Quay" not in dee.get(plans).content.decode()
    propose_lines(world, succession, "plans", plan.pk, author=None)
    page = hana.get(reverse("organisations:handover-answer", args=[succession.pk])).content.decode()
    assert f"Lead {membership.pk}" in page
    assert f"Plan {plan.pk}" in page
    for secret in (world.ben.display_name, "Secret Quay"):
        assert secret not in page


def test_a_successor_that_left_a_partnership_does_not_read_its_new_name(world: World) -> None:
    party = invite_organisation(
        partnership=world.partnership,
        organisation=world.harbour,
        role="member",
        reason="We need them.",
        author=world.amina,
        now=timezone.now(),
    )
    answer_invitation(party=party, accept=True, reason="", author=world.hana, now=timezone.now())
    succession = record_merger(world, days=30)
    propose_lines(world, succession, "partnerships", world.partnership.pk)
    hana = Client()
    hana.force_login(world.hana)
    address = reverse("organisations:handover-answer", args=[succession.pk])
    assert world.partnership.title in hana.get(address).content.decode()

    leave_partnership(party=world.party(world.harbour), reason="Budget.", author=world.hana, now=timezone.now())
    edit_settings(
        partnership=world.partnership, title="Quays", reason="Its name.", author=world.amina, now=timezone.now()
    )

    page = hana.get(address).content.decode()
    assert f"Partnership {world.partnership.pk}" in page
    assert "Quays" not in page


def test_a_predecessors_lead_who_is_a_viewer_of_the_successor_becomes_its_lead(world: World) -> None:
    viewer_membership = join(world.ben, world.harbour, "viewer", timezone.now())
    succession = record_merger(world)
    propose_and_accept_everything(succession, world.westmarch, world.harbour)
    take_effect(succession)
    viewer_membership.refresh_from_db()
    assert viewer_membership.role == "lead"

    undoing_succession = record_undoing(succession)
    take_effect(undoing_succession)

    viewer_membership.refresh_from_db()
    assert (viewer_membership.role, viewer_membership.ends_on) == ("viewer", None)


def test_a_succession_locks_bodies_against_merging_but_not_against_references(world: World) -> None:
    promise, succession = agree(world), record_merger(world)
    propose_lines(world, succession, "commitments", promise.pk)
    accept_lines(world, succession)
    services.take_effect(succession=succession, author=None, now=timezone.now())

    with CaptureQueriesContext(connection) as queries:
        services.apply_handovers(succession=succession, now=timezone.now())

    locks = [query["sql"] for query in queries if "FOR NO KEY UPDATE" in query["sql"]]
    assert locks
    assert all('FROM "organisations_organisation"' in sql for sql in locks)


def test_undoing_returns_records_from_a_successor_that_was_merged_since(world: World) -> None:
    promise, succession = agree(world), record_merger(world)
    propose_lines(world, succession, "commitments", promise.pk)
    accept_lines(world, succession)
    take_effect(succession)
    kept = create_council("Harbour Homes Association")
    services.merge_organisations(
        kept=kept, merged=world.harbour, reason="Recorded twice.", author=None, now=timezone.now()
    )
    promise.refresh_from_db()
    assert promise.receiver == kept
    undoing_succession = record_undoing(succession)

    take_effect(undoing_succession)

    promise.refresh_from_db()
    assert promise.receiver == world.westmarch


def test_memberships_that_pass_on_and_back_are_in_the_history_with_their_roles(world: World) -> None:
    join(world.vera, world.westmarch, Role.EDITOR, world.now - dt.timedelta(days=1))
    join(world.vera, world.harbour, Role.VIEWER, world.now - dt.timedelta(days=1))
    last_event_id = Event.objects.order_by("-pk").values_list("pk", flat=True)[0]
    succession = record_merger(world)
    propose_and_accept_everything(succession, world.westmarch, world.harbour)
    take_effect(succession)

    def new_events() -> list[tuple[str, int, int, Any, Any]]:
        events = Event.objects.filter(pk__gt=last_event_id, target_kind="membership").order_by("pk")
        return [
            (event.kind, event.within_id, event.data["person"], event.data.get("before"), event.data.get("after"))
            for event in events
        ]

    west, harbour = world.westmarch.pk, world.harbour.pk
    events_of_succession = [
        ("membership.ended", west, world.ben.pk, {"role": "lead"}, None),
        ("membership.ended", west, world.vera.pk, {"role": "editor"}, None),
        ("membership.role_changed", harbour, world.vera.pk, {"role": "viewer"}, {"role": "editor"}),
        ("membership.added", harbour, world.ben.pk, None, {"role": "lead"}),
    ]
    assert new_events() == events_of_succession
    undoing_succession = record_undoing(succession)
    take_effect(undoing_succession)

    events_of_undoing = new_events()[4:]
    assert {(kind, within, person_id) for kind, within, person_id, _, _ in events_of_undoing} == {
        ("membership.added", west, world.ben.pk),
        ("membership.added", west, world.vera.pk),
        ("membership.role_changed", harbour, world.vera.pk),
        ("membership.ended", harbour, world.ben.pk),
    }


def test_the_history_of_a_merge_shows_the_moved_memberships(world: World) -> None:
    services.merge_organisations(
        kept=world.harbour, merged=world.riverside, reason="Recorded twice.", author=world.dee, now=timezone.now()
    )

    events = Event.objects.filter(kind="membership.added", within_id=world.harbour.pk, data__person=world.nadia.pk)
    (event,) = events.filter(data__before={"organisation": world.riverside.name})
    assert (event.actor_id, event.data["after"]["role"]) == (world.dee.pk, "lead")


def test_the_history_of_a_merge_leaves_out_leavers_and_shows_invitations(world: World) -> None:
    ended_membership = join(world.vera, world.riverside, Role.EDITOR, world.now - dt.timedelta(days=9))
    services.end_membership(membership=ended_membership, author=world.nadia, now=timezone.now())
    pending_membership = services.invite_member(
        organisation=world.riverside,
        email="newcomer@riverside.example",
        name="Newcomer",
        role=Role.VIEWER,
        author=world.nadia,
        now=timezone.now(),
    )

    services.merge_organisations(
        kept=world.harbour, merged=world.riverside, reason="Recorded twice.", author=world.dee, now=timezone.now()
    )

    events = Event.objects.filter(within_id=world.harbour.pk, target_kind="membership")
    assert not events.filter(target_id=ended_membership.pk).exists()
    assert [event.kind for event in events.filter(target_id=pending_membership.pk)] == ["membership.invited"]


def test_two_sides_of_a_conversation_are_combined_and_separated_again(
    world: World,
) -> None:
    join(world.ben, world.harbour, Role.VIEWER, world.now)
    people = [(world.larkhaven, world.amina), (world.westmarch, world.ben), (world.harbour, world.ben)]
    record = circulated(
        world,
        partnership=None,
        organisations=[world.westmarch, world.harbour],
        attendees=[AttendeeInput(*person) for person in people],
    )
    talk_agree(record, world.harbour, world.hana)
    seats_before = seats_of(record)
    succession = record_merger(world)
    propose_lines(world, succession, "conversations", record.pk)
    accept_lines(world, succession)

    take_effect(succession)

    assert seats_of(record) == (
        {(world.larkhaven.pk, True), (world.harbour.pk, False)},  # for what Westmarch had not agreed to
        {(world.larkhaven.pk, world.amina.pk), (world.harbour.pk, world.ben.pk)},
    )
    assert "conversations" not in {group.kind.code for group in held_by(world.westmarch, today())}
    undoing_succession = record_undoing(succession)
    take_effect(undoing_succession)
    assert seats_of(record) == seats_before


def test_a_record_that_the_successor_agreed_to_does_not_prevent_returning_the_others(world: World) -> None:
    record, promise, succession = circulated(world), agree(world), record_merger(world)
    propose_lines(world, succession, "conversations", record.pk)
    propose_lines(world, succession, "commitments", promise.pk)
    accept_lines(world, succession)
    take_effect(succession)
    talk_agree(record, world.harbour, world.hana)
    record.refresh_from_db()
    assert record.status == "agreed"

    undoing_succession = record_undoing(succession)
    take_effect(undoing_succession)

    promise.refresh_from_db()
    assert promise.receiver == world.westmarch
    assert set(record.sides.values_list("organisation", flat=True)) == {world.larkhaven.pk, world.westmarch.pk}
    # The database does not allow changes to an agreed record.
    assert world.harbour.pk in set(record.points.values_list("organisation", flat=True))
    assert not succession.moved_rows.exists()


def test_a_side_that_cannot_be_restored_does_not_prevent_returning_the_others(world: World) -> None:
    record, promise, succession = circulated(world), agree(world), record_merger(world)
    propose_lines(world, succession, "conversations", record.pk)
    propose_lines(world, succession, "commitments", promise.pk)
    accept_lines(world, succession)
    take_effect(succession)
    record.sides.create(organisation=world.westmarch)

    undoing_succession = record_undoing(succession)
    take_effect(undoing_succession)

    promise.refresh_from_db()
    assert promise.receiver == world.westmarch
    sides = sorted(record.sides.values_list("organisation", flat=True))
    assert sides == sorted([world.larkhaven.pk, world.westmarch.pk, world.harbour.pk])


def seats_of(record: Conversation) -> tuple[set[tuple[int, bool]], set[tuple[int, int | None]]]:
    """Return the sides, with whether they agreed, and the organisation for which each person attended."""
    return (
        {(side.organisation_id, side.agreed_at is not None) for side in record.sides.all()},
        set(record.attendees.values_list("organisation", "person")),
    )


def test_seats_at_planned_meetings_pass_with_the_part_in_the_partnership(world: World) -> None:
    meeting, succession = planned_meeting(world), record_merger(world)
    assert meeting.seats.filter(organisation=world.westmarch).exists()
    propose_lines(world, succession, "partnerships", world.partnership.pk)
    accept_lines(world, succession)

    take_effect(succession)

    assert not meeting.seats.filter(organisation=world.westmarch).exists()
    assert meeting.seats.filter(organisation=world.harbour).exists()


def test_administrators_have_the_task_if_the_body_has_no_lead(world: World) -> None:
    agree(world)
    record_merger(world, days=30)
    assert "Say who takes over" not in task_names(world, world.dee)

    Membership.objects.filter(person=world.ben).update(ends_on=today())

    assert "Say who takes over" in task_names(world, world.dee)
    assert "Say who takes over" not in task_names(world, world.hana)


def test_administrators_have_one_task_for_all_bodies_without_a_lead(world: World) -> None:
    first_council, second_council, successor = (
        create_council("One Council"),
        create_council("Two Council"),
        create_council("New Council"),
    )
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

    titles = [line.title for line in waiting_for(world.dee, timezone.now()) if line.what == "Say who takes over"]

    assert titles == ["1 record of One Council, and perhaps records of 1 other organisation without a lead"]
