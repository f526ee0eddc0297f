"""Handover lines survive unusual cases: records that cannot pass, that changed in the meantime, and failures."""

from __future__ import annotations

from typing import Any, NamedTuple

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from partnerships.activity.models import Event
from partnerships.agreements.models import TermsVersion
from partnerships.agreements.queries.terms import unbound_organisation_ids
from partnerships.agreements.services import (
    answer_invitation,
    ask_joined_parties,
    edit_settings,
    invite_organisation,
    leave_partnership,
)
from partnerships.commitments import services as commitments
from partnerships.commitments.models import Commitment
from partnerships.conversations.models import Conversation
from partnerships.conversations.services import AttendeeInput
from partnerships.kit.dates import known_day
from partnerships.organisations import services
from partnerships.organisations.models import Handover, Organisation, Role, Succession
from partnerships.organisations.obligations import held_records_by_kind
from partnerships.organisations.services import UnableToHandOverLines
from partnerships.outbox.models import Email
from partnerships.work.queries import tasks_of_person
from tests.commitments.promises import agree
from tests.conversations.gatherings import planned_meeting
from tests.conversations.talks import agree as talk_agree
from tests.conversations.talks import circulated_conversation
from tests.organisations.handing_over import (
    accept_lines,
    create_council,
    propose_and_accept_everything,
    propose_lines,
    record_absorption,
    record_merger,
    record_undoing,
    take_effect,
    task_names,
)
from tests.support.moments import today
from tests.support.signing_in import signed_in
from tests.support.terms import agree_terms
from tests.world import World, join


@pytest.fixture
def absorption(world: World) -> Succession:
    """Return a succession in which Larkhaven takes over Westmarch, with a commitment between the two in a line."""
    succession = record_absorption(world.westmarch, world.larkhaven)
    propose_lines(world, succession, "commitments", agree(world).pk, successor=world.larkhaven)
    accept_lines(world, succession, author=world.amina)
    return succession


def test_a_commitment_with_the_successor_stays_with_a_reason(world: World, absorption: Succession) -> None:
    take_effect(absorption)

    commitment = Commitment.objects.get()
    line = Handover.objects.get()
    assert commitment.giver == world.larkhaven
    assert commitment.receiver == world.westmarch
    assert line.state == "stayed"
    assert line.applied_at is None
    assert "between the two organisations" in line.dispute
    assert not Event.objects.filter(kind="organisation.passed_on", target_kind="commitment").exists()


def test_a_line_that_stayed_cannot_be_answered(world: World, absorption: Succession) -> None:
    take_effect(absorption)

    with pytest.raises(UnableToHandOverLines, match="already answered"):
        accept_lines(world, absorption, author=world.amina)


def test_the_email_after_a_handover_counts_lines_that_stayed(world: World, absorption: Succession) -> None:
    take_effect(absorption)

    emails = Email.objects.filter(kind="organisations.handed_over")
    assert emails[0].params["waiting"][str(world.westmarch.pk)] > 0


def test_a_stayed_line_is_tried_again_when_the_undoing_is_undone(world: World, absorption: Succession) -> None:
    take_effect(absorption)
    undoing_succession = record_undoing(absorption)
    take_effect(undoing_succession)
    # In the meantime another organisation becomes the giver, so that nothing prevents the handover any more.
    Commitment.objects.update(giver=world.tidewater, owner_organisation=world.tidewater)
    repeated_succession = record_undoing(undoing_succession)

    take_effect(repeated_succession)

    line = Handover.objects.get()
    assert Commitment.objects.get().receiver == world.larkhaven
    assert line.state == "applied"
    assert line.dispute == ""


DEAL_WITH_STAYED_RECORDS = "Deal with records that could not be handed over"


@pytest.fixture
def stayed_commitment(world: World) -> Commitment:
    """Return a commitment between Larkhaven and Westmarch, which Larkhaven has taken over with everything else."""
    commitment = agree(world)
    succession = record_absorption(world.westmarch, world.larkhaven)
    propose_and_accept_everything(succession, world.westmarch, world.larkhaven)
    take_effect(succession)
    return commitment


def test_leads_of_the_successor_have_a_task_about_stayed_records(world: World, stayed_commitment: Commitment) -> None:
    tasks = tasks_of_person(world.amina, timezone.now())

    [task] = [task for task in tasks if task.action == DEAL_WITH_STAYED_RECORDS]
    assert task.title == f"1 record of {world.westmarch.display_name}"
    assert task.path == reverse("organisations:without-owner", args=[world.westmarch.pk])
    assert "Say who takes over" not in task_names(world, world.dee)


def test_a_page_lists_records_that_stayed_and_who_must_deal_with_them(
    world: World, stayed_commitment: Commitment
) -> None:
    address = reverse("organisations:without-owner", args=[world.westmarch.pk])

    page = signed_in(world.amina).get(address).content.decode()

    assert stayed_commitment.get_absolute_url() in page
    assert "The leads of Larkhaven Homes must deal with what cannot be handed over" in page


def test_the_succession_says_how_many_records_stayed(world: World, stayed_commitment: Commitment) -> None:
    handover_url = reverse("organisations:handover", args=[Succession.objects.get().pk])

    page = signed_in(world.amina).get(handover_url).content.decode()

    assert "1 record cannot be handed over" in page
    assert reverse("organisations:without-owner", args=[world.westmarch.pk]) in page


def test_the_task_about_stayed_records_ends_with_the_last_of_them(world: World, stayed_commitment: Commitment) -> None:
    commitments.end_commitment(
        commitment=stayed_commitment, reason="We are one now.", author=world.amina, now=timezone.now()
    )

    page = signed_in(world.amina).get(reverse("organisations:without-owner", args=[world.westmarch.pk]))
    assert DEAL_WITH_STAYED_RECORDS not in task_names(world, world.amina)
    assert "Nothing left" in page.content.decode()


SIGNED_BEFORE_UNDOING = "Signed before the succession was undone"


class UndoneMerger(NamedTuple):
    """A merger of Westmarch into Harbour, its undoing, and the terms that Harbour signed in between."""

    merger: Succession
    undoing: Succession
    version: TermsVersion


@pytest.fixture
def undone_merger(world: World) -> UndoneMerger:
    """Undo a merger after which Harbour signed new terms of the Estuary Partnership."""
    merger = record_merger(world)
    propose_and_accept_everything(merger, world.westmarch, world.harbour)
    take_effect(merger)
    version = agree_terms(world.partnership, world.amina)
    undoing = record_undoing(merger)
    take_effect(undoing)
    return UndoneMerger(merger, undoing, version)


def test_a_successors_signature_stays_when_the_succession_is_undone(world: World, undone_merger: UndoneMerger) -> None:
    signatories = {signature.organisation for signature in undone_merger.version.signatures.all()}

    assert signatories == {world.larkhaven, world.harbour}


def test_an_undone_succession_lists_what_the_successor_signed(world: World, undone_merger: UndoneMerger) -> None:
    succession_url = reverse("organisations:succession", args=[undone_merger.merger.pk])

    page = signed_in(world.amina).get(succession_url).content.decode()

    _before, _heading, list_of_signed_records = page.partition(SIGNED_BEFORE_UNDOING)
    assert "Signed the terms" in list_of_signed_records


def test_strangers_do_not_see_what_the_successor_signed(world: World, undone_merger: UndoneMerger) -> None:
    succession_url = reverse("organisations:succession", args=[undone_merger.merger.pk])

    page = signed_in(world.chidi).get(succession_url).content.decode()

    assert SIGNED_BEFORE_UNDOING not in page


def test_a_predecessor_that_takes_part_again_has_to_sign_the_terms_in_force(
    world: World, undone_merger: UndoneMerger
) -> None:
    ask_joined_parties(now=timezone.now())

    assert unbound_organisation_ids(world.partnership, today()) == {world.westmarch.pk}
    assert undone_merger.version.signatories.get(organisation=world.westmarch).joins


def test_a_successors_signature_counts_again_once_the_undoing_is_undone(
    world: World, undone_merger: UndoneMerger
) -> None:
    repeated_succession = record_undoing(undone_merger.undoing)

    take_effect(repeated_succession)

    assert unbound_organisation_ids(world.partnership, today()) == set()


def test_signatures_for_its_own_part_are_not_listed_when_a_succession_is_undone(world: World) -> None:
    now = timezone.now()
    succession = record_merger(world)
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
    take_effect(record_undoing(succession))

    page = signed_in(world.amina).get(reverse("organisations:succession", args=[succession.pk])).content.decode()

    assert SIGNED_BEFORE_UNDOING not in page


def test_a_commitment_that_ended_before_the_day_has_no_line_any_more(world: World) -> None:
    promise = agree(world)
    succession = record_merger(world)
    propose_lines(world, succession, "commitments", promise.pk)
    accept_lines(world, succession)
    commitments.end_commitment(commitment=promise, reason="Not needed.", author=world.ben, now=timezone.now())

    take_effect(succession)

    assert not Handover.objects.exists()


def test_lines_follow_a_successor_that_was_recorded_twice(world: World) -> None:
    promise = agree(world)
    succession = record_merger(world)
    propose_lines(world, succession, "commitments", promise.pk)
    accept_lines(world, succession)
    association = create_council("Harbour Homes Association")
    services.merge_organisations(
        kept=association, merged=world.harbour, reason="Recorded twice.", author=None, now=timezone.now()
    )

    take_effect(succession)

    promise.refresh_from_db()
    assert promise.receiver == association
    assert Handover.objects.get().successor == association


def test_commitment_that_a_body_gives_passes_with_who_is_responsible_for_it(world: World) -> None:
    promise = agree(world)
    succession = record_absorption(world.larkhaven, world.harbour)
    propose_lines(world, succession, "commitments", promise.pk, predecessor=world.larkhaven, author=world.amina)
    accept_lines(world, succession)

    take_effect(succession)

    promise.refresh_from_db()
    assert promise.giver == world.harbour
    assert promise.owner_organisation == world.harbour
    assert held_records_by_kind(world.larkhaven, today(), ["commitments"]) == []


def record_recoding(world: World) -> Succession:
    """Record that Westmarch gets another code today, and continues."""
    return services.record_succession(
        kind="recode",
        status="order_made",
        vests_on=known_day(today()),
        ties=[services.NewTie(world.westmarch, world.westmarch, "continuing")],
        author=None,
        now=timezone.now(),
    )


def test_a_body_that_continues_is_not_asked_who_takes_over(world: World) -> None:
    agree(world)

    record_recoding(world)

    assert "Say who takes over" not in task_names(world, world.ben)


def test_a_body_that_continues_cannot_take_over_from_itself(world: World) -> None:
    promise = agree(world)
    succession = record_recoding(world)

    with pytest.raises(UnableToHandOverLines, match="Choose a successor"):
        propose_lines(world, succession, "commitments", promise.pk, successor=world.westmarch)


class TwoFunctions(NamedTuple):
    """A succession in which Westmarch passes two functions on, and a commitment to it for each of them."""

    succession: Succession
    commitment_for_harbour: Commitment
    commitment_for_tidewater: Commitment

    def receivers(self) -> list[Organisation]:
        """Return the present receivers of both commitments."""
        self.commitment_for_harbour.refresh_from_db()
        self.commitment_for_tidewater.refresh_from_db()
        return [self.commitment_for_harbour.receiver, self.commitment_for_tidewater.receiver]


@pytest.fixture
def two_functions(world: World) -> TwoFunctions:
    """Record that Harbour and Tidewater each take over a function and a commitment, and accept."""
    succession = services.record_succession(
        kind="function_transfer",
        status="order_made",
        vests_on=known_day(today()),
        ties=[
            services.NewTie(world.westmarch, world.harbour, function="housing"),
            services.NewTie(world.westmarch, world.tidewater, function="business_representation"),
        ],
        author=None,
        now=timezone.now(),
    )
    commitment_for_harbour = agree(world)
    commitment_for_tidewater = agree(world)
    propose_lines(world, succession, "commitments", commitment_for_harbour.pk, successor=world.harbour)
    propose_lines(world, succession, "commitments", commitment_for_tidewater.pk, successor=world.tidewater)
    accept_lines(world, succession, author=None)
    return TwoFunctions(succession, commitment_for_harbour, commitment_for_tidewater)


def test_the_page_of_a_handover_says_that_a_body_continues(world: World, two_functions: TwoFunctions) -> None:
    address = reverse("organisations:handover", args=[two_functions.succession.pk])

    page = signed_in(world.ben).get(address).content.decode()

    assert "continues, and keeps " in " ".join(page.split())


def test_a_body_that_passes_two_functions_on_keeps_records_without_a_line(
    world: World, two_functions: TwoFunctions
) -> None:
    take_effect(two_functions.succession)

    world.westmarch.refresh_from_db()
    assert not world.westmarch.is_ended
    assert world.party(world.westmarch).is_present
    assert "Say who takes over" not in task_names(world, world.ben)


def test_two_functions_of_one_body_pass_to_their_successors(world: World, two_functions: TwoFunctions) -> None:
    take_effect(two_functions.succession)

    assert two_functions.receivers() == [world.harbour, world.tidewater]


def test_two_functions_of_one_body_come_back_when_the_succession_is_undone(
    world: World, two_functions: TwoFunctions
) -> None:
    take_effect(two_functions.succession)
    undoing_succession = record_undoing(two_functions.succession)

    take_effect(undoing_succession)

    assert two_functions.receivers() == [world.westmarch, world.westmarch]


def test_two_functions_of_one_body_pass_on_again_when_the_undoing_is_undone(
    world: World, two_functions: TwoFunctions
) -> None:
    take_effect(two_functions.succession)
    undoing_succession = record_undoing(two_functions.succession)
    take_effect(undoing_succession)
    repeated_succession = record_undoing(undoing_succession)

    take_effect(repeated_succession)

    assert two_functions.receivers() == [world.harbour, world.tidewater]


MOVE_RECORDS = "partnerships.organisations.services.handover_batches.move_records"


def propose_both_sides(world: World, commitment: Commitment) -> tuple[Succession, Succession]:
    """Let Harbour take over the commitment's receiver, Westmarch, and Tidewater its giver, Larkhaven."""
    receivers_succession = record_merger(world)
    propose_lines(world, receivers_succession, "commitments", commitment.pk)
    accept_lines(world, receivers_succession)
    givers_succession = record_absorption(world.larkhaven, world.tidewater)
    propose_lines(
        world,
        givers_succession,
        "commitments",
        commitment.pk,
        predecessor=world.larkhaven,
        successor=world.tidewater,
        author=None,
    )
    accept_lines(world, givers_succession, author=None)
    return receivers_succession, givers_succession


FIX_SUCCESSION = "Fix a succession that hands nothing over"


@pytest.fixture
def failing_succession(world: World, monkeypatch: pytest.MonkeyPatch) -> Succession:
    """Return the receiver's succession, after its handover has failed. The giver's succession took effect."""
    succession, _givers_succession = propose_both_sides(world, agree(world))
    move_records = services.handover_batches.move_records  # type: ignore[attr-defined]

    def fail_for_westmarch(kind: Any, records: Any, move: Any) -> Any:
        if move.source == world.westmarch:
            raise RuntimeError("A row is in the way.")
        return move_records(kind, records, move)

    with monkeypatch.context() as patched:
        patched.setattr(MOVE_RECORDS, fail_for_westmarch)
        with pytest.raises(RuntimeError, match="A row is in the way"):
            services.hand_over_due(now=timezone.now())
    return succession


def test_an_error_in_one_succession_does_not_stop_the_others(world: World, failing_succession: Succession) -> None:
    commitment = Commitment.objects.get()

    assert commitment.giver == world.tidewater
    assert commitment.receiver == world.westmarch


def test_administrators_see_why_a_succession_failed(world: World, failing_succession: Succession) -> None:
    succession_url = reverse("organisations:succession", args=[failing_succession.pk])

    page = " ".join(signed_in(world.dee).get(succession_url).content.decode().split())

    assert "We could not hand over or return some accepted records: An unexpected error: RuntimeError." in page
    assert FIX_SUCCESSION in task_names(world, world.dee)
    assert FIX_SUCCESSION not in task_names(world, world.ben)


def test_a_failed_succession_is_tried_again(world: World, failing_succession: Succession) -> None:
    services.hand_over_due(now=timezone.now())

    assert Commitment.objects.get().receiver == world.harbour
    assert FIX_SUCCESSION not in task_names(world, world.dee)


@pytest.fixture
def partnership_to_take_over(world: World) -> Succession:
    """Return a merger with a proposed line, in which Harbour takes over the partnership that it is in itself."""
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
    return succession


def test_a_successor_reads_the_name_of_its_own_partnership_in_a_line(
    world: World, partnership_to_take_over: Succession
) -> None:
    address = reverse("organisations:handover-answer", args=[partnership_to_take_over.pk])

    page = signed_in(world.hana).get(address).content.decode()

    assert "Estuary Partnership" in page


def test_a_successor_that_left_a_partnership_does_not_read_its_new_name(
    world: World, partnership_to_take_over: Succession
) -> None:
    address = reverse("organisations:handover-answer", args=[partnership_to_take_over.pk])
    leave_partnership(party=world.party(world.harbour), reason="Budget.", author=world.hana, now=timezone.now())
    edit_settings(
        partnership=world.partnership, title="Quays", reason="Its name.", author=world.amina, now=timezone.now()
    )

    page = signed_in(world.hana).get(address).content.decode()

    assert f"Partnership {world.partnership.pk}" in page
    assert "Quays" not in page


def test_a_succession_locks_bodies_against_merging_but_not_against_references(world: World) -> None:
    promise = agree(world)
    succession = record_merger(world)
    propose_lines(world, succession, "commitments", promise.pk)
    accept_lines(world, succession)
    services.take_effect(succession=succession, author=None, now=timezone.now())

    with CaptureQueriesContext(connection) as queries:
        services.apply_handovers(succession=succession, now=timezone.now())

    locks = [query["sql"] for query in queries if "FOR NO KEY UPDATE" in query["sql"]]
    assert locks
    assert all('FROM "organisations_organisation"' in sql for sql in locks)


def test_undoing_returns_records_from_a_successor_that_was_merged_since(world: World) -> None:
    promise = agree(world)
    succession = record_merger(world)
    propose_lines(world, succession, "commitments", promise.pk)
    accept_lines(world, succession)
    take_effect(succession)
    services.merge_organisations(
        kept=create_council("Harbour Homes Association"),
        merged=world.harbour,
        reason="Recorded twice.",
        author=None,
        now=timezone.now(),
    )
    undoing_succession = record_undoing(succession)

    take_effect(undoing_succession)

    promise.refresh_from_db()
    assert promise.receiver == world.westmarch


@pytest.fixture
def conversation_with_both_sides(world: World) -> Conversation:
    """Return a record that Harbour has agreed and Westmarch has not. Ben attended for both."""
    join(world.ben, world.harbour, Role.VIEWER, world.now)
    record = circulated_conversation(
        world,
        partnership=None,
        organisations=[world.westmarch, world.harbour],
        attendees=[
            AttendeeInput(world.larkhaven, world.amina),
            AttendeeInput(world.westmarch, world.ben),
            AttendeeInput(world.harbour, world.ben),
        ],
    )
    talk_agree(record, world.harbour, world.hana)
    return record


def accepted_merger_about(world: World, record: Conversation) -> Succession:
    """Return the merger of Westmarch into Harbour, with an accepted line for the conversation."""
    succession = record_merger(world)
    propose_lines(world, succession, "conversations", record.pk)
    accept_lines(world, succession)
    return succession


def test_two_sides_of_a_conversation_are_combined(world: World, conversation_with_both_sides: Conversation) -> None:
    succession = accepted_merger_about(world, conversation_with_both_sides)

    take_effect(succession)

    # Harbour has to agree again, because Westmarch had not agreed.
    assert agreed_by_side(conversation_with_both_sides) == {"Larkhaven Homes": True, "Harbour Community Trust": False}
    assert attendees_of(conversation_with_both_sides) == [
        ("Amina Larch", "Larkhaven Homes"),
        ("Ben West", "Harbour Community Trust"),
    ]
    assert held_records_by_kind(world.westmarch, today(), ["conversations"]) == []


def test_combined_sides_of_a_conversation_are_separated_again(
    world: World, conversation_with_both_sides: Conversation
) -> None:
    succession = accepted_merger_about(world, conversation_with_both_sides)
    take_effect(succession)
    undoing_succession = record_undoing(succession)

    take_effect(undoing_succession)

    assert agreed_by_side(conversation_with_both_sides) == {
        "Larkhaven Homes": True,
        "Westmarch Borough Council": False,
        "Harbour Community Trust": True,
    }
    assert attendees_of(conversation_with_both_sides) == [
        ("Amina Larch", "Larkhaven Homes"),
        ("Ben West", "Harbour Community Trust"),
        ("Ben West", "Westmarch Borough Council"),
    ]


def test_a_record_that_the_successor_agreed_to_does_not_prevent_returning_the_others(world: World) -> None:
    record = circulated_conversation(world)
    promise = agree(world)
    succession = record_merger(world)
    propose_lines(world, succession, "conversations", record.pk)
    propose_lines(world, succession, "commitments", promise.pk)
    accept_lines(world, succession)
    take_effect(succession)
    talk_agree(record, world.harbour, world.hana)
    undoing_succession = record_undoing(succession)

    take_effect(undoing_succession)

    record.refresh_from_db()
    promise.refresh_from_db()
    assert record.status == "agreed"
    assert promise.receiver == world.westmarch
    assert set(agreed_by_side(record)) == {"Larkhaven Homes", "Westmarch Borough Council"}
    # The database does not allow changes to an agreed record.
    assert record.points.filter(organisation=world.harbour).exists()
    assert not succession.moved_rows.exists()


def test_a_side_that_cannot_be_restored_does_not_prevent_returning_the_others(world: World) -> None:
    record = circulated_conversation(world)
    promise = agree(world)
    succession = record_merger(world)
    propose_lines(world, succession, "conversations", record.pk)
    propose_lines(world, succession, "commitments", promise.pk)
    accept_lines(world, succession)
    take_effect(succession)
    record.sides.create(organisation=world.westmarch)
    undoing_succession = record_undoing(succession)

    take_effect(undoing_succession)

    promise.refresh_from_db()
    assert promise.receiver == world.westmarch
    assert set(agreed_by_side(record)) == {"Larkhaven Homes", "Westmarch Borough Council", "Harbour Community Trust"}
    assert record.sides.count() == 3


def agreed_by_side(record: Conversation) -> dict[str, bool]:
    """Return whether each side has agreed to the record, by its name."""
    return {side.organisation.name: side.agreed_at is not None for side in record.sides.all()}


def attendees_of(record: Conversation) -> list[tuple[str, str]]:
    """Return the names of the attendees and of the organisations for which they came, in order."""
    return sorted(record.attendees.values_list("person__name", "organisation__name"))


def test_seats_at_planned_meetings_pass_with_the_part_in_the_partnership(world: World) -> None:
    meeting = planned_meeting(world)
    succession = record_merger(world)
    propose_lines(world, succession, "partnerships", world.partnership.pk)
    accept_lines(world, succession)

    take_effect(succession)

    names = meeting.seats.values_list("organisation__name", flat=True)
    assert set(names) == {"Larkhaven Homes", "Harbour Community Trust"}
