"""Handover lines at their edges: what cannot pass, what changed on the way, and what goes wrong."""

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


def test_commitment_with_the_successor_itself_stays_and_says_so(world: World) -> None:
    promise = agree(world)
    succession = record_absorption(world.westmarch, world.larkhaven)
    propose_lines(world, succession, "commitments", promise.pk, successor=world.larkhaven)
    accept_lines(world, succession, author=world.amina)
    take_effect(succession)

    promise.refresh_from_db()
    line = Handover.objects.get()
    assert (promise.giver, promise.receiver) == (world.larkhaven, world.westmarch)
    assert (line.state, line.applied_at) == ("stayed", None)
    assert "between the two organisations" in line.dispute
    assert not Event.objects.filter(kind="organisation.passed_on", target_kind="commitment").exists()
    with pytest.raises(UnableToHandOverLines, match="already answered"):
        services.answer_handovers(lines=[line], accept=True, author=world.amina, now=timezone.now())
    emails_told = Email.objects.filter(kind="organisations.handed_over")
    assert emails_told[0].params["waiting"][str(world.westmarch.pk)] > 0


def test_what_could_not_pass_on_is_tried_again_when_the_undoing_is_undone(world: World) -> None:
    promise = agree(world)
    succession = record_absorption(world.westmarch, world.larkhaven)
    propose_lines(world, succession, "commitments", promise.pk, successor=world.larkhaven)
    accept_lines(world, succession, author=world.amina)
    take_effect(succession)
    assert Handover.objects.get().state == "stayed"
    back = record_undoing(succession)
    take_effect(back)
    # Meanwhile somebody else became its giver, so that nothing stands in the way any more.
    Commitment.objects.update(giver=world.tidewater, owner_organisation=world.tidewater)

    take_effect(record_undoing(back))

    promise.refresh_from_db()
    line = Handover.objects.get()
    assert (promise.receiver, line.state, line.dispute) == (world.larkhaven, "applied", "")


def test_leads_of_the_successor_settle_what_could_not_pass_on(world: World) -> None:
    promise = agree(world)
    absorbed = {"kind": "absorb", "status": "order_made", "vests_on": known_day(today())}
    ties = ties_between([world.westmarch], [world.larkhaven])
    succession = services.record_succession(ties=ties, author=None, now=timezone.now(), **absorbed)
    propose_and_accept_everything(succession, world.westmarch, world.larkhaven)
    take_effect(succession)
    client, settle = Client(), "Deal with records that could not be handed over"
    client.force_login(world.amina)
    held = reverse("organisations:without-owner", args=[world.westmarch.pk])

    (asked,) = [one for one in waiting_for(world.amina, timezone.now()) if one.what == settle]
    assert (asked.title, asked.path) == (f"1 record of {world.westmarch.display_name}", held)
    assert "Say who takes over" not in task_names(world, world.dee)
    page = client.get(held).content.decode()
    assert promise.get_absolute_url() in page
    assert "The leads of Larkhaven Homes must deal with what cannot be handed over" in page
    overview = client.get(reverse("organisations:handover", args=[succession.pk])).content.decode()
    assert "1 record cannot be handed over" in overview
    assert held in overview

    commitments.end_commitment(commitment=promise, reason="We are one now.", author=world.amina, now=timezone.now())

    assert settle not in task_names(world, world.amina)
    assert "Nothing left" in client.get(held).content.decode()


def test_what_a_successor_signed_stays_when_it_is_undone_and_the_page_says_so(world: World) -> None:
    succession = record_merger(world)
    propose_and_accept_everything(succession, world.westmarch, world.harbour)
    take_effect(succession)
    version = agree_terms(world.partnership, world.amina)
    page, client = reverse("organisations:succession", args=[succession.pk]), Client()
    client.force_login(world.amina)
    assert "Signed before the succession was undone" not in client.get(page).content.decode()

    back = record_undoing(succession)
    take_effect(back)

    assert {signature.organisation for signature in version.signatures.all()} == {world.larkhaven, world.harbour}
    said = client.get(page).content.decode()
    assert "Signed before the succession was undone" in said
    assert "Signed the terms" in said.partition("Signed before the succession was undone")[2]
    client.force_login(world.chidi)
    assert "Signed before the succession was undone" not in client.get(page).content.decode()
    # The predecessor takes part again, and is asked to sign what is in force.
    assert unbound_organisation_ids(world.partnership, today()) == {world.westmarch.pk}
    ask_joined_parties(now=timezone.now())
    assert version.signatories.get(organisation=world.westmarch).joins
    # Once the undoing is undone, the signature counts again.
    take_effect(record_undoing(back))
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


def test_leads_of_the_successor_get_one_email_about_all_that_is_proposed(world: World) -> None:
    promise, succession, now = agree(world), record_merger(world, days=30), timezone.now()
    for kind, record in (("commitments", promise.pk), ("partnerships", world.partnership.pk)):
        propose_lines(world, succession, kind, record, due_on=today() + dt.timedelta(9))
    emails_told = Email.objects.filter(kind="organisations.handover_proposed")
    assert (services.tell_of_proposals(now=now), emails_told.count()) == (0, 0)  # more may be proposed

    later = now + dt.timedelta(minutes=16)
    assert [services.tell_of_proposals(now=later) for _ in range(2)] == [1, 0]
    email: Any = emails_told.get()
    content = write_handover_proposed(email, world.hana, now)
    assert email.person_id == world.hana.pk
    assert isinstance(content, Content)
    text = content.render().text
    assert "asks your organisation to take over 2 records" in text
    assert (
        f"2 records from {world.westmarch.name}, with 60 homes; answer by {long_date(today() + dt.timedelta(9))}"
        in text
    )
    assert reverse("organisations:handover-answer", args=[succession.pk]) in text
    assert promise.text not in text

    # What is proposed again is told again, once somebody leads the successor.
    leads = Membership.objects.filter(organisation=world.harbour, role=Role.LEAD)
    leads.update(role=Role.EDITOR)
    propose_lines(world, succession, "commitments", promise.pk)
    assert services.tell_of_proposals(now=later + dt.timedelta(minutes=16)) == 0
    assert "Invite a lead to answer handover lines" in task_names(world, world.dee)
    Membership.objects.filter(organisation=world.harbour, person=world.hana).update(role=Role.LEAD)
    assert services.tell_of_proposals(now=later + dt.timedelta(minutes=16)) == 1
    accept_lines(world, succession)
    assert str(write_handover_proposed(email, world.hana, now)).startswith("All handover lines")


def test_a_line_for_an_organisation_without_a_lead_is_told_once_it_has_one(world: World) -> None:
    now, waits = timezone.now(), dt.timedelta(minutes=16)
    Membership.objects.filter(organisation=world.tidewater, role=Role.LEAD).update(role=Role.EDITOR)
    division(world)
    post = create_post(organisation=world.riverside, role="finance", author=world.nadia, now=now)
    other = record_absorption(world.riverside, world.larkhaven, days=30)
    given = {"predecessor": world.riverside, "successor": world.larkhaven, "author": None}
    propose_lines(world, other, "posts", post.pk, **given)
    emails_told = Email.objects.filter(kind="organisations.handover_proposed")

    services.tell_of_proposals(now=now + waits)
    assert {email.person_id for email in emails_told} == {world.amina.pk}

    Membership.objects.filter(organisation=world.tidewater, person=world.chidi).update(role=Role.LEAD)
    assert services.tell_of_proposals(now=now + waits) == 2
    assert {email.person_id for email in emails_told.all()} == {world.amina.pk, world.hana.pk, world.chidi.pk}


def test_leads_read_totals_of_the_other_side_only_as_far_as_things_pass_between_them(world: World) -> None:
    promise, succession = agree(world), record_merger(world, days=30)
    propose_lines(world, succession, "commitments", promise.pk)
    client, address = Client(), reverse("organisations:handover", args=[succession.pk])

    read = {}
    for reader in (world.ben, world.hana, world.dee):
        client.force_login(reader)
        page = client.get(address).content.decode()
        read[reader] = ("Takes over" in page, "Has today" in page)

    assert read == {world.ben: (True, False), world.hana: (True, True), world.dee: (True, True)}


def test_what_is_over_before_the_day_has_no_line_any_more(world: World) -> None:
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
    assert not [one for one in held_by(world.larkhaven, today()) if one.kind.code == "commitments"]


def test_body_that_goes_on_takes_nothing_over_from_itself(world: World) -> None:
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


def test_a_body_that_passes_two_functions_on_keeps_what_no_line_gives_away(world: World) -> None:
    ties = [
        services.NewTie(world.westmarch, to, function=function)
        for to, function in ((world.harbour, "housing"), (world.tidewater, "business_representation"))
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
    for promise, to, lead in zip(promises, (world.harbour, world.tidewater), (world.hana, world.chidi), strict=True):
        propose_lines(world, succession, "commitments", promise.pk, successor=to)
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

    two = [world.harbour.name, world.tidewater.name]
    assert receivers() == two
    world.westmarch.refresh_from_db()
    assert not world.westmarch.is_ended
    assert world.party(world.westmarch).is_present
    assert "Say who takes over" not in task_names(world, world.ben)
    back = record_undoing(succession)
    take_effect(back)
    assert receivers() == [world.westmarch.name] * 2
    take_effect(record_undoing(back))
    assert receivers() == two


def test_fault_of_one_succession_does_not_hold_up_the_others(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    promise, succession = agree(world), record_merger(world)
    other = record_absorption(world.larkhaven, world.tidewater)
    propose_lines(world, succession, "commitments", promise.pk)
    accept_lines(world, succession)
    propose_lines(
        world, other, "commitments", promise.pk, predecessor=world.larkhaven, successor=world.tidewater, author=None
    )
    accept_lines(world, other, author=None)
    real = services.handovers.move_records  # type: ignore[attr-defined]

    def break_first(kind: Any, records: Any, moving: Any) -> Any:
        if moving.source == world.westmarch:
            raise RuntimeError("A row is in the way.")
        return real(kind, records, moving)

    moves = "partnerships.organisations.services.handovers.move_records"
    monkeypatch.setattr(moves, break_first)
    with pytest.raises(RuntimeError):
        services.hand_over_due(now=timezone.now())

    promise.refresh_from_db()
    assert (promise.giver, promise.receiver) == (world.tidewater, world.westmarch)
    # Administrators see why, until it has passed on.
    stuck, dee = "Fix a succession that hands nothing over", Client()
    dee.force_login(world.dee)
    page = " ".join(dee.get(reverse("organisations:succession", args=[succession.pk])).content.decode().split())
    assert "could not be handed over or returned: An unexpected error: RuntimeError." in page
    assert stuck in task_names(world, world.dee) - task_names(world, world.ben)
    monkeypatch.setattr(moves, real)
    services.hand_over_due(now=timezone.now())
    assert stuck not in task_names(world, world.dee)
    promise.refresh_from_db()
    assert promise.receiver == world.harbour


def test_people_who_begin_later_pass_on_and_invitations_that_wait_do_not(world: World) -> None:
    later = join(world.vera, world.westmarch, "editor", timezone.now())
    Membership.objects.filter(pk=later.pk).update(starts_on=today() + dt.timedelta(30))
    services.invite_member(
        organisation=world.westmarch, email="new@westmarch.example", role="viewer", author=world.ben, now=timezone.now()
    )
    succession = record_merger(world)
    propose_and_accept_everything(succession, world.westmarch, world.harbour)
    take_effect(succession)

    her_memberships = Membership.objects.filter(organisation=world.harbour, person=world.vera)
    assert [membership.starts_on for membership in her_memberships] == [today() + dt.timedelta(30)]
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


def test_lines_to_a_body_that_no_longer_follows_are_dropped(world: World) -> None:
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
    waiting = count_undecided(succession, world.westmarch, today())
    accept_lines(world, succession, accept=False, reason="It is the county's.")
    assert count_undecided(succession, world.westmarch, today()) == waiting + 1
    ben = Client()
    ben.force_login(world.ben)
    address = reverse("organisations:handover-propose", args=[succession.pk, world.westmarch.pk, "commitments"])

    assert "disputed: It is the county" in ben.get(address).content.decode()
    sent = {"successor": world.harbour.pk, "sharing": "alone", "records": [promise.pk], "basis": "Article 5"}
    assert ben.post(address, sent).status_code == 302

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
    emails_told = Email.objects.filter(kind="organisations.handed_over")
    assert set(emails_told.values_list("person_id", flat=True)) == {world.ben.pk, world.hana.pk}
    assert emails_told[0].params["waiting"] == {str(world.westmarch.pk): count_held(world.westmarch, today())}

    propose_lines(world, succession, "commitments", promise.pk)
    line = Handover.objects.filter(kind="commitments")
    services.answer_handovers(lines=list(line), accept=True, author=world.hana, now=timezone.now())
    services.hand_over_due(now=timezone.now())

    assert line.get().state == "applied"
    assert emails_told.count() == 2
    client = Client()
    client.force_login(world.vera)
    assert client.get(reverse("organisations:succession", args=[succession.pk])).status_code == 200


def test_successors_lead_finds_the_handover_but_no_links_to_propose(world: World) -> None:
    agree(world)
    succession = record_merger(world, days=30)
    address = reverse("organisations:handover", args=[succession.pk])
    pages = {}
    for someone in (world.ben, world.hana):
        client = Client()
        client.force_login(someone)
        assert address in client.get(reverse("organisations:succession", args=[succession.pk])).content.decode()
        pages[someone] = client.get(address).content.decode()

    proposing = reverse("organisations:handover-propose", args=[succession.pk, world.westmarch.pk, "commitments"])
    assert proposing in pages[world.ben]
    assert proposing not in pages[world.hana]


def test_what_goes_back_is_in_the_history_of_each_thing(world: World) -> None:
    promise, succession = agree(world), record_merger(world)
    propose_lines(world, succession, "commitments", promise.pk)
    accept_lines(world, succession)
    take_effect(succession)
    back = record_undoing(succession)

    take_effect(back)

    passed = Event.objects.filter(kind="organisation.passed_on", target_kind="commitment", target_id=promise.pk)
    there, again = passed.order_by("pk")
    assert there.data["after"] == again.data["before"] == {"organisation": world.harbour.name}
    assert again.data["after"] == {"organisation": world.westmarch.name}
    assert Handover.objects.get().state == "accepted"


def test_names_and_drafts_stay_with_the_predecessor_until_the_day(world: World) -> None:
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
    own = Membership.objects.get(person=world.ben)
    propose_lines(world, succession, "people", own.pk, author=None)
    dee, ben, hana = Client(), Client(), Client()
    for client, someone in ((dee, world.dee), (ben, world.ben), (hana, world.hana)):
        client.force_login(someone)
    plans = reverse("organisations:handover-propose", args=[succession.pk, world.westmarch.pk, "plans"])

    assert "Secret Quay" in ben.get(plans).content.decode()
    assert "Secret Quay" not in dee.get(plans).content.decode()
    propose_lines(world, succession, "plans", plan.pk, author=None)
    page = hana.get(reverse("organisations:handover-answer", args=[succession.pk])).content.decode()
    assert f"Lead {own.pk}" in page
    assert f"Plan {plan.pk}" in page
    for secret in (world.ben.display_name, "Secret Quay"):
        assert secret not in page


def test_successor_that_left_a_partnership_does_not_read_the_name_it_has_got_since(world: World) -> None:
    invited = invite_organisation(
        partnership=world.partnership,
        organisation=world.harbour,
        role="member",
        reason="We need them.",
        author=world.amina,
        now=timezone.now(),
    )
    answer_invitation(party=invited, accept=True, reason="", author=world.hana, now=timezone.now())
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


def test_lead_who_reads_for_the_successor_already_leads_it_from_the_day(world: World) -> None:
    reading = join(world.ben, world.harbour, "viewer", timezone.now())
    succession = record_merger(world)
    propose_and_accept_everything(succession, world.westmarch, world.harbour)
    take_effect(succession)
    reading.refresh_from_db()
    assert reading.role == "lead"

    back = record_undoing(succession)
    take_effect(back)

    reading.refresh_from_db()
    assert (reading.role, reading.ends_on) == ("viewer", None)


def test_bodies_are_locked_against_merging_but_may_be_named_while_things_pass_on(world: World) -> None:
    promise, succession = agree(world), record_merger(world)
    propose_lines(world, succession, "commitments", promise.pk)
    accept_lines(world, succession)
    services.take_effect(succession=succession, author=None, now=timezone.now())

    with CaptureQueriesContext(connection) as queries:
        services.apply_handovers(succession=succession, now=timezone.now())

    locks = [query["sql"] for query in queries if "FOR NO KEY UPDATE" in query["sql"]]
    assert locks
    assert all('FROM "organisations_organisation"' in sql for sql in locks)


def test_undoing_reaches_what_passed_to_a_record_that_was_merged_since(world: World) -> None:
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
    back = record_undoing(succession)

    take_effect(back)

    promise.refresh_from_db()
    assert promise.receiver == world.westmarch


def test_memberships_that_pass_on_and_back_are_in_the_history_with_their_roles(world: World) -> None:
    join(world.vera, world.westmarch, Role.EDITOR, world.now - dt.timedelta(days=1))
    join(world.vera, world.harbour, Role.VIEWER, world.now - dt.timedelta(days=1))
    before = Event.objects.order_by("-pk").values_list("pk", flat=True)[0]
    succession = record_merger(world)
    propose_and_accept_everything(succession, world.westmarch, world.harbour)
    take_effect(succession)

    def emails_told() -> list[tuple[str, int, int, Any, Any]]:
        events = Event.objects.filter(pk__gt=before, target_kind="membership").order_by("pk")
        return [
            (event.kind, event.within_id, event.data["person"], event.data.get("before"), event.data.get("after"))
            for event in events
        ]

    west, harbour = world.westmarch.pk, world.harbour.pk
    there = [
        ("membership.ended", west, world.ben.pk, {"role": "lead"}, None),
        ("membership.ended", west, world.vera.pk, {"role": "editor"}, None),
        ("membership.role_changed", harbour, world.vera.pk, {"role": "viewer"}, {"role": "editor"}),
        ("membership.added", harbour, world.ben.pk, None, {"role": "lead"}),
    ]
    assert emails_told() == there
    back = record_undoing(succession)
    take_effect(back)

    again = emails_told()[4:]
    assert {(kind, within, one) for kind, within, one, _, _ in again} == {
        ("membership.added", west, world.ben.pk),
        ("membership.added", west, world.vera.pk),
        ("membership.role_changed", harbour, world.vera.pk),
        ("membership.ended", harbour, world.ben.pk),
    }


def test_merging_two_records_says_for_whom_people_act_now(world: World) -> None:
    services.merge_organisations(
        kept=world.harbour, merged=world.riverside, reason="Recorded twice.", author=world.dee, now=timezone.now()
    )

    added = Event.objects.filter(kind="membership.added", within_id=world.harbour.pk, data__person=world.nadia.pk)
    (event,) = added.filter(data__before={"organisation": world.riverside.name})
    assert (event.actor_id, event.data["after"]["role"]) == (world.dee.pk, "lead")


def test_merging_two_records_does_not_list_leavers_but_says_that_invitations_wait(world: World) -> None:
    former = join(world.vera, world.riverside, Role.EDITOR, world.now - dt.timedelta(days=9))
    services.end_membership(membership=former, author=world.nadia, now=timezone.now())
    waiting = services.invite_member(
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

    emails_told = Event.objects.filter(within_id=world.harbour.pk, target_kind="membership")
    assert not emails_told.filter(target_id=former.pk).exists()
    assert [event.kind for event in emails_told.filter(target_id=waiting.pk)] == ["membership.invited"]


def test_two_sides_of_a_conversation_are_united_and_parted_again(
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
    before = seats_of(record)
    succession = record_merger(world)
    propose_lines(world, succession, "conversations", record.pk)
    accept_lines(world, succession)

    take_effect(succession)

    assert seats_of(record) == (
        {(world.larkhaven.pk, True), (world.harbour.pk, False)},  # for what Westmarch had not agreed to
        {(world.larkhaven.pk, world.amina.pk), (world.harbour.pk, world.ben.pk)},
    )
    assert "conversations" not in {group.kind.code for group in held_by(world.westmarch, today())}
    back = record_undoing(succession)
    take_effect(back)
    assert seats_of(record) == before


def test_record_that_the_successor_agreed_to_does_not_keep_the_rest_from_going_back(world: World) -> None:
    record, promise, succession = circulated(world), agree(world), record_merger(world)
    propose_lines(world, succession, "conversations", record.pk)
    propose_lines(world, succession, "commitments", promise.pk)
    accept_lines(world, succession)
    take_effect(succession)
    talk_agree(record, world.harbour, world.hana)
    record.refresh_from_db()
    assert record.status == "agreed"

    back = record_undoing(succession)
    take_effect(back)

    promise.refresh_from_db()
    assert promise.receiver == world.westmarch
    assert set(record.sides.values_list("organisation", flat=True)) == {world.larkhaven.pk, world.westmarch.pk}
    # The database keeps what is in an agreed record.
    assert world.harbour.pk in set(record.points.values_list("organisation", flat=True))
    assert not succession.moved_rows.exists()


def test_side_whose_place_is_taken_does_not_keep_the_rest_from_going_back(world: World) -> None:
    record, promise, succession = circulated(world), agree(world), record_merger(world)
    propose_lines(world, succession, "conversations", record.pk)
    propose_lines(world, succession, "commitments", promise.pk)
    accept_lines(world, succession)
    take_effect(succession)
    record.sides.create(organisation=world.westmarch)

    back = record_undoing(succession)
    take_effect(back)

    promise.refresh_from_db()
    assert promise.receiver == world.westmarch
    sides = sorted(record.sides.values_list("organisation", flat=True))
    assert sides == sorted([world.larkhaven.pk, world.westmarch.pk, world.harbour.pk])


def seats_of(record: Conversation) -> tuple[set[tuple[int, bool]], set[tuple[int, int | None]]]:
    """Return the sides, with whether they agreed, and who was there for whom."""
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


def test_administrators_are_asked_about_a_body_that_nobody_leads(world: World) -> None:
    agree(world)
    record_merger(world, days=30)
    assert "Say who takes over" not in task_names(world, world.dee)

    Membership.objects.filter(person=world.ben).update(ends_on=today())

    assert "Say who takes over" in task_names(world, world.dee)
    assert "Say who takes over" not in task_names(world, world.hana)


def test_administrators_get_one_line_for_all_bodies_that_nobody_leads(world: World) -> None:
    one, two, after = create_council("One Council"), create_council("Two Council"), create_council("New Council")
    for each in (one, two):
        create_post(organisation=each, role="finance", author=None, now=timezone.now())
    services.record_succession(
        kind="merge",
        status="order_made",
        vests_on=known_day(today() + dt.timedelta(days=30)),
        ties=ties_between([one, two], [after]),
        author=None,
        now=timezone.now(),
    )

    titles = [line.title for line in waiting_for(world.dee, timezone.now()) if line.what == "Say who takes over"]

    assert titles == ["1 record of One Council, and perhaps records of 1 other organisation without a lead"]
