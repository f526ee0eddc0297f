"""The brief for a meeting has what its reader needs, and the balance of asks and offers."""

from __future__ import annotations

import datetime as dt
import re
import zlib
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from partnerships.agreements import services as agreements
from partnerships.commitments.models import Status as Promise
from partnerships.commitments.services import end_commitment, record_progress, verify_delivery
from partnerships.conversations import services as conversations
from partnerships.documents import downloads
from partnerships.exchange import services as exchange
from partnerships.exchange.models import Audience, Direction, Entry
from partnerships.organisations.models import Kind, Organisation, Role
from partnerships.organisations.services import create_organisation
from partnerships.people.models import User
from partnerships.reports.balances import (
    balance_by_quarter,
    balance_with_partner,
    balances,
    partners_of,
    sides_with_predecessors,
)
from partnerships.reports.counts import Balance
from partnerships.web.brief import brief_for
from tests.commitments.promises import agree, propose, verified_commitment
from tests.conversations.talks import circulated_conversation, draft_conversation
from tests.plans.drafts import begin, fewer_homes, publish
from tests.support.pages import collapse
from tests.support.parties import leave_partnership_as_westmarch
from tests.support.signing_in import signed_in
from tests.world import World, join, make_partnership


def share(world: World, author: User, organisation: Organisation, title: str, **changes: Any) -> Entry:
    """Share an ask of one organisation with the other."""
    addressee = world.westmarch if organisation == world.larkhaven else world.larkhaven
    values: dict[str, Any] = {
        "direction": Direction.ASK,
        "theme": "land",
        "audience": Audience.NAMED,
        "addressees": [addressee],
        "quantity": Decimal(2),
        "unit": "hectares",
    }
    entry = exchange.create_entry(
        organisation=organisation, title=title, author=author, now=timezone.now(), **(values | changes)
    )
    return exchange.share_entry(entry=entry, author=author, now=timezone.now())


def with_all_partners(user: User, ours: Organisation) -> list[Balance]:
    """Return the balance with every partner, by name."""
    partners = list(partners_of(user, ours).order_by("name"))
    return balances(user=user, ours=ours, partners=partners, today=timezone.localdate())


def test_page_of_balances_counts_as_much_as_rights_allow(world: World) -> None:
    share(world, world.amina, world.larkhaven, "Land at Quayside", direction=Direction.ASK)
    share(
        world,
        world.ben,
        world.westmarch,
        "Homes for families in hotels",
        direction=Direction.ASK,
        audience=Audience.PARTNERSHIP,
        addressees=[],
        partnership=world.partnership,
    )
    verified_commitment(world)

    balances_shown = signed_in(world.ben).get(reverse("web:reciprocity")).context["balances"]

    expected = with_all_partners(world.ben, world.westmarch)
    assert [(row.partner, row.figures) for row in balances_shown] == [(row.partner, row.figures) for row in expected]
    assert [sum(column) > 0 for column in zip(*(row.figures for row in balances_shown), strict=True)].count(True) >= 4


def sheets(pdf: bytes) -> int:
    """Return the number of pages in a PDF, counted in its uncompressed streams."""
    streams = re.findall(rb"stream\r?\n(.*?)\r?\nendstream", pdf, re.DOTALL)
    unpacked = [zlib.decompressobj().decompress(stream) for stream in streams if stream.startswith(b"x")]
    return sum(len(re.findall(rb"/Type ?/Page\b", part)) for part in (pdf, *unpacked))


def test_brief_shows_both_directions(world: World) -> None:
    share(world, world.amina, world.larkhaven, "Land at Quayside")
    share(world, world.ben, world.westmarch, "Homes for families in hotels")
    kept_promise = verified_commitment(world)
    open_promise = agree(world, text="Ten more homes.")
    broken_promise = end_commitment(
        commitment=agree(world, text="A school."), reason="No money.", author=world.amina, now=timezone.now()
    )
    circulated_conversation(world)

    response = signed_in(world.ben).get(reverse("web:brief", args=[world.larkhaven.pk]))

    page = collapse(response.content.decode())
    brief = response.context["brief"]
    assert [entry.title for entry in brief.our_entries] == ["Homes for families in hotels"]
    assert [entry.title for entry in brief.their_entries] == ["Land at Quayside"]
    assert brief.promised_to_us.kept == (kept_promise,)
    assert brief.promised_to_us.broken == (broken_promise,)
    assert brief.promised_to_us.outstanding == (open_promise,)
    for words in ("Quayside", "No land with consent.", "The depot falls empty in May.", "Amina Larch", "No money."):
        assert words in page


def test_brief_has_no_private_notes_or_drafts_of_the_other_side(world: World) -> None:
    circulated_conversation(world, private_note="canary-note", subject="Shared talk")
    draft_conversation(world, subject="canary-draft")
    exchange.create_entry(
        organisation=world.larkhaven,
        direction=Direction.ASK,
        title="canary-ask",
        theme="land",
        audience=Audience.NAMED,
        addressees=[world.westmarch],
        author=world.amina,
        now=timezone.now(),
    )

    page = signed_in(world.ben).get(reverse("web:brief", args=[world.larkhaven.pk])).content.decode()

    assert "Shared talk" in page
    assert "canary" not in page


def test_stranger_learns_nothing_from_a_brief(world: World) -> None:
    share(world, world.amina, world.larkhaven, "Land at Quayside")
    agree(world)
    circulated_conversation(world)

    brief = brief_for(user=world.chidi, ours=world.tidewater, theirs=world.larkhaven, now=timezone.now())

    assert brief.last is None
    assert not [*brief.our_entries, *brief.their_entries, *brief.plans, *brief.partnerships]
    assert not [*brief.promised.outstanding, *brief.promised_to_us.outstanding]
    assert all(side.is_empty for side in brief.points)


def test_nobody_reads_a_brief_for_another_organisation(world: World) -> None:
    address = reverse("web:brief", args=[world.larkhaven.pk])

    status_codes = {
        name: signed_in(getattr(world, name)).get(address, {"for": world.westmarch.pk}).status_code
        for name in ("ben", "chidi", "dee")
    }

    assert status_codes == {"ben": 200, "chidi": 404, "dee": 404}


def test_balance_counts_each_direction(world: World) -> None:
    ask = share(world, world.amina, world.larkhaven, "Land at Quayside")
    share(world, world.amina, world.larkhaven, "Land at Station Road")
    share(world, world.ben, world.westmarch, "Homes for families in hotels")
    exchange.withdraw_entry(entry=ask, reason="Found.", author=world.amina, now=timezone.now())
    agree(world)
    verified_commitment(world)
    propose(world)

    balance = balance_with_partner(
        user=world.amina, sides=sides_with_predecessors(world.larkhaven, world.westmarch), today=timezone.localdate()
    )

    assert balance.we_asked.made == 2
    assert balance.we_asked.outstanding == 1
    assert balance.we_asked.ended_unmet == 1
    assert balance.they_asked.made == 1
    assert balance.they_asked.outstanding == 1
    assert balance.we_promised.agreed == 2
    assert balance.we_promised.kept == 1
    assert balance.we_promised.outstanding == 1
    assert balance.they_promised.agreed == 0


def test_both_sides_see_the_same_figures_from_their_own_side(world: World) -> None:
    share(world, world.amina, world.larkhaven, "Land at Quayside")
    agree(world)
    today = timezone.localdate()

    ours = balance_with_partner(
        user=world.amina, sides=sides_with_predecessors(world.larkhaven, world.westmarch), today=today
    )
    theirs = balance_with_partner(
        user=world.ben, sides=sides_with_predecessors(world.westmarch, world.larkhaven), today=today
    )

    assert ours.we_asked == theirs.they_asked
    assert ours.we_promised == theirs.they_promised
    assert ours.they_asked == theirs.we_asked
    assert ours.they_promised == theirs.we_promised


def test_ask_of_the_partnership_counts_for_its_parties(world: World) -> None:
    share(
        world,
        world.amina,
        world.larkhaven,
        "Training rooms",
        audience=Audience.PARTNERSHIP,
        partnership=world.partnership,
        addressees=[],
    )

    (balance,) = with_all_partners(world.ben, world.westmarch)

    assert balance.partner == world.larkhaven
    assert balance.they_asked.made == 1


def test_pages_of_the_balance_neither_skip_nor_repeat_partners(world: World) -> None:
    names = [f"Council {number:02}" for number in range(30)]
    for name in names:
        council = create_organisation(name=name, kind=Kind.COUNCIL, author=None, now=world.now)
        join(world.ben, council, Role.LEAD, world.now)
        make_partnership(
            f"With {name}",
            chair=world.larkhaven,
            chair_lead=world.amina,
            other=council,
            other_lead=world.ben,
            now=world.now,
        )
    client = signed_in(world.amina)
    partner_names = []
    query = f"?for={world.larkhaven.pk}"

    while query:
        context = client.get(reverse("web:reciprocity") + query).context
        partner_names += [balance.partner.name for balance in context["balances"]]
        query = context["page"].next

    assert partner_names == [*names, world.westmarch.name]


def test_former_partner_with_an_ask_stays_in_the_balance(world: World) -> None:
    share(world, world.ben, world.westmarch, "Homes for families in hotels")
    leave_partnership_as_westmarch(world)

    (balance,) = with_all_partners(world.amina, world.larkhaven)

    assert balance.partner == world.westmarch
    assert balance.they_asked.made == 1


def test_asks_are_counted_in_the_quarter_they_were_made(world: World) -> None:
    share(world, world.ben, world.westmarch, "Homes for families in hotels")

    quarters = balance_by_quarter(
        user=world.amina, sides=sides_with_predecessors(world.larkhaven, world.westmarch), today=timezone.localdate()
    )

    *earlier_quarters, present_quarter = quarters
    assert len(earlier_quarters) == 7  # so that there are two years
    assert present_quarter.theirs.made == 1
    assert {quarter.theirs.made for quarter in earlier_quarters} == {0}
    assert {quarter.ours.made for quarter in quarters} == {0}


def test_page_also_shows_the_figures_as_a_table(world: World) -> None:
    share(world, world.ben, world.westmarch, "Homes for families in hotels")

    response = signed_in(world.amina).get(reverse("web:reciprocity-partner", args=[world.westmarch.pk]))

    page = collapse(response.content.decode())
    assert "<svg" in page
    assert "Westmarch Borough Council asked" in page
    # Made, met and outstanding in the last quarter, for each side.
    assert response.context["rows"][-1][1:] == [0, 0, 0, 1, 0, 1]


def test_open_correction_does_not_hide_the_last_conversation(world: World) -> None:
    conversation = circulated_conversation(world)
    conversations.suggest_correction(
        conversation=conversation,
        organisation=world.westmarch,
        text="June.",
        author=world.ben,
        now=timezone.now(),
    )

    brief = brief_for(user=world.ben, ours=world.westmarch, theirs=world.larkhaven, now=timezone.now())

    assert brief.last == conversation


def test_brief_says_what_changed_in_a_plan_since_the_last_conversation(world: World) -> None:
    plan = begin(world)
    publish(plan, world, now=timezone.now() - dt.timedelta(days=9))
    circulated_conversation(world, held_on=timezone.localdate() - dt.timedelta(days=5))
    fewer_homes(plan, world)
    publish(plan, world, "Fewer homes.")

    page = signed_in(world.ben).get(reverse("web:brief", args=[world.larkhaven.pk])).content.decode()

    assert "was 120, now 100 (20 fewer)" in page
    assert f"{reverse('plans:compare', args=[plan.pk])}?from=1&amp;to=2" in page


def test_two_plans_in_a_brief_need_no_more_queries_than_one(world: World) -> None:
    ben = signed_in(world.ben)
    address = reverse("web:brief", args=[world.larkhaven.pk])
    circulated_conversation(world, held_on=timezone.localdate() - dt.timedelta(days=5))

    def publish_plan_with_change() -> None:
        plan = begin(world)
        publish(plan, world, now=timezone.now() - dt.timedelta(days=9))
        fewer_homes(plan, world)
        publish(plan, world, "Fewer homes.")

    def count_queries() -> int:
        ben.get(address)  # fills the caches
        with CaptureQueriesContext(connection) as queries:
            response = ben.get(address)
        assert all(plan.changes for plan in response.context["brief"].plans)
        return len(queries)

    publish_plan_with_change()
    count_with_one_plan = count_queries()

    publish_plan_with_change()

    assert count_queries() <= count_with_one_plan


def test_open_items_are_shown_above_closed_ones_on_a_partnership_page(world: World) -> None:
    kept_promise = verified_commitment(world)
    open_promise = agree(world, text="Ten more homes.")

    response = signed_in(world.ben).get(reverse("web:partnership-commitments", args=[world.partnership.pk]))

    page = collapse(response.content.decode())
    assert response.context["open_commitments"] == [open_promise]
    assert response.context["ended_commitments"] == [kept_promise]
    assert f"{open_promise.reference} · Larkhaven Homes to Westmarch" in page
    assert "0 of 60 homes delivered" in page
    assert "Eddie" in page


def test_only_people_who_can_save_see_buttons_to_write_on_partnership_pages(world: World) -> None:
    pages = [
        reverse(name, args=[world.partnership.pk])
        for name in ("web:partnership-entries", "web:partnership-commitments", "web:partnership-conversations")
    ]

    has_button = {
        name: [
            'govuk-button" href' in collapse(signed_in(getattr(world, name)).get(page).content.decode())
            for page in pages
        ]
        for name in ("eddie", "vera")
    }

    assert has_button == {"eddie": [True, True, True], "vera": [False, False, False]}


@pytest.mark.skipif(not downloads.can_make_pdf(), reason="Pango is not installed here: the page says what to install")
def test_full_brief_as_pdf_fits_on_two_pages(world: World) -> None:
    for number in range(14):
        share(world, world.amina, world.larkhaven, f"Land at Quay {number}, for families who wait for a home there")
        share(world, world.ben, world.westmarch, f"Homes at Quay {number}, for families who wait for a home there")
    for number in range(10):
        agree(world, text=f"{number} homes for social rent at the quay, with a play area", quantity=Decimal(5))

    response = signed_in(world.ben).get(reverse("web:brief-pdf", args=[world.larkhaven.pk]))

    assert 1 <= sheets(response.content) <= 2


def test_one_live_partnership_is_named_in_the_singular(world: World) -> None:
    page = signed_in(world.ben).get(reverse("web:home")).content.decode()

    text = " ".join(re.sub(r"<[^>]+>", " ", page).split())
    assert "1 live partnership " in text


def test_brief_says_how_much_and_how_many_more(world: World) -> None:
    for number in range(14):
        share(world, world.amina, world.larkhaven, f"Land at Quay {number}")
    for number in range(10):
        agree(world, text=f"Homes {number}", quantity=Decimal(5))

    response = signed_in(world.ben).get(reverse("web:brief", args=[world.larkhaven.pk]))
    page = collapse(response.content.decode())

    assert "2 hectares" in page
    assert "shared today, no answer yet" in page
    assert "0 of 5 homes" in page
    assert page.count("and 2 more") + page.count("And 2 more") == 2


def test_observer_is_not_counted_as_asked(world: World) -> None:
    now = timezone.now()
    party = agreements.invite_organisation(
        partnership=world.partnership,
        organisation=world.harbour,
        role="observer",
        reason="We need them.",
        author=world.amina,
        now=now,
    )
    agreements.answer_invitation(party=party, accept=True, reason="", author=world.hana, now=now)
    whole_partnership = {"audience": Audience.PARTNERSHIP, "partnership": world.partnership, "addressees": []}
    share(world, world.amina, world.larkhaven, "Training rooms", **whole_partnership)
    today = timezone.localdate()

    asks_made = {
        balance.partner.name: balance.we_asked.made for balance in with_all_partners(world.amina, world.larkhaven)
    }

    assert asks_made == {"Harbour Community Trust": 0, "Westmarch Borough Council": 1}
    observers_balance = balance_with_partner(
        user=world.hana, sides=sides_with_predecessors(world.harbour, world.larkhaven), today=today
    )
    assert observers_balance.they_asked.made == 0


def test_ask_counts_as_met_only_by_the_organisation_that_delivered(world: World) -> None:
    ask_details = {"addressees": [world.westmarch, world.tidewater], "unit": "homes", "quantity": Decimal(60)}
    ask = share(world, world.amina, world.larkhaven, "Homes", **ask_details)
    promise = agree(
        world, giver=world.westmarch, receiver=world.larkhaven, owner=world.ben, author=world.ben, partnership=None
    )
    exchange.meet_entry(entry=ask, commitment=promise, quantity=None, author=world.amina, now=timezone.now())
    record_progress(
        commitment=promise, status=Promise.DONE, author=world.ben, now=timezone.now(), delivered=Decimal(60)
    )
    verify_delivery(commitment=promise, author=world.amina, now=timezone.now())
    today = timezone.localdate()

    asks_by_partner = {balance.partner: balance.we_asked for balance in with_all_partners(world.amina, world.larkhaven)}
    westmarch, tidewater = asks_by_partner[world.westmarch], asks_by_partner[world.tidewater]
    tidewaters_own_view = balance_with_partner(
        user=world.chidi, sides=sides_with_predecessors(world.tidewater, world.larkhaven), today=today
    ).they_asked

    assert westmarch.made == 1
    assert westmarch.met == 1
    assert westmarch.elsewhere == 0
    assert westmarch.ended_unmet == 0
    assert tidewater.made == 1
    assert tidewater.met == 0
    assert tidewater.elsewhere == 1
    assert tidewater.ended_unmet == 0
    assert tidewaters_own_view == tidewater
