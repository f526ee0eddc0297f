"""Followers are notified of every kind of event, or there is a reason why not."""

from __future__ import annotations

import datetime as dt
import re
from decimal import Decimal
from html import unescape

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
    """Return the lines about a subject's changes after this number, as followers read them."""
    newest = newest_change_number(kind=kind, record_id=record_id)
    changes = changes_between(kind=kind, record_id=record_id, after=number, up_to=newest)
    audiences = (Audience.OUTSIDE, Audience.MARKED) if outside else Audience.values
    heard = [(change.number, change.event) for change in changes if change.event.audience in audiences]
    return digest_lines(net_changes(heard), today=timezone.localdate(), outside=outside)


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
    told_kinds = {kind.kind for kind in notices_by_kind()}

    assert told_kinds | set(reasons_without_notice()) == set(event_labels())
    assert not told_kinds & set(reasons_without_notice())
    assert all(len(reason.split()) > 3 for reason in reasons_without_notice().values())


def test_no_kind_is_registered_twice() -> None:
    with pytest.raises(ValueError, match="twice"):
        register_follower_notice(Agreements.OPENED, group=Group.TERMS, fold=FoldRule.EACH)
    with pytest.raises(ValueError, match="twice"):
        register_without_notice([Agreements.OPENED], because="there is no reason for this")


@pytest.mark.parametrize("told", notices_by_kind(), ids=lambda told: told.kind)
def test_every_kind_has_its_sentence_in_both_parts(told: FollowerNotice) -> None:
    for field, was, now, moves, names in (
        ("", "", "", 1, []),
        ("", "", "", 1, ["Larkhaven Homes & Sons", "Member"]),
        ("due date", "1 March", "1 <May>", 2, []),
        ("due date", "", "1 May", 1, []),
        ("due date", "1 March", "", 1, []),
    ):
        sentence = sentence_of(told, field=field, was=was, now=now, moves=moves, names=names)

        assert sentence.text.startswith(event_labels()[told.kind])
        assert not re.search(r"[{}]|: *$|  ", sentence.text), sentence.text
        assert unescape(strip_tags(sentence.html)) == sentence.text
        assert "<May>" not in sentence.html


def test_every_group_is_of_some_kind() -> None:
    assert {notice.group for notice in notices_by_kind()} == set(Group)


def test_timeline_says_the_sentence_without_values(world: World) -> None:
    event = Event(kind="commitment.due_date_moved", data={"before": {"due": "1 March"}, "after": {"due": "1 May"}})

    notice = follower_notice_of(event.kind)

    assert notice is not None
    assert event.label == notice.phrase == "Changed the due date"


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

    assert lines_since(before, world.partnership.pk) == []


def test_proposal_that_was_withdrawn_is_not_told(world: World) -> None:
    before = newest_number(world)
    commitment = propose(world)
    commitments.end_commitment(commitment=commitment, reason="A mistake.", author=world.amina, now=timezone.now())

    assert lines_since(before, world.partnership.pk) == []
    assert newest_number(world) == before + 2


def test_commitment_at_risk_is_told_with_what_blocks_it(world: World) -> None:
    commitment = agree(world)
    before = newest_number(world)
    report(world, commitment, Status.AT_RISK, delivered=Decimal(10), blocker="No crane.")

    status, delivered = sorted(
        lines_since(before, world.partnership.pk), key=lambda line: "delivered" in sentences([line])[0]
    )

    assert status.sentence.text == "Reported progress: status was Agreed, now At risk"
    assert status.reason == "No crane."
    assert delivered.sentence.text.startswith("Reported progress: delivered was")


def test_stakeholder_hears_dates_and_status_but_no_person_reason_or_amount(world: World) -> None:
    commitment = agree(world)
    before = newest_number(world)
    report(world, commitment, Status.AT_RISK, delivered=Decimal(10), blocker="No crane.")
    move_due_date(world, commitment, 120)

    lines = lines_since(before, world.partnership.pk, outside=True)

    assert [line.by + line.reason for line in lines] == ["", ""]
    assert not [text for text in sentences(lines) if "delivered" in text]


def test_ask_is_told_to_followers_of_its_partnership_until_it_is_met(world: World) -> None:
    now = timezone.now()
    before = newest_number(world)
    ask = shared_entry(world.larkhaven, world.amina, now, audience="partnership", partnership=world.partnership)
    exchange.respond(
        entry=ask, organisation=world.westmarch, text="We have land.", quantity=60, author=world.ben, now=now
    )

    lines = lines_since(before, world.partnership.pk)

    assert [text for text in sentences(lines) if text == "Shared an ask"] == ["Shared an ask"]
    assert "Answered an ask" in sentences(lines)
    assert {line.group for line in lines} == {Group.ASKS_AND_OFFERS}
    assert newest_change_number(kind=SubjectKind.REQUEST, record_id=ask.pk) > 1


def test_standing_offer_is_a_change_of_its_organisation(world: World) -> None:
    before = newest_change_number(kind=SubjectKind.ORGANISATION, record_id=world.larkhaven.pk)
    shared_entry(world.larkhaven, world.amina, timezone.now(), direction="offer", standing=True, quantity=None, unit="")

    lines = lines_since(before, world.larkhaven.pk, SubjectKind.ORGANISATION)

    assert sentences(lines) == ["Shared an offer"]


def test_organisation_that_joined_and_left_in_between_is_not_told(world: World) -> None:
    before = newest_number(world)
    party = invite_organisation(
        partnership=world.partnership,
        organisation=world.tidewater,
        role="member",
        reason="They have land.",
        author=world.amina,
        now=timezone.now(),
    )
    answer_invitation(party=party, accept=True, reason="", author=world.chidi, now=timezone.now())
    joined = lines_since(before, world.partnership.pk)
    leave_partnership(party=party, reason="No time.", author=world.chidi, now=timezone.now())

    assert sentences(joined) == ["Accepted the invitation: Tidewater Housing Group, Member"]
    assert [line for line in lines_since(before, world.partnership.pk) if line.group == Group.PARTIES] == []
    assert lines_since(before, world.partnership.pk, outside=True) == []


def test_review_that_is_near_is_told_once(world: World) -> None:
    today = timezone.localdate()
    agree_terms(world.partnership, world.amina, review_on=(today + dt.timedelta(days=20)).isoformat())
    before = newest_number(world)

    first = record_dates_near(now=timezone.now())
    second = record_dates_near(now=timezone.now())

    assert first == 1
    assert second == 0
    [text] = sentences(lines_since(before, world.partnership.pk))
    assert text.startswith("Review date approaching: ")


def test_progress_report_that_is_due_is_told_once(world: World) -> None:
    set_up(world)
    before = newest_number(world)

    for _ in range(2):
        conversations.remind_of_reports(now=timezone.now() + dt.timedelta(days=20))

    due = [text for text in sentences(lines_since(before, world.partnership.pk)) if "due" in text]
    assert len(due) == 2  # One for each party.
    assert all(text.startswith("A progress report is due: ") for text in due)


def test_meeting_that_is_planned_and_called_off_is_not_told(world: World) -> None:
    before = newest_number(world)
    meeting = planned_meeting(world)
    planned = lines_since(before, world.partnership.pk)
    conversations.call_off_meeting(
        meeting=meeting, organisation=world.larkhaven, reason="Snow.", author=world.eddie, now=timezone.now()
    )

    [text] = sentences(planned)
    assert text.startswith("Planned a meeting: ")
    assert lines_since(before, world.partnership.pk) == []


def test_end_of_an_embargo_is_a_change_of_the_plan(world: World) -> None:
    plan: Plan = published_plan(world)
    save(plan, world, "about", summary="Held back.")
    publish(plan, world, "Not yet.", embargo_until=timezone.now() + dt.timedelta(hours=24))
    before = newest_change_number(kind=SubjectKind.PLAN, record_id=plan.pk)

    lift_embargoes(now=timezone.now() + dt.timedelta(hours=25))

    [change] = changes_between(kind=SubjectKind.PLAN, record_id=plan.pk, after=before, up_to=before + 9)
    assert change.event.kind == "plan.embargo_lifted"
    assert change.event.data["number"] == 2
