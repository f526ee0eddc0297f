"""Successions survive unusual cases: dates corrected late, undoings undone, and successions recorded again."""

from __future__ import annotations

import datetime as dt
from typing import Any
from unittest.mock import patch

import pytest
from django.urls import reverse
from django.utils import timezone

from partnerships.activity.models import Event
from partnerships.exchange.models import Audience, Entry, Status
from partnerships.kit import journal
from partnerships.kit.dates import PartialDate, known_day
from partnerships.organisations import services
from partnerships.organisations.handovers import estate_of
from partnerships.organisations.holding_counts import count_undecided
from partnerships.organisations.lineage import with_ties
from partnerships.organisations.models import Membership, Merge, Organisation, Role, Succession, SuccessionStatus
from partnerships.organisations.obligations import held_records_by_kind
from partnerships.organisations.presenting import succession_title
from partnerships.organisations.registrations import required_providers
from partnerships.organisations.services import (
    UnableToChangeSuccession,
    UnableToMerge,
    UnableToRecordSuccession,
    handover_batches,
    ties_between,
)
from partnerships.outbox.models import Email
from partnerships.people.models import User
from tests.commitments.promises import agree, propose
from tests.exchange.conftest import shared_entry
from tests.organisations.handing_over import (
    accept_lines,
    create_council,
    propose_and_accept_everything,
    propose_lines,
    record_merger,
    record_undoing,
    take_effect,
    task_names,
)
from tests.support.moments import today, tomorrow
from tests.support.signing_in import signed_in
from tests.world import World, join


def correct_as_ordered(succession: Succession, **fields: Any) -> tuple[str, ...]:
    """Correct a succession as the order says, and return the names of the changed fields."""
    return services.correct_succession(
        succession=succession, reason="As the order says.", author=None, now=timezone.now(), **fields
    )


def record_past_succession(world: World, **fields: Any) -> Succession:
    """Record, by default as a list does, that Westmarch joined Harbour in April 2024."""
    arguments: dict[str, Any] = {"kind": "absorb", "vests_on": PartialDate(2024, 4), "status": "effective"}
    ties = ties_between([world.westmarch], [world.harbour])
    return services.record_succession(ties=ties, now=timezone.now(), **(arguments | {"author": None} | fields))


# ---- Asks and offers between two organisations that become one


def ask_west(world: World) -> Entry:
    """Return an ask in which Larkhaven asks Westmarch by name."""
    return shared_entry(
        world.larkhaven, world.amina, timezone.now(), audience=Audience.NAMED, addressees=[world.westmarch]
    )


def merge_larkhaven_into_westmarch(world: World) -> Merge:
    """Merge the record of Larkhaven into that of Westmarch, as Dee."""
    return services.merge_organisations(
        kept=world.westmarch, merged=world.larkhaven, reason="One body.", author=world.dee, now=timezone.now()
    )


def test_ask_between_two_records_is_withdrawn_with_a_reason_when_they_are_merged(world: World) -> None:
    ask = ask_west(world)

    merge_larkhaven_into_westmarch(world)

    ask.refresh_from_db()
    assert ask.status == Status.WITHDRAWN
    assert not ask.is_open
    assert ask.organisation == world.westmarch
    assert "is now on both sides" in ask.reason
    assert Event.objects.filter(kind="ask.withdrawn", target_id=ask.pk, actor_id=world.dee.pk).exists()


def test_ask_withdrawn_by_a_merge_opens_again_when_the_merge_is_undone(world: World) -> None:
    ask = ask_west(world)
    merge = merge_larkhaven_into_westmarch(world)

    services.undo_merge(merge=merge, reason="Two bodies.", author=world.dee, now=timezone.now())

    ask.refresh_from_db()
    assert ask.status == Status.SHARED
    assert ask.is_open
    assert ask.organisation == world.larkhaven


def test_ask_between_two_bodies_that_become_one_is_withdrawn_on_the_day(world: World) -> None:
    ask = ask_west(world)
    successor = create_council("One Council")
    succession = services.record_succession(
        kind="merge",
        status="order_made",
        vests_on=known_day(today()),
        ties=ties_between([world.larkhaven, world.westmarch], [successor]),
        author=None,
        now=timezone.now(),
    )
    propose_and_accept_everything(succession, world.larkhaven, successor)
    propose_and_accept_everything(succession, world.westmarch, successor)

    take_effect(succession)

    ask.refresh_from_db()
    assert ask.status == Status.WITHDRAWN
    assert ask.organisation == successor


def test_ask_with_other_addressees_stays_open(world: World) -> None:
    ask = shared_entry(
        world.larkhaven,
        world.amina,
        timezone.now(),
        audience=Audience.NAMED,
        addressees=[world.westmarch, world.tidewater],
    )

    services.merge_organisations(
        kept=world.westmarch, merged=world.larkhaven, reason="One body.", author=None, now=timezone.now()
    )

    ask.refresh_from_db()
    assert ask.status == Status.SHARED
    assert ask.is_open


# ---- Signing in, and memberships with a last day


def require_own_sign_in(organisation: Organisation, page: str) -> None:
    Organisation.objects.filter(pk=organisation.pk).update(
        sign_in_provider=page, own_sign_in_required_at=timezone.now(), second_factor_required=True
    )
    organisation.refresh_from_db()


@pytest.fixture
def merge_of_strict_record(world: World) -> Merge:
    """Merge Riverside, which has required its own sign-in page for a year, into Harbour, which required nothing."""
    require_own_sign_in(world.riverside, "riverside")
    last_year = timezone.now() - dt.timedelta(days=365)
    Organisation.objects.filter(pk=world.riverside.pk).update(own_sign_in_required_at=last_year)
    merge = services.merge_organisations(
        kept=world.harbour, merged=world.riverside, reason="Recorded twice.", author=world.dee, now=timezone.now()
    )
    world.harbour.refresh_from_db()
    return merge


@pytest.mark.usefixtures("merge_of_strict_record")
def test_the_kept_record_requires_at_sign_in_what_the_other_required(world: World) -> None:
    assert world.harbour.sign_in_provider == "riverside"
    assert world.harbour.second_factor_required


@pytest.mark.usefixtures("merge_of_strict_record")
def test_leads_of_the_kept_record_can_use_their_passwords_for_a_day_after_a_merge(world: World) -> None:
    providers_now = required_providers(world.hana, timezone.now())
    providers_in_two_days = required_providers(world.hana, timezone.now() + dt.timedelta(days=2))

    assert providers_now == set()
    assert providers_in_two_days == {"riverside"}


def test_undoing_a_merge_undoes_its_sign_in_rules(world: World, merge_of_strict_record: Merge) -> None:
    services.undo_merge(merge=merge_of_strict_record, reason="Two bodies.", author=world.dee, now=timezone.now())

    world.harbour.refresh_from_db()
    assert not world.harbour.asks_more_at_sign_in


def recipients_of_sign_in_emails() -> list[str]:
    """Return the names of those who were emailed about sign-in rules, once for each email."""
    person_ids = Email.objects.filter(kind="organisations.ways_in").values_list("person_id", flat=True)
    return sorted(User.objects.get(pk=person_id).name for person_id in person_ids)


@pytest.mark.usefixtures("merge_of_strict_record")
def test_a_merge_emails_leads_about_its_sign_in_rules() -> None:
    assert recipients_of_sign_in_emails() == ["Hana Harbour", "Nadia River"]


def test_undoing_a_merge_emails_the_lead_of_the_kept_record_again(world: World, merge_of_strict_record: Merge) -> None:
    services.undo_merge(merge=merge_of_strict_record, reason="Two bodies.", author=world.dee, now=timezone.now())

    assert recipients_of_sign_in_emails() == ["Hana Harbour", "Hana Harbour", "Nadia River"]


def test_records_with_two_sign_in_pages_are_not_merged(world: World) -> None:
    require_own_sign_in(world.riverside, "riverside")
    require_own_sign_in(world.harbour, "harbour")

    with pytest.raises(UnableToMerge, match="different pages"):
        services.merge_organisations(
            kept=world.harbour, merged=world.riverside, reason="Recorded twice.", author=None, now=timezone.now()
        )


#: How many days Vera's membership of Westmarch still lasts.
DAYS_OF_MEMBERSHIP = 40


@pytest.fixture
def merger_with_temporary_editor(world: World) -> Succession:
    """Return a merger of Westmarch into Harbour, where Vera is an editor of Westmarch for forty days more."""
    last_day = today() + dt.timedelta(days=DAYS_OF_MEMBERSHIP)
    join(world.vera, world.westmarch, Role.EDITOR, world.now - dt.timedelta(days=1))
    Membership.objects.filter(person=world.vera, organisation=world.westmarch).update(ends_on=last_day)
    succession = record_merger(world)
    propose_and_accept_everything(succession, world.westmarch, world.harbour)
    return succession


def test_membership_with_a_last_day_passes_on_until_that_day(
    world: World, merger_with_temporary_editor: Succession
) -> None:
    take_effect(merger_with_temporary_editor)

    membership = Membership.objects.current().get(person=world.vera, organisation=world.harbour)
    events = Event.objects.filter(target_kind="membership", target_id=membership.pk)
    assert membership.role == "editor"
    assert membership.ends_on == today() + dt.timedelta(days=DAYS_OF_MEMBERSHIP)
    assert list(events.values_list("kind", flat=True)) == ["membership.added"]
    assert not Membership.objects.current().filter(organisation=world.westmarch).exists()


def test_a_restore_does_not_end_a_membership_that_passed_on_with_a_last_day(
    world: World, merger_with_temporary_editor: Succession
) -> None:
    with patch.object(journal, "note_all", wraps=journal.note_all) as note_all:
        take_effect(merger_with_temporary_editor)

    membership = Membership.objects.current().get(person=world.vera, organisation=world.harbour)
    journal_lines = [line for call in note_all.call_args_list for line in call.args[1]]
    (line_of_membership,) = [line for line in journal_lines if line.get("membership") == membership.pk]
    assert line_of_membership["undone"] is True


def test_undoing_a_merger_returns_a_membership_with_its_last_day(
    world: World, merger_with_temporary_editor: Succession
) -> None:
    take_effect(merger_with_temporary_editor)
    undoing_succession = record_undoing(merger_with_temporary_editor)

    take_effect(undoing_succession)

    membership = Membership.objects.current().get(person=world.vera, organisation=world.westmarch)
    assert membership.ends_on == today() + dt.timedelta(days=DAYS_OF_MEMBERSHIP)


# ---- What is left


@pytest.fixture
def merger_with_records_left(world: World) -> Succession:
    """Return a merger in force, after which Westmarch still has a commitment and its people."""
    agree(world)
    succession = record_merger(world)
    take_effect(succession)
    return succession


def test_remaining_records_are_a_task_of_the_predecessors_leads(
    world: World, merger_with_records_left: Succession
) -> None:
    assert "Say who takes over" in task_names(world, world.ben)
    assert estate_of(merger_with_records_left, world.westmarch, today()).is_led


def test_remaining_records_are_for_administrators_once_the_people_have_passed_on(
    world: World, merger_with_records_left: Succession
) -> None:
    (people,) = held_records_by_kind(world.westmarch, today(), ["people"])
    propose_lines(world, merger_with_records_left, "people", *[record.pk for record in people.records])
    accept_lines(world, merger_with_records_left)

    services.hand_over_due(now=timezone.now())

    address = reverse("organisations:handover", args=[merger_with_records_left.pk])
    page = signed_in(world.hana).get(address).content.decode()
    assert "Say who takes over" not in task_names(world, world.ben)
    assert "an administrator must decide" in page


# ---- Undoing


@pytest.fixture
def effective_merger(world: World) -> Succession:
    """Return a merger in force, with which all records of Westmarch passed to Harbour, among them a commitment."""
    agree(world)
    succession = record_merger(world)
    propose_and_accept_everything(succession, world.westmarch, world.harbour)
    take_effect(succession)
    return succession


@pytest.fixture
def half_returned_merger(effective_merger: Succession, monkeypatch: pytest.MonkeyPatch) -> Succession:
    """Return a merger that has been undone, but only one of whose records has been returned."""
    services.take_effect(succession=record_undoing(effective_merger), author=None, now=timezone.now())
    monkeypatch.setattr(handover_batches, "BATCH", 1)
    handover_batches._undo_batch(effective_merger.pk, timezone.now())
    return effective_merger


def test_an_undoing_is_not_undone_while_records_are_being_returned(half_returned_merger: Succession) -> None:
    repeated_succession = record_undoing(half_returned_merger.undone_by.get())

    with pytest.raises(UnableToChangeSuccession, match="still being returned"):
        services.take_effect(succession=repeated_succession, author=None, now=timezone.now())


def test_an_undoing_is_undone_once_all_records_have_been_returned(half_returned_merger: Succession) -> None:
    repeated_succession = record_undoing(half_returned_merger.undone_by.get())
    services.undo_handovers(succession=half_returned_merger, now=timezone.now())

    passed_line_count = take_effect(repeated_succession)

    lines = half_returned_merger.handovers
    assert passed_line_count == lines.count()
    assert lines.filter(state="applied").count() == lines.count()


@pytest.fixture
def pending_undoing(world: World, effective_merger: Succession) -> Succession:
    """Return a succession of tomorrow that undoes a merger, and after which Harbour does not continue."""
    undoing_succession = record_undoing(effective_merger, tomorrow())
    Succession.objects.filter(pk=undoing_succession.pk).update(kind="replace")
    undoing_succession.ties.filter(predecessor=world.harbour, successor=world.harbour).delete()
    return undoing_succession


def test_a_pending_undoing_counts_the_records_without_a_line(world: World, pending_undoing: Succession) -> None:
    undecided_count = count_undecided(pending_undoing, world.harbour, today())

    assert undecided_count == estate_of(pending_undoing, world.harbour, today()).without_line


def test_a_pending_undoing_counts_a_record_that_was_added_since(world: World, pending_undoing: Succession) -> None:
    count_before = count_undecided(pending_undoing, world.harbour, today())

    propose(world, receiver=world.harbour)

    assert count_undecided(pending_undoing, world.harbour, today()) == count_before + 1
    assert "Say who takes over" in task_names(world, world.hana)


# ---- Correcting


def test_vesting_day_is_not_corrected_past_the_day_that_undoes_it(world: World) -> None:
    succession = record_merger(world, days=10)
    record_undoing(succession, today() + dt.timedelta(days=20))

    with pytest.raises(UnableToRecordSuccession, match="Another succession undoes this one"):
        correct_as_ordered(succession, vests_on=known_day(today() + dt.timedelta(days=30)))


def test_vesting_day_can_be_corrected_to_a_day_before_it_is_undone(world: World) -> None:
    succession = record_merger(world, days=10)
    record_undoing(succession, today() + dt.timedelta(days=20))

    changed_fields = correct_as_ordered(succession, vests_on=known_day(today() + dt.timedelta(days=15)))

    assert changed_fields == ("vests_on",)


def test_month_of_a_past_succession_becomes_a_day_of_that_month(world: World) -> None:
    succession = record_past_succession(world)

    changed_fields = correct_as_ordered(succession, vests_on=PartialDate(2024, 4, 1))

    assert changed_fields == ("vests_on",)


def test_month_of_a_past_succession_does_not_become_a_day_of_another_month(world: World) -> None:
    succession = record_past_succession(world)

    with pytest.raises(UnableToChangeSuccession, match="has already taken effect"):
        correct_as_ordered(succession, vests_on=PartialDate(2024, 5, 1))


def test_day_of_a_past_succession_does_not_become_another_day(world: World) -> None:
    succession = record_past_succession(world)
    correct_as_ordered(succession, vests_on=PartialDate(2024, 4, 1))

    with pytest.raises(UnableToChangeSuccession, match="has already taken effect"):
        correct_as_ordered(succession, vests_on=PartialDate(2024, 4, 2))


@pytest.fixture
def rename_before_the_first_day(world: World) -> Succession:
    """Return a rename of Westmarch nine days ago, although its first day was five days ago."""
    Organisation.objects.filter(pk=world.westmarch.pk).update(valid_from=today() - dt.timedelta(days=5))
    return services.record_succession(
        kind="rename",
        status="order_made",
        vests_on=known_day(today() - dt.timedelta(days=9)),
        ties=ties_between([world.westmarch], [world.westmarch]),
        new_name="West March Council",
        author=None,
        now=timezone.now(),
    )


def test_name_does_not_change_before_the_first_day(rename_before_the_first_day: Succession) -> None:
    with pytest.raises(UnableToChangeSuccession, match="before its first day"):
        services.take_effect(succession=rename_before_the_first_day, author=None, now=timezone.now())


def test_rename_before_the_first_day_stays_pending_when_it_is_due(rename_before_the_first_day: Succession) -> None:
    services.hand_over_due(now=timezone.now())

    rename_before_the_first_day.refresh_from_db()
    assert rename_before_the_first_day.status == SuccessionStatus.ORDER_MADE


def test_recording_a_succession_again_adds_missing_details(world: World) -> None:
    succession = record_past_succession(world, source="The register")

    repeated_record = record_past_succession(
        world, author=world.dee, instrument="SI 2024/1", source="The register", reason="Found it."
    )

    assert repeated_record.pk == succession.pk
    assert repeated_record.instrument == "SI 2024/1"
    event = Event.objects.filter(kind="organisation.succession_corrected", target_id=world.westmarch.pk).get()
    assert event.actor_id == world.dee.pk
    assert event.data["reason"] == "Found it."


def test_contradicting_details_from_a_person_are_refused(world: World) -> None:
    record_past_succession(world, instrument="SI 2024/1")

    with pytest.raises(UnableToRecordSuccession, match="recorded with other details"):
        record_past_succession(world, author=world.dee, instrument="SI 2024/2")


def test_contradicting_details_from_a_list_are_ignored(world: World) -> None:
    record_past_succession(world, instrument="SI 2024/1")

    repeated_record = record_past_succession(world, instrument="SI 2024/2")

    assert repeated_record.instrument == "SI 2024/1"


def test_title_has_a_plural_verb_for_several_predecessors(world: World) -> None:
    succession = services.record_succession(
        kind="absorb",
        vests_on=known_day(tomorrow()),
        ties=ties_between([world.westmarch, world.riverside], [world.harbour]),
        author=None,
        now=timezone.now(),
    )

    title = succession_title(with_ties(Succession.objects.filter(pk=succession.pk)).get())

    assert title == "Riverside Design and Westmarch Borough Council join Harbour Community Trust"
