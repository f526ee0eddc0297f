"""Followers are notified of every kind of event, or there is a reason why not."""

from __future__ import annotations

import datetime as dt
import re
from decimal import Decimal
from html import unescape
from typing import Any

import pytest
from django.utils import timezone
from django.utils.html import strip_tags

from partnerships.activity.event_kinds import event_labels
from partnerships.activity.folding import FoldRule
from partnerships.activity.follower_notices import (
    FollowerNotice,
    Group,
    follower_notice_of,
    notices_by_kind,
    reasons_without_notice,
    register_follower_notice,
    register_without_notice,
    sentence_of,
)
from partnerships.activity.models import Audience, Event
from partnerships.activity.queries import changes_between, net_changes, newest_change_number
from partnerships.activity.subjects import SubjectKind
from partnerships.agreements.event_kinds import EventKind as Agreements
from partnerships.agreements.models import Partnership, Party
from partnerships.agreements.services import (
    answer_invitation,
    invite_organisation,
    leave_partnership,
    record_dates_near,
)
from partnerships.commitments import services as commitments
from partnerships.commitments.models import Commitment, Status
from partnerships.conversations import services as conversations
from partnerships.exchange import services as exchange
from partnerships.organisations.timeline import DigestLine, digest_lines
from partnerships.plans.models import Plan
from partnerships.plans.services import lift_embargoes
from tests.commitments.promises import agree, in_days, propose, report
from tests.conversations.gatherings import planned_meeting
from tests.conversations.reports import set_up
from tests.exchange.conftest import shared_entry
from tests.plans.drafts import publish, published_plan, save
from tests.support.terms import agree_terms
from tests.world import World

pytestmark = pytest.mark.django_db


def lines_since(
    number: int, record_id: int, kind: SubjectKind = SubjectKind.PARTNERSHIP, *, outside: bool = False
) -> list[DigestLine]:
    """Return the lines about a subject's changes after this number, as followers or, `outside`, stakeholders read."""
    newest = newest_change_number(kind=kind, record_id=record_id)
    changes = changes_between(kind=kind, record_id=record_id, after=number, up_to=newest)
    audiences = (Audience.OUTSIDE, Audience.MARKED) if outside else Audience.values
    told = [(change.number, change.event) for change in changes if change.event.audience in audiences]
    return digest_lines(net_changes(told), today=timezone.localdate(), outside=outside)


def newest_number(world: World) -> int:
    """Return the number of the partnership's newest change."""
    return newest_change_number(kind=SubjectKind.PARTNERSHIP, record_id=world.partnership.pk)


def sentences(lines: list[DigestLine]) -> list[str]:
    """Return the sentences of these lines, as in the text part of an email."""
    return [line.sentence.text for line in lines]


def move_due_date(world: World, commitment: Commitment, days: int) -> None:
    """Move the due date of a commitment to this many days from today."""
    commitments.change_due_date(
        commitment=commitment,
        due_on=in_days(days),
        reason="The crane is late.",
        author=world.amina,
        now=timezone.now(),
    )


def test_every_kind_of_event_is_told_or_has_a_reason_why_not() -> None:
    told_kinds = {notice.kind for notice in notices_by_kind()}

    assert told_kinds | set(reasons_without_notice()) == set(event_labels())
    assert told_kinds.isdisjoint(reasons_without_notice())


@pytest.mark.parametrize("kind", reasons_without_notice())
def test_reason_without_notice_has_several_words(kind: str) -> None:
    assert len(reasons_without_notice()[kind].split()) > 3


def test_no_kind_gets_a_second_notice() -> None:
    with pytest.raises(ValueError, match="twice"):
        register_follower_notice(Agreements.OPENED, group=Group.TERMS, fold=FoldRule.EACH)


def test_kind_with_a_notice_gets_no_reason_without_one() -> None:
    with pytest.raises(ValueError, match="twice"):
        register_without_notice([Agreements.OPENED], because="there is no reason for this")


@pytest.mark.parametrize(
    "values",
    [
        pytest.param({"field": "", "was": "", "now": ""}, id="no values"),
        pytest.param(
            {"field": "", "was": "", "now": "", "names": ["Larkhaven Homes & Sons", "Member"]}, id="with names"
        ),
        pytest.param({"field": "due date", "was": "1 March", "now": "1 <May>", "moves": 2}, id="moved twice"),
        pytest.param({"field": "due date", "was": "", "now": "1 May"}, id="first value"),
        pytest.param({"field": "due date", "was": "1 March", "now": ""}, id="value removed"),
    ],
)
@pytest.mark.parametrize("notice", notices_by_kind(), ids=lambda notice: notice.kind)
def test_every_kind_has_its_sentence_in_both_parts(notice: FollowerNotice, values: dict[str, Any]) -> None:
    sentence = sentence_of(notice, **({"moves": 1, "names": []} | values))

    assert sentence.text.startswith(event_labels()[notice.kind])
    assert not re.search(r"[{}]|: *$|  ", sentence.text), sentence.text
    assert unescape(strip_tags(sentence.html)) == sentence.text
    assert "<May>" not in sentence.html


def test_every_group_is_of_some_kind() -> None:
    assert {notice.group for notice in notices_by_kind()} == set(Group)


def test_timeline_says_the_sentence_without_values() -> None:
    event = Event(kind="commitment.due_date_moved", data={"before": {"due": "1 March"}, "after": {"due": "1 May"}})

    notice = follower_notice_of(event.kind)

    assert notice is not None
    assert notice.phrase == "Changed the due date"
    assert event.label == "Changed the due date"


def test_commitment_that_slipped_twice_is_one_line(world: World) -> None:
    commitment = agree(world)
    before = newest_number(world)
    move_due_date(world, commitment, 120)
    move_due_date(world, commitment, 150)

    [line] = lines_since(before, world.partnership.pk)

    assert line.group == Group.COMMITMENTS
    assert re.fullmatch(r"Changed the due date: was \d.+, now \d.+, changed 2 times", line.sentence.text)
    assert line.subject.startswith(commitment.reference)
    assert line.path.endswith(f"/{commitment.pk}/")
    assert line.by == "Amina Larch, Larkhaven Homes"
    assert line.reason == "The crane is late."
    assert line.numbers == (before + 1, before + 2)


def test_due_date_that_moved_back_is_not_told(world: World) -> None:
    commitment = agree(world)
    before = newest_number(world)
    move_due_date(world, commitment, 120)
    move_due_date(world, commitment, 90)

    lines = lines_since(before, world.partnership.pk)

    assert lines == []


def test_proposal_that_was_withdrawn_is_not_told(world: World) -> None:
    before = newest_number(world)
    commitment = propose(world)
    commitments.end_commitment(commitment=commitment, reason="A mistake.", author=world.amina, now=timezone.now())

    lines = lines_since(before, world.partnership.pk)

    assert lines == []
    assert newest_number(world) == before + 2


def test_commitment_at_risk_is_told_with_what_blocks_it(world: World) -> None:
    commitment = agree(world)
    before = newest_number(world)
    report(world, commitment, Status.AT_RISK, blocker="No crane.")

    [line] = lines_since(before, world.partnership.pk)

    assert line.sentence.text == "Reported progress: status was Agreed, now At risk"
    assert line.reason == "No crane."


def test_delivered_amount_is_told_on_its_own_line(world: World) -> None:
    commitment = agree(world)
    before = newest_number(world)
    report(world, commitment, Status.AT_RISK, delivered=Decimal(10), blocker="No crane.")

    lines = lines_since(before, world.partnership.pk)

    assert len(lines) == 2
    assert any(text.startswith("Reported progress: delivered was") for text in sentences(lines))


@pytest.fixture
def lines_for_stakeholders(world: World) -> list[DigestLine]:
    """Return what stakeholders are told about a commitment that was reported at risk and whose due date moved."""
    commitment = agree(world)
    before = newest_number(world)
    report(world, commitment, Status.AT_RISK, delivered=Decimal(10), blocker="No crane.")
    move_due_date(world, commitment, 120)
    return lines_since(before, world.partnership.pk, outside=True)


def test_stakeholder_is_told_the_status_of_a_commitment(lines_for_stakeholders: list[DigestLine]) -> None:
    assert "Reported progress: status was Agreed, now At risk" in sentences(lines_for_stakeholders)


def test_stakeholder_is_not_told_the_author_of_a_change(lines_for_stakeholders: list[DigestLine]) -> None:
    assert [line.by for line in lines_for_stakeholders] == ["", ""]


def test_stakeholder_is_not_told_the_reason_for_a_change(lines_for_stakeholders: list[DigestLine]) -> None:
    assert [line.reason for line in lines_for_stakeholders] == ["", ""]


def test_stakeholder_is_not_told_the_delivered_amount(lines_for_stakeholders: list[DigestLine]) -> None:
    assert "delivered" not in " ".join(sentences(lines_for_stakeholders))


def test_ask_is_told_to_followers_of_its_partnership_until_it_is_met(world: World) -> None:
    now = timezone.now()
    before = newest_number(world)
    ask = shared_entry(world.larkhaven, world.amina, now, audience="partnership", partnership=world.partnership)
    exchange.respond(
        entry=ask, organisation=world.westmarch, text="We have land.", quantity=60, author=world.ben, now=now
    )

    lines = lines_since(before, world.partnership.pk)

    assert sentences(lines).count("Shared an ask") == 1
    assert "Answered an ask" in sentences(lines)
    assert {line.group for line in lines} == {Group.ASKS_AND_OFFERS}
    assert newest_change_number(kind=SubjectKind.REQUEST, record_id=ask.pk) > 1


def test_standing_offer_is_a_change_of_its_organisation(world: World) -> None:
    before = newest_change_number(kind=SubjectKind.ORGANISATION, record_id=world.larkhaven.pk)
    shared_entry(world.larkhaven, world.amina, timezone.now(), direction="offer", standing=True, quantity=None, unit="")

    lines = lines_since(before, world.larkhaven.pk, SubjectKind.ORGANISATION)

    assert sentences(lines) == ["Shared an offer"]


def tidewater_joins(world: World) -> Party:
    """Let Tidewater accept an invitation to the Estuary Partnership. Return it as a party."""
    party = invite_organisation(
        partnership=world.partnership,
        organisation=world.tidewater,
        role="member",
        reason="They have land.",
        author=world.amina,
        now=timezone.now(),
    )
    answer_invitation(party=party, accept=True, reason="", author=world.chidi, now=timezone.now())
    return party


def test_organisation_that_joined_is_told_in_one_line(world: World) -> None:
    before = newest_number(world)
    tidewater_joins(world)

    lines = lines_since(before, world.partnership.pk)

    assert sentences(lines) == ["Accepted the invitation: Tidewater Housing Group, Member"]


def test_followers_are_not_told_of_an_organisation_that_joined_but_left(world: World) -> None:
    before = newest_number(world)
    party = tidewater_joins(world)
    leave_partnership(party=party, reason="No time.", author=world.chidi, now=timezone.now())

    lines = lines_since(before, world.partnership.pk)

    assert Group.PARTIES not in {line.group for line in lines}


def test_stakeholders_are_not_told_of_an_organisation_that_joined_but_left(world: World) -> None:
    before = newest_number(world)
    party = tidewater_joins(world)
    leave_partnership(party=party, reason="No time.", author=world.chidi, now=timezone.now())

    lines = lines_since(before, world.partnership.pk, outside=True)

    assert lines == []


@pytest.fixture
def partnership_near_its_review(world: World) -> Partnership:
    """Return the Estuary Partnership, whose terms must be reviewed in 20 days."""
    review_on = timezone.localdate() + dt.timedelta(days=20)
    agree_terms(world.partnership, world.amina, review_on=review_on.isoformat())
    return world.partnership


def test_review_that_is_near_is_told(world: World, partnership_near_its_review: Partnership) -> None:
    before = newest_number(world)

    record_dates_near(now=timezone.now())

    [text] = sentences(lines_since(before, partnership_near_its_review.pk))
    assert text.startswith("Review date approaching: ")


def test_review_that_is_near_is_not_told_again(world: World, partnership_near_its_review: Partnership) -> None:
    record_dates_near(now=timezone.now())
    before = newest_number(world)

    recorded = record_dates_near(now=timezone.now())

    assert recorded == 0
    assert lines_since(before, partnership_near_its_review.pk) == []


def test_progress_report_that_is_due_is_told_for_each_party(world: World) -> None:
    set_up(world)
    before = newest_number(world)

    conversations.remind_of_reports(now=timezone.now() + dt.timedelta(days=20))

    about_larkhaven, about_westmarch = sentences(lines_since(before, world.partnership.pk))
    assert about_larkhaven.startswith("A progress report is due: ")
    assert about_westmarch.startswith("A progress report is due: ")


def test_progress_report_that_is_due_is_not_told_again(world: World) -> None:
    set_up(world)
    conversations.remind_of_reports(now=timezone.now() + dt.timedelta(days=20))
    before = newest_number(world)

    conversations.remind_of_reports(now=timezone.now() + dt.timedelta(days=20))

    assert lines_since(before, world.partnership.pk) == []


def test_planned_meeting_is_told(world: World) -> None:
    before = newest_number(world)
    planned_meeting(world)

    [line] = lines_since(before, world.partnership.pk)

    assert line.sentence.text.startswith("Planned a meeting: ")


def test_planned_meeting_that_was_called_off_is_not_told(world: World) -> None:
    before = newest_number(world)
    conversations.call_off_meeting(
        meeting=planned_meeting(world),
        organisation=world.larkhaven,
        reason="Snow.",
        author=world.eddie,
        now=timezone.now(),
    )

    lines = lines_since(before, world.partnership.pk)

    assert lines == []


def test_end_of_an_embargo_is_a_change_of_the_plan(world: World) -> None:
    plan: Plan = published_plan(world)
    save(plan, world, "about", summary="Held back.")
    publish(plan, world, "Not yet.", embargo_until=timezone.now() + dt.timedelta(hours=24))
    before = newest_change_number(kind=SubjectKind.PLAN, record_id=plan.pk)

    lift_embargoes(now=timezone.now() + dt.timedelta(hours=25))

    [change] = changes_between(kind=SubjectKind.PLAN, record_id=plan.pk, after=before, up_to=before + 9)
    assert change.event.kind == "plan.embargo_lifted"
    assert change.event.data["number"] == 2
