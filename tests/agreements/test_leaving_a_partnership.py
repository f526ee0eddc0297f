"""A former party reads the partnership as it was, and nothing that was written after it left.

The tests check pages, lists and search.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from typing import Any, NamedTuple

import pytest
from django.core.files.base import ContentFile
from django.db import connection
from django.db.models import Q
from django.urls import reverse
from django.utils import timezone

from partnerships.activity.queries import visible_events
from partnerships.agreements.models import Document, Partnership, Party, TermsInForce, TermsVersion
from partnerships.agreements.services import (
    add_document,
    answer_invitation,
    change_party_role,
    edit_settings,
    invite_organisation,
    leave_partnership,
    propose_amendment,
    remove_party,
    sign_terms,
    withdraw_left_over_invitations,
)
from partnerships.commitments.models import Commitment
from partnerships.exchange import services as exchange
from partnerships.organisations.models import Organisation
from partnerships.people.models import User
from partnerships.plans.models import Plan, Version
from partnerships.search.services import index_stale
from tests.commitments import promises
from tests.conversations import talks
from tests.exchange.conftest import shared_entry
from tests.plans import drafts
from tests.support.parties import leave_partnership_as_westmarch
from tests.support.signing_in import signed_in
from tests.support.terms import agree_terms, draft, put_up
from tests.world import World, make_world

pytestmark = pytest.mark.django_db(transaction=True)

#: A word in every text that was written after Westmarch left, and in no other text.
LATER = "Quillwort"


@pytest.fixture
def world(transactional_db: None) -> World:
    """Return the usual world, in a database whose transactions commit."""
    return make_world()


def accept(party: Party, lead: User) -> None:
    """Accept the invitation, as this lead."""
    answer_invitation(party=party, accept=True, reason="", author=lead, now=timezone.now())


def invite(world: World, organisation: Organisation, partnership: Partnership | None = None) -> Party:
    """Invite an organisation to the Estuary Partnership, or to another one."""
    return invite_organisation(
        partnership=partnership or world.partnership,
        organisation=organisation,
        role="member",
        reason="We need them.",
        author=world.amina,
        now=timezone.now(),
    )


def write_before_leaving(world: World) -> dict[str, Any]:
    """Write records before Westmarch leaves, most of them between Larkhaven and Harbour, and return them by name."""
    accept(invite(world, world.harbour), world.hana)
    edit_settings(
        partnership=world.partnership,
        reason="Where we work.",
        areas=[world.fareham],
        author=world.amina,
        now=timezone.now(),
    )
    plan = drafts.published_plan(world)
    return {
        "plan": plan,
        "entry": shared_entry(
            world.larkhaven,
            world.amina,
            timezone.now(),
            title="A yard for timber frames",
            audience="partnership",
            partnership=world.partnership,
        ),
        "commitment": promises.propose(
            world, receiver=world.harbour, text="Forty flats by the mole.", owner=world.eddie
        ),
        "quiet": promises.propose(world, receiver=world.harbour, text="Ten cottages.", owner=world.eddie),
    }


def write_after_leaving(world: World, records: dict[str, Any]) -> None:
    """Write records of the other parties after Westmarch has left."""
    change_the_partnership(world)
    change_its_parties(world)
    add_document(
        partnership=world.partnership,
        title=f"{LATER} minutes",
        file=ContentFile(b"Minutes.\n", name="minutes.txt"),
        organisation=world.larkhaven,
        author=world.amina,
        now=timezone.now(),
    )
    write_plans(world, records["plan"])
    exchange.edit_entry(entry=records["entry"], author=world.amina, now=timezone.now(), title=f"A {LATER} yard")
    shared_entry(
        world.larkhaven,
        world.amina,
        timezone.now(),
        title=LATER,
        audience="partnership",
        partnership=world.partnership,
    )
    write_commitments(world, records["commitment"])
    circulate_conversation(world)


def change_the_partnership(world: World) -> None:
    """Change the partnership's title, areas and terms."""
    edit_settings(
        partnership=world.partnership,
        title=f"Estuary {LATER}",
        reason=f"{LATER} is its name.",
        areas=[world.gosport],
        author=world.amina,
        now=timezone.now(),
    )
    agree_terms(
        world.partnership,
        world.amina,
        text=f"{LATER} decides.",
        purpose=f"A {LATER} scheme.",
        reports_to=f"{LATER} board",
    )


def change_its_parties(world: World) -> None:
    """Let two organisations join, change a role, and let one of them leave."""
    accept(invite(world, world.riverside), world.nadia)
    accept(invite(world, world.tidewater), world.chidi)
    change_party_role(
        party=world.party(world.harbour),
        role="lead",
        reason="Agreed at the meeting.",
        author=world.amina,
        now=timezone.now(),
    )
    leave_partnership(
        party=world.party(world.riverside), reason=f"{LATER} it is.", author=world.nadia, now=timezone.now()
    )


def write_plans(world: World, plan: Plan) -> None:
    """Publish the plan again, comment on it, and publish a second plan."""
    drafts.save(plan, world, "about", summary=f"All {LATER}.")
    drafts.publish(plan, world, note=f"Now {LATER}.")
    drafts.published_plan(world, title=f"Second {LATER}")
    drafts.services.add_comment(
        plan=plan, version_number=1, text=f"Is {LATER} so?", author=world.amina, now=timezone.now()
    )


def write_commitments(world: World, commitment: Commitment) -> None:
    """Confirm the commitment on both sides, report on it, and propose a second one."""
    for lead, body in ((world.amina, world.larkhaven), (world.hana, world.harbour)):
        commitment.refresh_from_db()
        promises.services.confirm_commitment(
            commitment=commitment,
            organisation=body,
            author=lead,
            revision=commitment.revision,
            now=timezone.now(),
        )
    commitment.refresh_from_db()
    promises.report(world, commitment, note_text=f"{LATER} first.")
    promises.propose(world, receiver=world.harbour, text=f"Give {LATER}.")


def circulate_conversation(world: World) -> None:
    """Circulate the record of a conversation between Larkhaven and Harbour."""
    conversation = talks.draft_conversation(
        world,
        subject=LATER,
        organisations=[world.harbour],
        attendees=[talks.AttendeeInput(world.larkhaven, world.amina)],
        points=[talks.PointInput(world.larkhaven, talks.PointKind.OBSTACLE, f"No {LATER}.")],
        next_steps=[],
    )
    talks.services.circulate(conversation=conversation, author=world.eddie, now=timezone.now())


def pages_of(world: World, records: dict[str, Any]) -> dict[str, str]:
    """Return every page on which Ben could see the partnership, by address."""
    index_stale()
    client = signed_in(world.ben)
    addresses = [
        *addresses_of_partnership(world),
        *addresses_of_lists(),
        *addresses_of_records(records),
        world.larkhaven.get_absolute_url(),
        world.harbour.get_absolute_url(),
    ]
    return {address: client.get(address).content.decode() for address in addresses}


def addresses_of_partnership(world: World) -> list[str]:
    """Return the addresses of the partnership's own pages."""
    routes = [f"agreements:{name}" for name in ("detail", "members", "history", "documents")]
    routes += [f"web:partnership-{name}" for name in ("entries", "plans", "commitments", "conversations")]
    return [reverse(route, kwargs={"pk": world.partnership.pk}) for route in routes]


def addresses_of_lists() -> list[str]:
    """Return the addresses of lists and searches that could contain the partnership or its records."""
    partnerships = reverse("agreements:list")
    search = reverse("search:search")
    lists = ["web:home", "web:my-work", "web:network", "plans:list", "exchange:list"]
    lists += ["commitments:list", "conversations:list"]
    return [
        *(reverse(route) for route in lists),
        *(f"{partnerships}?{query}" for query in ("", "mine=on", "q=Harbour", "q=Riverside", "q=Tidewater")),
        *(f"{partnerships}?q={word}&status={status}" for word in ("", LATER) for status in ("", "drafting")),
        *(f"{search}?q={word}" for word in ("Estuary", "scheme", "yard", "flats", "Give")),
    ]


def addresses_of_records(records: dict[str, Any]) -> list[str]:
    """Return the addresses of the records that were written before Westmarch left."""
    return [
        *(reverse(f"plans:{name}", kwargs={"pk": records["plan"].pk}) for name in ("detail", "history", "comments")),
        records["entry"].get_absolute_url(),
        records["commitment"].get_absolute_url(),
        records["quiet"].get_absolute_url(),
    ]


def westmarch_stays_away(world: World) -> None:
    """Do nothing. Westmarch is not invited again."""


def westmarch_declines_to_come_back(world: World) -> None:
    """Invite Westmarch again, and decline."""
    party = invite(world, world.westmarch)
    answer_invitation(party=party, accept=False, reason="Not now.", author=world.ben, now=timezone.now())


def the_new_invitation_is_withdrawn(world: World) -> None:
    """Invite Westmarch again, and withdraw the invitation."""
    party = invite(world, world.westmarch)
    remove_party(party=party, reason="A mistake.", author=world.amina, now=timezone.now())


@pytest.mark.parametrize(
    "happen_afterwards", [westmarch_stays_away, westmarch_declines_to_come_back, the_new_invitation_is_withdrawn]
)
def test_a_former_party_sees_nothing_written_after_it_left(
    world: World, happen_afterwards: Callable[[World], None]
) -> None:
    records = write_before_leaving(world)
    leave_partnership_as_westmarch(world)
    write_after_leaving(world, records)
    happen_afterwards(world)

    pages = pages_of(world, records)

    assert leaks_by_address(pages) == {}
    check_partnership_as_it_was(pages, world)
    check_list_of_partnerships(pages, world)
    assert "A yard for timber frames" not in pages[records["entry"].get_absolute_url()]
    assert "Ten cottages." in pages[records["quiet"].get_absolute_url()]


def leaks_by_address(pages: dict[str, str]) -> dict[str, list[str]]:
    """Return each text with the later word, except where a page repeats the reader's own search."""
    own_searches = re.compile(rf'name="q"[^>]*|q={LATER}|“{LATER}”|value="{LATER}"|Title or organisation: {LATER}')
    leaks = {
        address: re.findall(f".{{0,60}}{LATER}.{{0,20}}", own_searches.sub("", page)) for address, page in pages.items()
    }
    return {address: texts for address, texts in leaks.items() if texts}


def check_partnership_as_it_was(pages: dict[str, str], world: World) -> None:
    """Check that the terms, areas and members are those of the day on which the reader's organisation left."""
    detail, members, *_ = (pages[address] for address in addresses_of_partnership(world))
    assert "Build the right homes in the right places." in detail
    assert "Fareham" in detail
    assert "Gosport" not in detail
    assert "Harbour Community Trust" in members
    assert "Riverside" not in members


def check_list_of_partnerships(pages: dict[str, str], world: World) -> None:
    """Check that the list of partnerships finds the partnership only by what was true on that day."""

    def is_listed(query: str) -> bool:
        return world.partnership.get_absolute_url() in pages[f"{reverse('agreements:list')}?{query}"]

    assert is_listed("q=Harbour")
    assert not is_listed("q=Riverside")
    assert not is_listed("q=Tidewater")
    assert not is_listed(f"q={LATER}&status=")
    assert not is_listed("q=&status=drafting")


class ReadBeforeLeaving(NamedTuple):
    """What Ben could read before Westmarch left the Estuary Partnership."""

    document: Document
    plan: Plan
    event_ids: set[int]


def add_minutes(world: World, title: str) -> Document:
    """Add a document of Larkhaven to the partnership."""
    return add_document(
        partnership=world.partnership,
        title=title,
        file=ContentFile(b"Minutes.\n", name="minutes.txt"),
        organisation=world.larkhaven,
        author=world.amina,
        now=timezone.now(),
    )


def event_ids_visible_to_ben(world: World) -> set[int]:
    """Return the ids of the events of the partnership that Ben can see."""
    partnership_id = world.partnership.pk
    timeline = Q(within_kind="partnership", within_id=partnership_id) | Q(
        target_kind="partnership", target_id=partnership_id
    )
    return set(visible_events(world.ben, timeline).values_list("pk", flat=True))


@pytest.fixture(params=["waits", "is declined"])
def read_before_leaving(world: World, request: pytest.FixtureRequest) -> ReadBeforeLeaving:
    """Let Westmarch leave and be invited again, and write more afterwards. The invitation waits or is declined."""
    document = add_minutes(world, "Minutes")
    plan = drafts.published_plan(world)
    leave_partnership_as_westmarch(world)
    event_ids = event_ids_visible_to_ben(world)
    drafts.save(plan, world, "about", summary=f"All {LATER}.")
    drafts.publish(plan, world, note="Second.")
    party = invite(world, world.westmarch)
    if request.param == "is declined":
        answer_invitation(party=party, accept=False, reason="Not now.", author=world.ben, now=timezone.now())
    add_minutes(world, f"{LATER} minutes")
    return ReadBeforeLeaving(document, plan, event_ids)


def test_a_former_party_that_is_invited_again_reads_what_it_read_before_it_left(
    world: World, read_before_leaving: ReadBeforeLeaving
) -> None:
    plan = read_before_leaving.plan

    listed_documents = signed_in(world.ben).get(reverse("agreements:document-list")).context["page"].rows

    assert list(Document.objects.visible_to(world.ben)) == [read_before_leaving.document]
    assert listed_documents == [read_before_leaving.document]
    assert [version.number for version in Version.objects.visible_to(world.ben).filter(plan=plan)] == [1]
    assert Plan.objects.visible_to(world.ben).filter(pk=plan.pk).exists()
    assert Partnership.objects.readable_by(world.ben).filter(pk=world.partnership.pk).exists()
    assert read_before_leaving.event_ids
    assert read_before_leaving.event_ids <= event_ids_visible_to_ben(world)


def test_terms_saved_by_an_overlapping_transaction_after_a_party_left_are_hidden(world: World) -> None:
    """The row history stamps a row with the start of its transaction, here a moment before the party left."""
    began = timezone.now()
    leave_partnership_as_westmarch(world)
    edit_settings(
        partnership=world.partnership, title=LATER, reason="New name.", author=world.amina, now=timezone.now()
    )
    row = Partnership.pgh_event_model.objects.get(title=LATER)  # type: ignore[attr-defined]  # made by pghistory
    table = row._meta.db_table
    with connection.cursor() as cursor:
        cursor.execute(
            f'ALTER TABLE "{table}" DISABLE TRIGGER USER; UPDATE "{table}" SET pgh_created_at = %s WHERE title = %s;'
            f' ALTER TABLE "{table}" ENABLE TRIGGER USER',
            [began - dt.timedelta(seconds=1), LATER],
        )
    client = signed_in(world.ben)

    html = client.get(reverse("agreements:detail", kwargs={"pk": world.partnership.pk})).content.decode()

    assert LATER not in html


@pytest.fixture
def terms_signed_by_the_others(world: World) -> TermsVersion:
    """Return an amendment that Harbour alone had not signed when it left, so that the amendment came into force."""
    agree_terms(world.partnership, world.amina)
    party = invite(world, world.harbour)
    accept(party, world.hana)
    proposal = propose_amendment(
        partnership=world.partnership,
        organisation=world.larkhaven,
        reason="To meet more.",
        from_day=None,
        author=world.amina,
        now=timezone.now(),
    )
    version = put_up(draft(proposal, world.amina, text="We meet weekly."), world.amina)
    for body, signer in ((world.larkhaven, world.amina), (world.westmarch, world.ben)):
        sign_terms(version=version, organisation=body, person=signer, name="A", title="Lead", now=timezone.now())
    leave_partnership(party=party, reason="Budget.", author=world.hana, now=timezone.now())
    return version


def test_terms_come_into_force_when_the_only_party_that_has_not_signed_leaves(
    terms_signed_by_the_others: TermsVersion,
) -> None:
    assert TermsInForce.objects.filter(version=terms_signed_by_the_others).exists()


def test_a_former_party_reads_a_version_but_not_that_it_came_into_force_later(
    world: World, terms_signed_by_the_others: TermsVersion
) -> None:
    hana = signed_in(world.hana)
    print_address = reverse("agreements:terms-print", args=[world.partnership.pk, terms_signed_by_the_others.number])

    version_page = hana.get(terms_signed_by_the_others.get_absolute_url()).content.decode()
    print_page = hana.get(print_address).content.decode()
    terms_page = hana.get(reverse("agreements:terms", args=[world.partnership.pk])).content.decode()

    assert "We meet weekly." in version_page
    assert "In force from" not in version_page
    assert "Not in" in print_page
    assert "We meet weekly." not in terms_page


@pytest.mark.usefixtures("terms_signed_by_the_others")
def test_the_history_for_a_former_party_ends_with_its_own_leaving(world: World) -> None:
    address = reverse("agreements:history", args=[world.partnership.pk])

    history = signed_in(world.hana).get(address).content.decode()

    later_events, own_leaving, _earlier_events = history.partition("Left this partnership")
    assert own_leaving
    assert "Every party signed the terms" not in later_events
    assert "Terms came into force" not in later_events


def test_invitations_to_partnerships_that_ended_earlier_are_withdrawn_once(world: World) -> None:
    """A partnership that ends today withdraws them itself: `tests/test_grants_end_with_what_gave_them.py`."""
    party = invite(world, world.harbour)
    Partnership.objects.filter(pk=world.partnership.pk).update(status="ended")
    could_hana_read_before = Partnership.objects.readable_today_by(world.hana).filter(pk=world.partnership.pk).exists()

    withdrawn_count = withdraw_left_over_invitations(now=timezone.now())
    count_of_second_run = withdraw_left_over_invitations(now=timezone.now())

    party.refresh_from_db()
    assert withdrawn_count == 1
    assert count_of_second_run == 0
    assert party.status == "declined"
    assert party.reason == "The partnership has ended."
    assert could_hana_read_before
    assert not Partnership.objects.readable_today_by(world.hana).filter(pk=world.partnership.pk).exists()
