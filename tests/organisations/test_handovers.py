"""Handover lines are proposed, answered, passed on, undone and passed on again."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from partnerships.agreements import services as agreements
from partnerships.agreements.models import Party
from partnerships.commitments import services as commitments
from partnerships.commitments.models import Commitment
from partnerships.kit.dates import known_day, long_date
from partnerships.kit.rights import UnableToAct
from partnerships.organisations import services
from partnerships.organisations.handovers import estate_of, holdings_after
from partnerships.organisations.models import Handover, Membership, Organisation, Role, Succession
from partnerships.organisations.obligations import held_by, total
from partnerships.organisations.presenting import steps_in_words
from partnerships.organisations.services import UnableToHandOverLines, ties_between
from partnerships.organisations.tasks import hand_over_due
from partnerships.outbox.models import Email
from partnerships.people.models import User
from partnerships.work.queries import waiting_for
from tests.commitments.promises import agree
from tests.support.moments import today, tomorrow
from tests.support.signing_in import signed_in
from tests.world import World, join, make_partnership, person

EAST = ("Elmbridge", "Epsom and Ewell", "Mole Valley", "Reigate and Banstead", "Tandridge")
WEST = ("Guildford", "Runnymede", "Spelthorne", "Surrey Heath", "Waverley", "Woking")
COUNTY = "Surrey County"
#: The GSS codes, as in the register of pending successions. The districts are numbered in the order of their names.
CODES = {name: f"E07000{207 + number}" for number, name in enumerate(sorted(EAST + WEST))} | {COUNTY: "E10000030"}


def create_council(name: str) -> Organisation:
    return services.create_organisation(name=name, kind="council", author=None, now=timezone.now())


def record_absorption(predecessor: Organisation, successor: Organisation, days: int = 0) -> Succession:
    """Record that one organisation takes over another today, or in some days; the order has been made."""
    return services.record_succession(
        kind="absorb",
        status="order_made",
        vests_on=known_day(today() + dt.timedelta(days)),
        ties=ties_between([predecessor], [successor]),
        author=None,
        now=timezone.now(),
    )


def record_merger(world: World, days: int = 0) -> Succession:
    """Record that Harbour takes over Westmarch today, or in some days; the order has been made."""
    return record_absorption(world.westmarch, world.harbour, days)


def record_undoing(succession: Succession, on: dt.date | None = None, **fields: Any) -> Succession:
    """Record the succession that undoes another one from a day on; it has yet to take effect."""
    return services.undo_succession(
        succession=succession,
        vests_on=known_day(on or today()),
        status="order_made",
        reason="Quashed.",
        author=None,
        now=timezone.now(),
        **fields,
    )


def propose_lines(world: World, succession: Succession, kind: str, *records: int, **fields: Any) -> int:
    """Propose, by default as Westmarch's lead, that Harbour takes over these records; return the number of lines."""
    arguments = {"predecessor": world.westmarch, "successor": world.harbour, "author": world.ben} | fields
    return services.propose_handovers(
        succession=succession, kind=kind, records=records, now=timezone.now(), **arguments
    )


def accept_lines(world: World, succession: Succession, **fields: Any) -> int:
    """Accept all lines of the succession, by default as Harbour's lead; return the number of lines."""
    arguments = {"accept": True, "author": world.hana, "now": timezone.now()} | fields
    return services.answer_handovers(lines=list(succession.handovers.all()), **arguments)


def propose_and_accept_everything(succession: Succession, predecessor: Organisation, successor: Organisation) -> None:
    """Propose that one successor takes over all records of the predecessor, and accept the proposal."""
    for group in held_by(predecessor, today()):
        services.propose_handovers(
            succession=succession,
            predecessor=predecessor,
            kind=group.kind.code,
            records=[thing.pk for thing in group.things],
            successor=successor,
            author=None,
            now=timezone.now(),
        )
    services.answer_handovers(
        lines=list(succession.handovers.filter(predecessor=predecessor)), accept=True, author=None, now=timezone.now()
    )


def take_effect(succession: Succession) -> int:
    """Put the succession into effect, and return the number of lines that were passed on or undone."""
    services.take_effect(succession=succession, author=None, now=timezone.now())
    return services.hand_over_due(now=timezone.now())


def task_names(world: World, user: User) -> set[str]:
    """Return the names of a person's tasks on My work."""
    return {task.what for task in waiting_for(user, timezone.now())}


def test_predecessor_proposes_and_successor_accepts(world: World) -> None:
    promise = agree(world)
    succession = record_merger(world)

    assert propose_lines(world, succession, "commitments", promise.pk, basis="Article 4") == 1
    line = Handover.objects.get()
    assert line.state == "proposed"
    assert line.basis == "Article 4"
    assert line.homes == 60
    assert line.proposed_by == world.ben
    assert accept_lines(world, succession) == 1
    assert take_effect(succession) == 1

    promise.refresh_from_db()
    assert promise.receiver == world.harbour
    assert Handover.objects.get().state == "applied"
    assert services.hand_over_due(now=timezone.now()) == 0


def test_a_disputed_or_unanswered_line_does_not_pass_on(world: World) -> None:
    promise = agree(world)
    succession = record_merger(world)
    propose_lines(world, succession, "commitments", promise.pk)
    with pytest.raises(UnableToHandOverLines, match="Enter why"):
        accept_lines(world, succession, accept=False)
    accept_lines(world, succession, accept=False, reason="It is the county's.")

    assert take_effect(succession) == 0

    promise.refresh_from_db()
    assert promise.receiver == world.westmarch
    assert Handover.objects.get().dispute == "It is the county's."


def consent(world: World, succession: Succession, **fields: Any) -> int:
    """Record the consent to all lines of the succession, by default as Westmarch's lead."""
    arguments = {
        "given_by": "Estuary Bank",
        "given_on": today(),
        "evidence": "Minutes of 3 May",
        "author": world.ben,
    } | fields
    return services.record_consent(lines=list(succession.handovers.all()), now=timezone.now(), **arguments)


def test_a_line_that_needs_consent_passes_on_only_once_it_is_recorded(world: World) -> None:
    promise = agree(world)
    succession = record_merger(world)
    propose_lines(world, succession, "commitments", promise.pk, consent="The lender")
    accept_lines(world, succession)

    assert take_effect(succession) == 0
    promise.refresh_from_db()
    assert promise.receiver == world.westmarch
    assert estate_of(succession, world.westmarch, today()).lacking == 1
    assert "Record consent" in task_names(world, world.ben) & task_names(world, world.hana)
    assert Email.objects.filter(kind="organisations.handed_over").exists()

    assert consent(world, succession, author=world.hana) == 1
    assert services.hand_over_due(now=timezone.now()) == 1

    promise.refresh_from_db()
    line = Handover.objects.get()
    assert promise.receiver == world.harbour
    assert line.state == "applied"
    assert line.consent_in_words == f"The lender: given by Estuary Bank on {long_date(today())}"
    assert "Record consent" not in task_names(world, world.hana)


def test_consent_names_who_gave_it_when_and_where_it_can_be_read(world: World) -> None:
    promise = agree(world)
    succession = record_merger(world)
    propose_lines(world, succession, "commitments", promise.pk, consent="The lender")

    for invalid_field in ({"given_by": " "}, {"evidence": ""}, {"given_on": tomorrow()}):
        with pytest.raises(UnableToHandOverLines):
            consent(world, succession, **invalid_field)
    with pytest.raises(UnableToAct):
        consent(world, succession, author=world.amina)
    consent(world, succession)
    with pytest.raises(UnableToHandOverLines, match="already recorded"):
        consent(world, succession)


def test_lead_records_consent_on_a_page(world: World) -> None:
    promise = agree(world)
    succession = record_merger(world, days=30)
    propose_lines(world, succession, "commitments", promise.pk, consent="The lender")
    client = signed_in(world.ben)
    address = reverse("organisations:handover-consent", args=[succession.pk])

    page = client.get(reverse("organisations:handover", args=[succession.pk])).content.decode()
    assert address in page
    assert "1 record needs consent" in page
    assert "The lender: not given yet" in page
    day = {"given_on": today().isoformat()}
    post_fields = {"lines": [Handover.objects.get().pk], "given_by": "Estuary Bank", "answer": "given"} | day
    assert "Enter where people can read the consent." in client.post(address, post_fields).content.decode()
    assert client.post(address, post_fields | {"evidence": "Minutes"}).status_code == 302

    assert not Handover.objects.lacking_consent().exists()
    accept_lines(world, succession)
    overview = client.get(reverse("organisations:handover", args=[succession.pk])).content.decode()
    for step in ("Proposed by Ben West", "Accepted by Hana Harbour", "Consent recorded by Ben West"):
        assert f"{step} on {long_date(today())}" in overview


def test_the_evidence_of_a_consent_is_added_to_the_evidence_of_a_line(world: World) -> None:
    promise = agree(world)
    succession = record_merger(world)
    propose_lines(world, succession, "commitments", promise.pk, consent="The lender", evidence="Deed of 1 May")

    consent(world, succession)

    assert Handover.objects.get().evidence == "Deed of 1 May; Minutes of 3 May"


def test_refused_consent_disputes_even_an_accepted_line_and_it_is_proposed_again(world: World) -> None:
    promise = agree(world)
    succession = record_merger(world, days=30)
    propose_lines(world, succession, "commitments", promise.pk, consent="The lender")
    accept_lines(world, succession)
    client = signed_in(world.hana)
    address = reverse("organisations:handover-consent", args=[succession.pk])
    post_fields = {"lines": [Handover.objects.get().pk], "answer": "refused"}

    assert client.post(address, post_fields).status_code == 422
    assert client.post(address, post_fields | {"reason": "Estuary Bank wants more."}).status_code == 302

    line = Handover.objects.get()
    assert line.state == "disputed"
    assert line.dispute == "Consent was refused: Estuary Bank wants more."
    assert not Handover.objects.lacking_consent().exists()
    assert "Say who takes over" in task_names(world, world.ben)
    assert "Record consent" not in task_names(world, world.ben) | task_names(world, world.hana)
    assert propose_lines(world, succession, "commitments", promise.pk, consent="Another lender") == 1
    assert Handover.objects.get().state == "proposed"


def test_only_lines_that_need_the_same_consent_are_ticked_at_first(world: World) -> None:
    succession = record_merger(world, days=30)
    for promise, consent_of in ((agree(world), "The Board"), (agree(world), "The lender")):
        propose_lines(world, succession, "commitments", promise.pk, consent=consent_of)
    client = signed_in(world.ben)

    page = client.get(reverse("organisations:handover-consent", args=[succession.pk]))

    first_line = Handover.objects.get(consent="The Board")
    assert page.context["form"].initial["lines"] == [str(first_line.pk)]


def test_administrators_record_the_consent_if_neither_side_has_a_lead(world: World) -> None:
    promise = agree(world)
    succession = record_merger(world, days=30)
    propose_lines(world, succession, "commitments", promise.pk, consent="The lender")
    assert "Record consent" not in task_names(world, world.dee)

    leads = Membership.objects.filter(organisation__in=[world.westmarch, world.harbour], role=Role.LEAD)
    leads.update(role=Role.EDITOR)

    assert "Record consent" in task_names(world, world.dee)


def test_my_work_shows_the_earliest_day_to_answer_by(world: World) -> None:
    succession = record_merger(world, days=30)
    for days in (9, 5):
        propose_lines(world, succession, "commitments", agree(world).pk, due_on=today() + dt.timedelta(days))
    propose_lines(world, succession, "commitments", agree(world).pk)

    (task,) = [
        waiting_task
        for waiting_task in waiting_for(world.hana, timezone.now())
        if waiting_task.what == "Answer handover lines"
    ]

    assert task.title == "3 records that your organisation is to take over"
    assert task.due == today() + dt.timedelta(days=5)


def test_line_may_be_proposed_again_until_it_is_accepted(world: World) -> None:
    promise = agree(world)
    succession = record_merger(world)
    propose_lines(world, succession, "commitments", promise.pk)
    propose_lines(world, succession, "commitments", promise.pk, basis="Article 5")
    assert Handover.objects.get().basis == "Article 5"
    accept_lines(world, succession)

    with pytest.raises(UnableToHandOverLines, match="has already accepted"):
        propose_lines(world, succession, "commitments", promise.pk)
    with pytest.raises(UnableToHandOverLines, match="already answered"):
        accept_lines(world, succession)


def test_only_leads_propose_and_answer_and_only_recorded_successors_take_over(world: World) -> None:
    promise = agree(world)
    succession = record_merger(world)
    with pytest.raises(UnableToAct):
        propose_lines(world, succession, "commitments", promise.pk, author=world.hana)
    with pytest.raises(UnableToHandOverLines, match="Choose a successor"):
        propose_lines(world, succession, "commitments", promise.pk, successor=world.tidewater)
    with pytest.raises(UnableToHandOverLines, match="no longer has some"):
        propose_lines(world, succession, "commitments", promise.pk + 1000)
    with pytest.raises(UnableToHandOverLines, match="Choose how the organisations share the record"):
        propose_lines(world, succession, "commitments", promise.pk, sharing="jointly")
    propose_lines(world, succession, "commitments", promise.pk)
    with pytest.raises(UnableToAct):
        accept_lines(world, succession, author=world.ben)


def division(world: World) -> Succession:
    """Divide Westmarch today between Harbour and Tidewater, which are proposed to share a commitment jointly."""
    succession = services.record_succession(
        kind="split",
        status="order_made",
        vests_on=known_day(today()),
        ties=ties_between([world.westmarch], [world.harbour, world.tidewater]),
        author=None,
        now=timezone.now(),
    )
    propose_lines(world, succession, "commitments", agree(world).pk, sharing="jointly", others=[world.tidewater])
    return succession


def test_several_successors_share_a_commitment_once_each_has_accepted(world: World) -> None:
    succession = division(world)
    accept_lines(world, succession)
    assert Handover.objects.get().state == "proposed"
    assert take_effect(succession) == 0
    assert "Answer handover lines" in task_names(world, world.chidi) - task_names(world, world.hana)

    accept_lines(world, succession, author=world.chidi)
    assert services.hand_over_due(now=timezone.now()) == 1

    line = Handover.objects.get()
    assert Commitment.objects.get().receiver == world.harbour
    assert line.sharing == "jointly"
    assert list(line.others.all()) == [world.tidewater]
    assert steps_in_words(line) == [
        f"Proposed by Ben West on {long_date(today())}",
        f"Accepted for Harbour Community Trust by Hana Harbour on {long_date(today())}",
        f"Accepted for Tidewater Housing Group by Chidi Tide on {long_date(today())}",
        f"Passed on: {long_date(today())}",
    ]


def test_one_of_several_successors_may_dispute_its_part_and_change_its_mind(world: World) -> None:
    succession = division(world)
    accept_lines(world, succession)

    accept_lines(world, succession, author=world.chidi, accept=False, reason="Not ours.")
    assert Handover.objects.get().state == "disputed"
    assert Handover.objects.get().dispute == "Not ours."
    with pytest.raises(UnableToHandOverLines, match="already answered"):
        accept_lines(world, succession)
    accept_lines(world, succession, author=world.chidi)

    assert Handover.objects.get().state == "accepted"
    assert Handover.objects.get().dispute == ""


def test_only_successors_that_share_a_line_answer_it(world: World) -> None:
    succession = division(world)

    with pytest.raises(UnableToAct):
        accept_lines(world, succession, author=world.ben)
    accept_lines(world, succession)
    with pytest.raises(UnableToHandOverLines, match="already answered"):
        accept_lines(world, succession)


def test_each_successor_must_answer_a_line_that_is_proposed_again(world: World) -> None:
    succession = division(world)
    accept_lines(world, succession)
    propose_lines(
        world, succession, "commitments", Commitment.objects.get().pk, sharing="jointly", others=[world.tidewater]
    )

    accept_lines(world, succession, author=world.chidi)

    assert Handover.objects.get().state == "proposed"


def test_records_and_rights_pass_only_on_the_day(world: World) -> None:
    succession = record_merger(world, days=1)
    propose_and_accept_everything(succession, world.westmarch, world.harbour)
    assert services.hand_over_due(now=timezone.now()) == 0
    services.correct_succession(
        succession=succession,
        vests_on=known_day(today()),
        reason="Earlier.",
        author=None,
        now=timezone.now(),
    )
    client = signed_in(world.hana)
    assert client.get(world.partnership.get_absolute_url()).status_code == 404

    hand_over_due()

    assert client.get(world.partnership.get_absolute_url()).status_code == 200
    assert world.partnership.parties.get(organisation=world.harbour).status == "accepted"
    former_membership = Membership.objects.get(person=world.ben, organisation=world.westmarch)
    new_membership = Membership.objects.get(person=world.ben, organisation=world.harbour)
    assert former_membership.ends_on == today()
    assert new_membership.starts_on == today()
    assert new_membership.role == "lead"
    assert new_membership.ends_on is None


def test_signed_terms_keep_the_name_that_signed(world: World) -> None:
    parties_before = [version.parties for version in world.partnership.terms_versions.all()]
    succession = record_merger(world)
    propose_and_accept_everything(succession, world.westmarch, world.harbour)

    take_effect(succession)

    assert [version.parties for version in world.partnership.terms_versions.all()] == parties_before


def test_everyone_who_acts_for_either_side_gets_one_email(world: World) -> None:
    agree(world)
    succession = record_merger(world)
    propose_and_accept_everything(succession, world.westmarch, world.harbour)
    take_effect(succession)
    services.hand_over_due(now=timezone.now())

    recipient_ids = Email.objects.filter(kind="organisations.handed_over").values_list("person_id", flat=True)
    assert sorted(recipient_ids) == sorted({world.ben.pk, world.hana.pk})


def test_leads_have_a_task_about_records_without_a_line(world: World) -> None:
    promise = agree(world)
    succession = record_merger(world, days=30)
    count_without_line = estate_of(succession, world.westmarch, today()).without
    assert count_without_line == estate_of(succession, world.westmarch, today()).things
    assert "Say who takes over" in task_names(world, world.ben)
    assert "Say who takes over" not in task_names(world, world.amina)

    propose_lines(world, succession, "commitments", promise.pk)

    estate = estate_of(succession, world.westmarch, today())
    assert estate.without == count_without_line - 1
    assert {share.successor: (share.things, share.homes) for share in estate.shares}[world.harbour] == (1, 60)
    assert total(share.homes for share in estate.shares) == estate.homes == 60
    assert "Answer handover lines" in task_names(world, world.hana)


def test_records_that_the_successor_already_has_count_once_afterwards(world: World) -> None:
    succession = record_merger(world, days=30)
    party = agreements.invite_organisation(
        partnership=world.partnership,
        organisation=world.harbour,
        role="member",
        reason="Their homes.",
        author=world.amina,
        now=timezone.now(),
    )
    agreements.answer_invitation(party=party, accept=True, reason="", author=world.hana, now=timezone.now())
    promise = agree(world)
    for kind, record in (("partnerships", world.partnership.pk), ("commitments", promise.pk)):
        propose_lines(world, succession, kind, record)

    estate = estate_of(succession, world.westmarch, today())
    (after,) = holdings_after(estate.shares, today())

    assert after.received.things == 2
    assert after.received.homes == 60
    assert after.afterwards.things == after.before.things + 1
    assert after.afterwards.homes == after.before.homes + 60


def test_lead_proposes_and_successor_answers_on_pages(world: World) -> None:
    promise = agree(world)
    succession = record_merger(world, days=30)
    ben = Client()
    hana = Client()
    ben.force_login(world.ben)
    hana.force_login(world.hana)

    page = ben.get(reverse("organisations:handover", args=[succession.pk])).content.decode()
    assert "must decide" in page
    address = reverse("organisations:handover-propose", args=[succession.pk, world.westmarch.pk, "commitments"])
    assert promise.reference in ben.get(address).content.decode()
    assert promise.reference not in ben.get(address, {"q": "nothing like it"}).content.decode()
    post_fields = {"successor": world.harbour.pk, "sharing": "alone"}
    assert ben.post(address, post_fields).status_code == 422
    assert ben.post(address, post_fields | {"everything": "on"}).status_code == 302
    answer = reverse("organisations:handover-answer", args=[succession.pk])
    line = Handover.objects.get()
    assert hana.post(answer, {"lines": [line.pk], "answer": "accept"}).status_code == 302

    line.refresh_from_db()
    assert line.state == "accepted"
    assert line.answered_by == world.hana


def test_successor_reads_the_terms_of_a_line_and_no_titles_before_the_day(world: World) -> None:
    promise = agree(world)
    succession = record_merger(world, days=30)
    terms = {"basis": "Article 4", "consent": "The lender", "evidence": "Minutes 12", "due_on": today()}
    propose_lines(world, succession, "commitments", promise.pk, **terms)
    client = Client()

    client.force_login(world.hana)
    answer = client.get(reverse("organisations:handover-answer", args=[succession.pk])).content.decode()
    overview = reverse("organisations:handover", args=[succession.pk])
    assert f"Commitment {promise.reference}" in answer
    assert promise.text not in answer
    for term in ("Article 4", "The lender", "Minutes 12", long_date(today()), "60 homes"):
        assert term in answer
        assert term in client.get(overview).content.decode()

    # A person who may read the record anyway sees its title.
    join(world.hana, world.westmarch, Role.VIEWER, world.now)
    assert promise.text in client.get(reverse("organisations:handover-answer", args=[succession.pk])).content.decode()


def test_administrator_proposes_without_reading_titles(world: World) -> None:
    succession = record_merger(world, days=30)
    address = reverse("organisations:handover-propose", args=[succession.pk, world.westmarch.pk, "partnerships"])
    client = Client()

    client.force_login(world.dee)
    page = client.get(address).content.decode()
    assert f"Partnership {world.partnership.pk}" in page
    assert world.partnership.title not in page
    client.force_login(world.ben)
    assert world.partnership.title in client.get(address).content.decode()


def councils(world: World, names: Iterable[str]) -> dict[str, Organisation]:
    """Create councils of Surrey, each with a lead, a partnership, a commitment and a post."""
    return {name: create_council_of_surrey(world, name) for name in names}


def create_council_of_surrey(world: World, name: str) -> Organisation:
    """Create one council of Surrey, with a lead, a partnership, a commitment and a post."""
    council = services.create_organisation(
        name=f"{name} Council" if name == COUNTY else f"{name} Borough Council",
        kind="council",
        identifiers=[("gss", CODES[name])],
        author=None,
        now=timezone.now(),
    )
    lead = person(f"{name} Lead", f"{name.lower().replace(' ', '-')}@surrey.example")
    join(lead, council, Role.LEAD, world.now)
    partnership = make_partnership(
        f"{name} Homes",
        chair=council,
        chair_lead=lead,
        other=world.larkhaven,
        other_lead=world.amina,
        now=timezone.now(),
    )
    commitments.propose_commitment(
        giver=world.larkhaven,
        receiver=council,
        text=f"Forty homes in {name}.",
        quantity=Decimal(40),
        unit="homes",
        owner=world.eddie,
        due_on=today() + dt.timedelta(90),
        partnership=partnership,
        author=world.amina,
        now=timezone.now(),
    )
    agreements.create_post(organisation=council, role="planning", author=lead, now=timezone.now())
    return council


def holders() -> dict[str, list[Any]]:
    """Return the present parties, sides of commitments and members, without the ids of rows created on the way."""
    parties = Party.objects.filter(status="accepted").order_by("partnership", "organisation")
    people = Membership.objects.current().order_by("person", "organisation")
    return {
        "parties": list(parties.values_list("partnership", "organisation", "role")),
        "commitments": list(Commitment.objects.order_by("pk").values_list("pk", "giver", "receiver")),
        "people": list(people.values_list("person", "organisation", "role")),
    }


def test_a_handover_that_was_interrupted_continues(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    bodies = councils(world, EAST)
    east = create_council("East Surrey Council")
    succession = services.record_succession(
        kind="merge",
        status="order_made",
        vests_on=known_day(today()),
        ties=ties_between(list(bodies.values()), [east]),
        author=None,
        now=timezone.now(),
    )
    for predecessor in bodies.values():
        propose_and_accept_everything(succession, predecessor, east)
    monkeypatch.setattr("partnerships.organisations.services.handover_batches.BATCH", 7)
    services.take_effect(succession=succession, author=None, now=timezone.now())
    real_move_records = services.handover_batches.move_records  # type: ignore[attr-defined]
    calls = []

    def break_off(*args: Any) -> Any:
        calls.append(1)
        if len(calls) == 4:
            raise RuntimeError("The machine stopped.")
        return real_move_records(*args)

    monkeypatch.setattr("partnerships.organisations.services.handover_batches.move_records", break_off)
    with pytest.raises(RuntimeError):
        services.hand_over_due(now=timezone.now())
    assert succession.handovers.filter(state="accepted").exists()

    services.hand_over_due(now=timezone.now())

    assert set(succession.handovers.values_list("state", flat=True)) == {"applied"}
