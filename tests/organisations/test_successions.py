"""Successions are recorded, change status, take effect and are undone."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from django.utils.html import strip_tags

from partnerships.activity.models import Change, Event
from partnerships.kit.dates import PartialDate, known_day
from partnerships.organisations.lineage import responsible_body_for, successors_on
from partnerships.organisations.models import Organisation, Scheme, Status, Succession, SuccessionStatus, SuccessionTie
from partnerships.organisations.queries import find_organisations
from partnerships.organisations.services import (
    NewTie,
    UnableToChangeSuccession,
    UnableToRecordSuccession,
    add_identifier,
    add_tie,
    change_succession_status,
    correct_succession,
    create_organisation,
    record_succession,
    take_effect,
    ties_between,
    undo_succession,
)
from partnerships.organisations.succession_tasks import action_needed
from tests.support.moments import today
from tests.support.signing_in import signed_in
from tests.world import World


def create_body(name: str, kind: str, **fields: Any) -> Organisation:
    """Create an organisation of this kind, and return it."""
    return create_organisation(name=name, kind=kind, author=None, now=timezone.now(), **fields)


def record_merger(world: World, **fields: Any) -> Succession:
    """Record that Larkhaven and Tidewater become Skylark today; the order has been made."""
    arguments: dict[str, Any] = {
        "kind": "merge",
        "status": "order_made",
        "vests_on": known_day(today()),
        **fields,
    }
    skylark = Organisation.objects.filter(name="Skylark Homes").first() or create_body(
        "Skylark Homes", "registered_provider", status=Status.SHADOW
    )
    ties = ties_between([world.larkhaven, world.tidewater], [skylark])
    return record_succession(ties=ties, author=world.dee, now=timezone.now(), **arguments)


def change_status(succession: Succession, to: str, world: World, reason: str = "The board decided.") -> None:
    """Change the status of a succession, as Dee."""
    change_succession_status(succession=succession, to=to, reason=reason, author=world.dee, now=timezone.now())


def reloaded(record: Any) -> Any:
    """Refresh a record from the database, and return it."""
    record.refresh_from_db()
    return record


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"ties": []}, "at least one"),
        ({"kind": "function_transfer"}, "which function"),
        ({"status": "order_made", "vests_on": None}, "vesting day"),
        ({"status": "effective", "vests_on": PartialDate(2099)}, "before its vesting day"),
        ({"shadow_on": PartialDate(2099), "vests_on": PartialDate(2030)}, "must come before"),
    ],
)
def test_an_impossible_succession_is_refused(world: World, fields: dict[str, Any], words: str) -> None:
    ties = ties_between([world.larkhaven], [world.tidewater])
    arguments: dict[str, Any] = {"kind": "absorb", "vests_on": PartialDate(2099), "ties": ties} | fields

    with pytest.raises(UnableToRecordSuccession, match=words):
        record_succession(author=world.dee, now=timezone.now(), **arguments)

    assert not Succession.objects.exists()


@pytest.mark.parametrize(
    ("share", "geography", "words"),
    [
        ("0.5", "", "Enter the areas in which"),
        ("0.5", "LAD 2025", "must add up to 100 per cent"),
        ("1.5", "LAD 2025", "more than 0"),
    ],
)
def test_an_impossible_share_of_an_area_is_refused(world: World, share: str, geography: str, words: str) -> None:
    tie = NewTie(world.larkhaven, world.tidewater, share=Decimal(share), geography=geography)

    with pytest.raises(UnableToRecordSuccession, match=words):
        record_succession(kind="absorb", vests_on=PartialDate(2099), ties=[tie], author=world.dee, now=timezone.now())

    assert not Succession.objects.exists()


def test_a_change_of_status_needs_a_reason(world: World) -> None:
    succession = record_merger(world, status="proposed")

    with pytest.raises(UnableToChangeSuccession, match="reason"):
        change_status(succession, "consulted", world, reason=" ")


def test_a_change_of_status_is_in_the_history_of_each_organisation(world: World) -> None:
    succession = record_merger(world, status="proposed")

    change_status(succession, "consulted", world, reason="Answers came in by May.")

    events = Event.objects.filter(kind="organisation.succession_status_changed")
    assert {event.data["reason"] for event in events} == {"Answers came in by May."}
    assert events.filter(target_id=world.larkhaven.pk).exists()
    assert events.filter(target_id=world.tidewater.pk).exists()
    assert Change.objects.filter(event__in=events, subject__record_id=world.larkhaven.pk).count() == 1


@pytest.fixture
def rival_proposals(world: World) -> tuple[Succession, Succession]:
    """Return a proposed merger and a rival of it, two proposals for the same place."""
    merger = record_merger(world, status="proposed", place="Estuary", proposal="One body")
    rival = record_succession(
        kind="absorb",
        vests_on=known_day(today()),
        ties=ties_between([world.larkhaven], [world.harbour]),
        place="Estuary",
        proposal="Join the trust",
        author=world.dee,
        now=timezone.now(),
    )
    return merger, rival


def test_no_order_is_made_while_a_rival_proposal_is_open(
    world: World, rival_proposals: tuple[Succession, Succession]
) -> None:
    merger, _rival = rival_proposals

    with pytest.raises(UnableToChangeSuccession, match="Join the trust"):
        change_status(merger, "order_made", world)


def test_an_order_is_made_once_the_rival_proposal_is_cancelled(
    world: World, rival_proposals: tuple[Succession, Succession]
) -> None:
    merger, rival = rival_proposals
    change_status(rival, "cancelled", world)

    change_status(merger, "order_made", world)

    assert reloaded(merger).status == SuccessionStatus.ORDER_MADE


def test_a_cancelled_proposal_cannot_be_proposed_again(
    world: World, rival_proposals: tuple[Succession, Succession]
) -> None:
    _merger, rival = rival_proposals
    change_status(rival, "cancelled", world)

    with pytest.raises(UnableToChangeSuccession, match="already"):
        change_status(rival, "proposed", world)


def test_a_merger_does_not_take_effect_before_its_vesting_day(world: World) -> None:
    succession = record_merger(world, vests_on=known_day(today() + dt.timedelta(1)))

    with pytest.raises(UnableToChangeSuccession, match="cannot take effect before"):
        take_effect(succession=succession, author=None, now=timezone.now())


def test_a_merger_ends_predecessors_and_starts_the_successor(world: World) -> None:
    succession = record_merger(world)
    skylark = Organisation.objects.get(name="Skylark Homes")

    take_effect(succession=succession, author=None, now=timezone.now())

    assert reloaded(world.larkhaven).status == Status.DISSOLVED
    assert world.larkhaven.valid_to == today()
    assert reloaded(skylark).status == Status.ACTIVE
    assert skylark.valid_from == today()


def test_a_merger_takes_effect_only_once(world: World) -> None:
    succession = record_merger(world)
    take_effect(succession=succession, author=None, now=timezone.now())

    took_effect_again = take_effect(succession=succession, author=None, now=timezone.now())

    assert took_effect_again is False
    assert Event.objects.filter(kind="organisation.ended", target_id=world.larkhaven.pk).count() == 1


def test_a_vesting_day_known_to_the_month_is_not_enough_to_take_effect(world: World) -> None:
    succession = record_merger(world, vests_on=PartialDate(today().year - 1, 4))

    with pytest.raises(UnableToChangeSuccession, match="A month or year is not enough"):
        take_effect(succession=succession, author=None, now=timezone.now())


def undo(succession: Succession, world: World, *, vests_on: dt.date) -> Succession:
    """Record a succession that undoes another one, make it take effect, and return it."""
    undoing_succession = undo_succession(
        succession=succession,
        vests_on=known_day(vests_on),
        status="order_made",
        reason="The court quashed it.",
        author=world.dee,
        now=timezone.now(),
    )
    take_effect(succession=undoing_succession, author=None, now=timezone.now())
    return undoing_succession


@pytest.fixture
def past_merger(world: World) -> Succession:
    """Return the merger of Larkhaven and Tidewater into Skylark Homes, which took effect 20 days ago."""
    merger = record_merger(world, vests_on=known_day(today() - dt.timedelta(20)))
    take_effect(succession=merger, author=None, now=timezone.now())
    return merger


def statuses_of_merged_bodies(world: World) -> list[str]:
    """Return the statuses of Larkhaven, Tidewater and Skylark Homes."""
    skylark = Organisation.objects.get(name="Skylark Homes")
    return [reloaded(organisation).status for organisation in (world.larkhaven, world.tidewater, skylark)]


def test_undoing_a_merger_starts_its_predecessors_and_ends_its_successor(world: World, past_merger: Succession) -> None:
    undo(past_merger, world, vests_on=today() - dt.timedelta(10))

    assert statuses_of_merged_bodies(world) == [Status.ACTIVE, Status.ACTIVE, Status.DISSOLVED]


def test_undoing_the_undoing_of_a_merger_merges_its_predecessors_again(world: World, past_merger: Succession) -> None:
    undoing_succession = undo(past_merger, world, vests_on=today() - dt.timedelta(10))

    undo(undoing_succession, world, vests_on=today())

    assert statuses_of_merged_bodies(world) == [Status.DISSOLVED, Status.DISSOLVED, Status.ACTIVE]


@pytest.mark.parametrize(
    ("days_ago", "responsible_body"),
    [
        pytest.param(21, "Larkhaven Homes", id="before the merger"),
        pytest.param(20, "Skylark Homes", id="on its day"),
        pytest.param(11, "Skylark Homes", id="before its undoing"),
        pytest.param(10, "Larkhaven Homes", id="on the day of its undoing"),
        pytest.param(1, "Larkhaven Homes", id="before its repetition"),
        pytest.param(0, "Skylark Homes", id="on the day of its repetition"),
    ],
)
def test_responsibility_follows_a_merger_its_undoing_and_its_repetition(
    world: World, past_merger: Succession, days_ago: int, responsible_body: str
) -> None:
    undoing_succession = undo(past_merger, world, vests_on=today() - dt.timedelta(10))
    undo(undoing_succession, world, vests_on=today())
    day = today() - dt.timedelta(days_ago)

    answer = responsible_body_for(function="landlord", organisation=world.larkhaven, day=day)

    assert answer.body == Organisation.objects.get(name=responsible_body).pk


def test_an_undoing_cannot_be_undone_twice(world: World, past_merger: Succession) -> None:
    undoing_succession = undo(past_merger, world, vests_on=today() - dt.timedelta(10))
    undo(undoing_succession, world, vests_on=today())

    with pytest.raises(UnableToRecordSuccession, match="already"):
        undo(undoing_succession, world, vests_on=today())


def test_a_merger_is_undone_and_done_again_on_one_day(world: World) -> None:
    merger = record_merger(world)
    take_effect(succession=merger, author=None, now=timezone.now())
    undoing_succession = undo(merger, world, vests_on=today())

    repeated_merger = undo(undoing_succession, world, vests_on=today())

    skylark = Organisation.objects.get(name="Skylark Homes")
    answer = responsible_body_for(function="landlord", organisation=world.larkhaven, day=today())
    assert reloaded(repeated_merger).status == SuccessionStatus.EFFECTIVE
    assert repeated_merger not in (merger, undoing_succession)
    assert reloaded(world.larkhaven).status == Status.DISSOLVED
    assert skylark.status == Status.ACTIVE
    assert answer.body == skylark.pk


def test_the_sources_of_an_effective_succession_are_corrected(world: World, past_merger: Succession) -> None:
    correct_succession(
        succession=past_merger,
        instrument="Resolution of 3 March",
        reason="A slip.",
        author=world.dee,
        now=timezone.now(),
    )

    assert reloaded(past_merger).instrument == "Resolution of 3 March"


@pytest.mark.parametrize("fields", [{"vests_on": PartialDate(2020)}, {"kind": "absorb"}])
def test_the_day_and_kind_of_an_effective_succession_are_not_corrected(
    world: World, past_merger: Succession, fields: dict[str, Any]
) -> None:
    with pytest.raises(UnableToChangeSuccession, match="Undo it with another succession"):
        correct_succession(succession=past_merger, reason="A slip.", author=world.dee, now=timezone.now(), **fields)


def test_the_ties_of_an_effective_succession_are_not_corrected(world: World, past_merger: Succession) -> None:
    other_ties = ties_between([world.larkhaven], [world.harbour])

    with pytest.raises(UnableToChangeSuccession, match="Undo it with another succession"):
        correct_succession(
            succession=past_merger, ties=other_ties, reason="A slip.", author=world.dee, now=timezone.now()
        )


@pytest.fixture
def divided_lep(world: World) -> Organisation:
    """Return a LEP, one of whose functions passed to Westmarch in 2024, and another to a combined authority."""
    lep = create_body("Estuary LEP", "lep")
    authority = create_body("Estuary Combined Authority", "strategic_authority")
    succession = record_succession(
        kind="function_transfer",
        status="order_made",
        vests_on=PartialDate(2024, 4, 1),
        ties=[
            NewTie(lep, world.westmarch, function="business_representation"),
            NewTie(lep, authority, function="strategic_economic_planning"),
        ],
        author=world.dee,
        now=timezone.now(),
    )
    take_effect(succession=succession, author=None, now=timezone.now())
    return lep


@pytest.mark.parametrize(
    ("function", "responsible_body"),
    [
        ("business_representation", "Westmarch Borough Council"),
        ("strategic_economic_planning", "Estuary Combined Authority"),
        ("government_programmes", "Estuary LEP"),
    ],
)
def test_two_functions_of_a_lep_pass_to_two_bodies(
    divided_lep: Organisation, function: str, responsible_body: str
) -> None:
    answer = responsible_body_for(function=function, organisation=divided_lep, day=dt.date(2024, 4, 1))

    assert answer.body == Organisation.objects.get(name=responsible_body).pk


def test_a_lep_lives_on_beside_the_successors_of_its_functions(divided_lep: Organisation) -> None:
    successors = successors_on(divided_lep)

    assert [successor.name for successor in successors] == ["Estuary Combined Authority", "Westmarch Borough Council"]
    assert not reloaded(divided_lep).is_ended


def test_a_provider_transfers_its_engagements_to_another(world: World, client: Client) -> None:
    succession = record_succession(
        kind="transfer_of_engagements",
        status="order_made",
        vests_on=known_day(today()),
        ties=ties_between([world.larkhaven], [world.tidewater]),
        author=world.dee,
        now=timezone.now(),
    )
    take_effect(succession=succession, author=None, now=timezone.now())
    client.force_login(world.vera)

    page = client.get(reverse("organisations:detail", args=[world.larkhaven.pk])).content.decode()

    assert reloaded(world.larkhaven).is_ended
    assert not reloaded(world.tidewater).is_ended
    assert "Transferred its engagements to" in page


@pytest.fixture
def pending_rename(world: World) -> Succession:
    """Return the rename of Larkhaven to Skylark Homes, which was due three days ago but has not taken effect."""
    return record_succession(
        kind="rename",
        status="order_made",
        vests_on=known_day(today() - dt.timedelta(3)),
        ties=[NewTie(world.larkhaven, world.larkhaven, "continuing")],
        new_name="Skylark Homes",
        author=world.dee,
        now=timezone.now(),
    )


def test_a_rename_counts_from_its_day(world: World, pending_rename: Succession) -> None:
    day_of_rename = today() - dt.timedelta(3)

    take_effect(succession=pending_rename, author=None, now=timezone.now())

    assert reloaded(world.larkhaven).name == "Skylark Homes"
    assert world.larkhaven.names.get(name="Larkhaven Homes").valid_to == day_of_rename
    assert world.larkhaven.names.get(name="Skylark Homes").valid_from == day_of_rename


@pytest.mark.parametrize("text", ["larkhaven homes", "skylark"])
def test_a_renamed_organisation_is_found_by_both_names(world: World, pending_rename: Succession, text: str) -> None:
    take_effect(succession=pending_rename, author=None, now=timezone.now())

    found_organisations = find_organisations(user=world.vera, text=text)

    assert list(found_organisations) == [world.larkhaven]


@pytest.fixture
def fields_of_split(world: World) -> dict[str, str]:
    """Return the fields of a form that records the split of Westmarch, which has a GSS code."""
    world.westmarch.identifiers.create(scheme=Scheme.GSS, value="E07999999")
    return {
        "kind": "split",
        "status": "consulted",
        "vests_on": "April 2098",
        "predecessors": "e07999999\n",
        "successors": "Larkhaven Homes\nTidewater Housing Group",
        "source": "Their boards, 3 March",
    }


def test_an_administrator_records_a_succession_by_names_and_numbers(
    world: World, client: Client, fields_of_split: dict[str, str]
) -> None:
    client.force_login(world.dee)

    response = client.post(reverse("organisations:record-succession"), fields_of_split)

    succession = Succession.objects.get()
    page = client.get(reverse("organisations:detail", args=[world.westmarch.pk])).content.decode()
    assert response.status_code == 302
    assert str(succession.vests_on) == "2098-04"
    assert {tie.successor for tie in succession.ties.all()} == {world.larkhaven, world.tidewater}
    assert " ".join(page.split()).count("Divides into") == 1
    assert "in April 2098" in page


def test_a_succession_with_an_unknown_name_is_refused(
    world: World, client: Client, fields_of_split: dict[str, str]
) -> None:
    client.force_login(world.dee)

    response = client.post(reverse("organisations:record-succession"), fields_of_split | {"successors": "Nobody Homes"})

    assert response.status_code == 422
    assert "“Nobody Homes” is not in the directory." in response.content.decode()
    assert not Succession.objects.exists()


def record_order_of_larkhaven(administrator: Client, **fields: str) -> HttpResponse:
    """Record a succession of April 2098 whose successor is Larkhaven, on the administrator's page."""
    common_fields = {"status": "order_made", "vests_on": "4/2098", "successors": "Larkhaven Homes"}
    return administrator.post(reverse("organisations:record-succession"), common_fields | fields)


def test_an_administrator_records_a_rename(world: World) -> None:
    response = record_order_of_larkhaven(
        signed_in(world.dee), kind="rename", new_name="Skylark Homes", predecessors="Larkhaven Homes"
    )

    tie = SuccessionTie.objects.get()
    assert response.status_code == 302
    assert tie.succession.kind == "rename"
    assert tie.predecessor == world.larkhaven
    assert tie.successor == world.larkhaven
    assert tie.role == "continuing"


def test_an_administrator_records_a_merger_into_one_that_continues(world: World) -> None:
    response = record_order_of_larkhaven(
        signed_in(world.dee), kind="merge", predecessors="Larkhaven Homes\nTidewater Housing Group"
    )

    ties = SuccessionTie.objects.order_by("pk").values_list("succession__kind", "predecessor", "successor", "role")
    assert response.status_code == 302
    assert list(ties) == [
        ("merge", world.larkhaven.pk, world.larkhaven.pk, "continuing"),
        ("merge", world.tidewater.pk, world.larkhaven.pk, "successor"),
    ]


@pytest.fixture
def proposed_merger(world: World) -> Succession:
    """Return a proposed merger in April 2098."""
    return record_merger(world, status="proposed", vests_on=PartialDate(2098, 4, 1))


def send_as_administrator(world: World, succession: Succession, route: str, **fields: str) -> int:
    """Send a form about the succession as Dee, and return the status code."""
    response = signed_in(world.dee).post(reverse(f"organisations:{route}", args=[succession.pk]), fields)
    return response.status_code


def history_of(world: World, succession: Succession) -> str:
    """Return the page of the succession, which ends with its history."""
    return signed_in(world.dee).get(reverse("organisations:succession", args=[succession.pk])).content.decode()


def test_an_administrator_changes_the_status_of_a_succession(world: World, proposed_merger: Succession) -> None:
    status_code = send_as_administrator(
        world, proposed_merger, "succession-status", status="order_made", reason="Order 12."
    )

    assert status_code == 302
    assert reloaded(proposed_merger).status == SuccessionStatus.ORDER_MADE
    assert "Order 12." in history_of(world, proposed_merger)


def test_an_administrator_corrects_the_vesting_day_of_a_succession(world: World, proposed_merger: Succession) -> None:
    status_code = send_as_administrator(
        world, proposed_merger, "correct-succession", kind="merge", vests_on="2099", reason="Put off."
    )

    assert status_code == 302
    assert str(reloaded(proposed_merger).vests_on) == "2099"
    assert "Put off." in history_of(world, proposed_merger)


def test_an_administrator_adds_a_successor_for_one_function(world: World, proposed_merger: Succession) -> None:
    status_code = send_as_administrator(
        world,
        proposed_merger,
        "add-tie",
        predecessor="Larkhaven Homes",
        successor="Harbour Community Trust",
        role="successor",
        function="housing",
        reason="It takes the homes.",
    )

    assert status_code == 302
    assert proposed_merger.ties.filter(function="housing").count() == 1
    assert "It takes the homes." in history_of(world, proposed_merger)


def test_an_administrator_cannot_make_a_succession_take_effect_before_its_day(
    world: World, proposed_merger: Succession
) -> None:
    send_as_administrator(world, proposed_merger, "succession-status", status="order_made", reason="Order 12.")

    status_code = send_as_administrator(world, proposed_merger, "take-effect", reason="Now.")

    assert status_code == 422


def test_an_administrator_cancels_a_succession(world: World, proposed_merger: Succession) -> None:
    status_code = send_as_administrator(
        world, proposed_merger, "succession-status", status="cancelled", reason="Withdrawn."
    )

    page = history_of(world, proposed_merger)
    assert status_code == 302
    assert "Withdrawn." in page
    assert "Cancelled" in page


@pytest.mark.parametrize(
    ("day", "answer"),
    [
        ("31/3/2098", "Larkhaven Homes is responsible for landlord services"),
        ("1/4/2098", "Skylark Homes is responsible for landlord services of Larkhaven Homes on 1 April 2098."),
    ],
)
def test_the_page_shows_who_is_responsible_on_a_day(world: World, client: Client, day: str, answer: str) -> None:
    record_merger(world, vests_on=PartialDate(2098, 4, 1))
    client.force_login(world.vera)
    address = reverse("organisations:who-answers", args=[world.larkhaven.pk])

    page = client.get(address, {"function": "landlord", "day": day}).content.decode()

    assert answer in " ".join(page.split())


def test_everyone_reads_the_page_of_pending_successions(world: World, client: Client) -> None:
    succession = record_merger(world, vests_on=PartialDate(2098, 4), source="Their boards")
    cancelled = record_merger(world, vests_on=PartialDate(2097))
    change_status(cancelled, "cancelled", world)

    page = client.get(reverse("organisations:pending")).content.decode()

    assert "incomplete" in page
    assert f'id="succession-{succession.pk}"' in page
    assert f'id="succession-{cancelled.pk}"' not in page


def test_pending_successions_can_be_exported_as_csv(world: World, client: Client) -> None:
    add_identifier(organisation=world.larkhaven, scheme="rsh", value="L4567", author=None, now=timezone.now())
    record_merger(world, vests_on=PartialDate(2098, 4), source="Their boards")
    change_status(record_merger(world, vests_on=PartialDate(2097)), "cancelled", world)

    csv_file = client.get(reverse("organisations:pending-csv"))

    csv_lines = b"".join(csv_file).decode().splitlines()  # type: ignore[call-overload]  # a streaming response
    assert len(csv_lines) == 3
    assert "2098-04" in csv_lines[1]
    assert "GB-SHPE-L4567" in csv_lines[1]


def test_pending_successions_are_entries_of_a_feed(world: World, client: Client) -> None:
    record_merger(world, vests_on=PartialDate(2098, 4), source="Their boards")
    change_status(record_merger(world, vests_on=PartialDate(2097)), "cancelled", world)

    feed = client.get(reverse("organisations:pending-feed"))

    assert feed["Content-Type"].startswith("application/atom+xml")
    assert feed.content.decode().count("<entry>") == 1
    assert "become Skylark Homes in April 2098" in feed.content.decode()


@pytest.fixture
def merger_with_dates(world: World) -> Succession:
    """Return a merger with a month, a day and a year as its dates."""
    return record_merger(
        world,
        status="order_laid",
        shadow_on=PartialDate(2097, 5),
        vests_on=PartialDate(2098, 4, 1),
        codes_on=PartialDate(2099),
    )


@pytest.mark.parametrize("page_name", ["the succession", "pending successions"])
def test_pages_show_each_date_as_exactly_as_it_is_known(
    world: World, client: Client, merger_with_dates: Succession, page_name: str
) -> None:
    client.force_login(world.dee)
    addresses = {
        "the succession": reverse("organisations:succession", args=[merger_with_dates.pk]),
        "pending successions": reverse("organisations:pending"),
    }

    page = " ".join(client.get(addresses[page_name]).content.decode().split())

    page_without_gaps = page.replace("</dt> <dd>", "</dt><dd>")
    assert "<dt>Election or shadow</dt><dd>May 2097</dd>" in page_without_gaps
    assert "<dt>Vesting day</dt><dd>1 April 2098</dd>" in page_without_gaps
    assert "<dt>New codes from</dt><dd>2099</dd>" in page_without_gaps


@pytest.mark.usefixtures("merger_with_dates")
def test_file_shows_each_date_as_exactly_as_it_is_known(world: World) -> None:
    exported = signed_in(world.dee).get(reverse("organisations:pending-csv")).getvalue().decode()

    assert "2097-05,2098-04-01,2099," in exported


def test_dates_can_be_made_more_exact_and_the_history_has_both(
    world: World, client: Client, merger_with_dates: Succession
) -> None:
    client.force_login(world.dee)
    dates = {"shadow_on": "6 May 2097", "vests_on": "1 April 2098", "codes_on": "May 2099"}

    response = client.post(
        reverse("organisations:correct-succession", args=[merger_with_dates.pk]),
        {"kind": "merge", "reason": "As the order says.", **dates},
    )

    merger_with_dates.refresh_from_db()
    detail = client.get(reverse("organisations:succession", args=[merger_with_dates.pk])).content.decode()
    history = " ".join(strip_tags(detail).split())
    assert response.status_code == 302
    assert str(merger_with_dates.shadow_on) == "2097-05-06"
    assert str(merger_with_dates.codes_on) == "2099-05"
    assert "May 2097" in history
    assert "6 May 2097" in history


@pytest.fixture
def merger_with_inexact_dates(world: World) -> Succession:
    """Return a proposed merger with an election in May 2097, a vesting day in 2098 and new codes in 2098."""
    return record_merger(
        world, status="proposed", shadow_on=PartialDate(2097, 5), vests_on=PartialDate(2098), codes_on=PartialDate(2098)
    )


def test_no_action_is_needed_within_the_month_of_an_election(merger_with_inexact_dates: Succession) -> None:
    action = action_needed(merger_with_inexact_dates, dt.date(2097, 5, 30))

    assert action == ""


@pytest.mark.parametrize(
    ("last_day", "words"),
    [
        pytest.param(dt.date(2097, 5, 31), "was due May 2097", id="election"),
        pytest.param(dt.date(2098, 12, 31), "The vesting day was 2098", id="vesting day"),
    ],
)
def test_an_inexact_date_is_overdue_on_the_last_day_of_its_period(
    merger_with_inexact_dates: Succession, last_day: dt.date, words: str
) -> None:
    action = action_needed(merger_with_inexact_dates, last_day)

    assert words in action


def ties_with_shares(world: World, geography: str) -> list[NewTie]:
    """Return ties that divide Westmarch, 60 to 40, between Harbour and Tidewater, measured in these areas."""
    return [
        NewTie(world.westmarch, world.harbour, share=Decimal("0.6"), geography=geography),
        NewTie(world.westmarch, world.tidewater, share=Decimal("0.4"), geography=geography),
    ]


@pytest.fixture
def split_with_shares(world: World) -> Succession:
    """Return a split of Westmarch in April 2098, with shares measured in the areas of 2025."""
    return record_succession(
        kind="split",
        vests_on=PartialDate(2098, 4),
        ties=ties_with_shares(world, "LAD 2025"),
        author=world.dee,
        now=timezone.now(),
    )


def correct_geography(world: World, succession: Succession, geography: str) -> tuple[str, ...]:
    """Correct the areas in which shares are measured, and return the names of the changed fields."""
    return correct_succession(
        succession=succession,
        ties=ties_with_shares(world, geography),
        reason="Newer areas.",
        author=world.dee,
        now=timezone.now(),
    )


def test_page_of_a_succession_shows_shares_with_their_geography(world: World, split_with_shares: Succession) -> None:
    address = reverse("organisations:succession", args=[split_with_shares.pk])

    page = signed_in(world.dee).get(address).content.decode()

    assert "60% (LAD 2025)" in page


@pytest.mark.usefixtures("split_with_shares")
def test_file_of_pending_successions_shows_the_geography_of_shares(world: World) -> None:
    exported = signed_in(world.dee).get(reverse("organisations:pending-csv")).getvalue().decode()

    assert "LAD 2025" in exported


def test_correcting_ties_to_the_same_geography_changes_nothing(world: World, split_with_shares: Succession) -> None:
    changed_fields = correct_geography(world, split_with_shares, "LAD 2025")

    assert changed_fields == ()


def test_history_has_the_geography_before_and_after_a_correction(
    world: World, client: Client, split_with_shares: Succession
) -> None:
    client.force_login(world.dee)

    correct_geography(world, split_with_shares, "LAD 2027")

    detail = client.get(reverse("organisations:succession", args=[split_with_shares.pk])).content.decode()
    page = " ".join(strip_tags(detail).split())
    assert "40% (LAD 2027)" in page
    assert "Westmarch Borough Council → Harbour Community Trust (60% of its area in LAD 2025)" in page
    assert "Westmarch Borough Council → Harbour Community Trust (60% of its area in LAD 2027)" in page


def test_after_a_split_each_successor_answers_for_its_share(world: World, split_with_shares: Succession) -> None:
    change_succession_status(
        succession=split_with_shares, to="order_made", reason="Made.", author=world.dee, now=timezone.now()
    )

    answer = responsible_body_for(function="planning", organisation=world.westmarch, day=dt.date(2098, 5, 1))

    assert {part: float(share) for part, share in answer.parts.items()} == {
        frozenset({world.harbour.pk}): 0.6,
        frozenset({world.tidewater.pk}): 0.4,
    }


def test_a_caretaker_is_added_to_a_pending_succession(world: World) -> None:
    succession = record_merger(world, vests_on=PartialDate(2098, 4, 1))

    add_tie(
        succession=succession,
        tie=NewTie(world.larkhaven, world.harbour, "caretaker", "housing"),
        reason="Until the board meets.",
        author=world.dee,
        now=timezone.now(),
    )

    day = dt.date(2098, 4, 1)
    housing = responsible_body_for(function="housing", organisation=world.larkhaven, day=day)
    landlord = responsible_body_for(function="landlord", organisation=world.larkhaven, day=day)
    assert housing.body == world.harbour.pk
    assert landlord.body == Organisation.objects.get(name="Skylark Homes").pk


def test_an_uncertain_succession_is_named_beside_the_answer_and_not_counted(world: World, client: Client) -> None:
    record_merger(world, status="order_laid", vests_on=PartialDate(2098, 4, 1))
    client.force_login(world.vera)
    query = {"function": "housing", "day": "1 April 2098"}

    page = client.get(reverse("organisations:who-answers", args=[world.larkhaven.pk]), query).content.decode()

    assert "Larkhaven Homes is responsible for housing on 1 April 2098." in page
    assert "Not included, because the order has not been made" in page
    assert "order laid" in page


@pytest.fixture
def succession_by_order(world: World) -> Succession:
    """Return the succession of Westmarch by Harbour under an order, on 1 April 2027."""
    return record_succession(
        kind="replace",
        status="order_made",
        vests_on=known_day(dt.date(2027, 4, 1)),
        place="Surrey",
        instrument="The Surrey Order 2026",
        ties=ties_between([world.westmarch], [world.harbour]),
        author=world.dee,
        now=timezone.now(),
    )


def like_url(succession: Succession) -> str:
    """Return the address of the form for another succession of the same order."""
    return f"{reverse('organisations:record-succession')}?like={succession.pk}"


def test_page_of_a_succession_links_to_the_form_for_another_of_its_order(
    world: World, succession_by_order: Succession
) -> None:
    succession_url = reverse("organisations:succession", args=[succession_by_order.pk])

    page = signed_in(world.dee).get(succession_url).content.decode()

    assert like_url(succession_by_order) in page


def test_form_for_another_succession_of_an_order_starts_with_its_details(
    world: World, succession_by_order: Succession
) -> None:
    page = signed_in(world.dee).get(like_url(succession_by_order)).content.decode()

    assert 'value="The Surrey Order 2026"' in page
    assert 'value="1 April 2027"' in page
    assert '<option value="order_made" selected>' in page
    assert world.westmarch.name not in page
