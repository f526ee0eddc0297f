"""A nominations agreement is its partnership's terms: it begins and changes when these come into force."""

from __future__ import annotations

import datetime as dt

import pytest
import time_machine
from django.urls import reverse
from django.utils import timezone

from partnerships.agreements.models import Status
from partnerships.agreements.services import UnableToSendForSignature, change_status, give_notice, propose_amendment
from partnerships.nominations.lettings.quarters import Quarter
from partnerships.nominations.models import NominationsAgreement
from partnerships.nominations.presenting import days_sentence
from partnerships.nominations.queries import nomination_terms_on
from partnerships.nominations.queries.agreement import period_in_force, suspended_since
from partnerships.nominations.queries.pages import quarters_to_start
from partnerships.nominations.rights import rights_over
from partnerships.nominations.schedule import Bedrooms
from partnerships.organisations.services import merge_organisations, undo_merge
from tests.nominations.signed import partnership_between, sign_data_sharing, sign_nominations
from tests.support.signing_in import signed_in
from tests.support.terms import agree_terms, draft, first_proposal, put_up, sign_all
from tests.world import World


def test_first_draft_begins_with_a_typical_agreement(world: World) -> None:
    agreement = world.things["nominations"]

    agreed = nomination_terms_on(agreement, timezone.localdate())

    assert agreed is not None
    assert agreed.first_lets == 100
    assert agreed.days_first_lets == 10
    assert agreed.days_relets == 3
    assert agreed.nominees == 1
    assert [agreed.relets[size] for size in Bedrooms] == [50, 50, 75, 75, 75]
    assert agreement.council_body == world.westmarch
    assert agreement.provider_body == world.larkhaven
    assert len(agreed.refusal_grounds) == 5


def test_unsigned_terms_are_no_agreement(unsigned: World) -> None:
    world = unsigned
    partnership = partnership_between(world, "nominations", "Westmarch nominations")
    names = {"council": world.westmarch.name, "provider": world.larkhaven.name, "review_on": "2099-01-01"}
    put_up(draft(first_proposal(partnership), world.amina, **names), world.amina)

    assert not NominationsAgreement.objects.exists()


def test_council_and_provider_must_differ(unsigned: World) -> None:
    world = unsigned
    partnership = partnership_between(world, "nominations", "Westmarch nominations")

    with pytest.raises(UnableToSendForSignature, match="“Council” and “Provider” are the same"):
        agree_terms(partnership, world.amina, council=world.westmarch.name, provider=world.westmarch.name)


def test_amendment_changes_the_shares_from_its_day_on(world: World) -> None:
    agreement = world.things["nominations"]
    today = timezone.localdate()
    later = today + dt.timedelta(days=40)
    proposal = propose_amendment(
        partnership=agreement.partnership,
        organisation=world.larkhaven,
        reason="Fewer large homes become empty.",
        author=world.amina,
        now=timezone.now(),
        from_day=later,
    )
    sign_all(put_up(draft(proposal, world.amina, relets_4="60"), world.amina, from_day=later))

    shares = [agreed.relets[Bedrooms.FOUR] for day in (today, later) if (agreed := nomination_terms_on(agreement, day))]

    assert shares == [75, 60]


def test_a_quarter_counts_from_the_day_in_force_to_the_end_of_the_agreement(world: World) -> None:
    agreement = world.things["nominations"]
    today = timezone.localdate()
    quarter = Quarter.of(today)
    now = timezone.now()

    before, begun, later = (
        period_in_force(agreement, each_quarter) for each_quarter in (quarter.previous(), quarter, quarter.next())
    )
    ended_on = quarter.next().starts_on + dt.timedelta(days=40)
    change_status(
        partnership=agreement.partnership,
        status=Status.ENDED,
        reason="The homes are sold.",
        author=world.amina,
        now=now + (ended_on - today),
    )
    agreement = NominationsAgreement.objects.for_pages().get(pk=agreement.pk)
    ended, after = (
        period_in_force(agreement, each_quarter) for each_quarter in (quarter.next(), quarter.next().next())
    )

    assert before is None
    assert after is None
    assert begun is not None
    assert begun.first_day == today
    assert begun.last_day == quarter.last_day
    assert later is not None
    assert (later.first_day, later.last_day) == (quarter.next().starts_on, quarter.next().last_day)
    assert ended is not None
    assert (ended.first_day, ended.last_day) == (quarter.next().starts_on, ended_on)
    assert quarters_to_start(agreement, ended_on) == [quarter]
    assert quarters_to_start(agreement, ended_on + dt.timedelta(days=1)) == [quarter.next(), quarter]


def test_a_quarter_leaves_out_the_days_on_which_the_partnership_was_suspended(world: World) -> None:
    agreement = world.things["nominations"]
    now = timezone.now()
    quarter = Quarter.of(timezone.localdate()).next()
    first_day = quarter.starts_on

    def change(status: Status, day: dt.date) -> None:
        at = now + (day - timezone.localdate())
        change_status(
            partnership=agreement.partnership, status=status, reason="We disagree.", author=world.amina, now=at
        )

    change(Status.SUSPENDED, first_day + dt.timedelta(days=10))
    agreement = NominationsAgreement.objects.for_pages().get(pk=agreement.pk)
    suspended_period = period_in_force(agreement, quarter)
    period_in_suspended_quarter = period_in_force(agreement, quarter.next())
    suspended_from = suspended_since(agreement.partnership)
    change(Status.ACTIVE, first_day + dt.timedelta(days=20))
    agreement = NominationsAgreement.objects.for_pages().get(pk=agreement.pk)
    resumed_period = period_in_force(agreement, quarter)
    period_after_resuming = period_in_force(agreement, quarter.next())

    assert suspended_period is not None
    assert suspended_period.suspended == ((first_day + dt.timedelta(days=10), quarter.last_day),)
    assert suspended_from == first_day + dt.timedelta(days=10)
    assert period_in_suspended_quarter is None
    assert resumed_period is not None
    assert resumed_period.suspended == ((first_day + dt.timedelta(days=10), first_day + dt.timedelta(days=19)),)
    assert period_after_resuming is not None
    assert period_after_resuming.suspended == ()
    assert suspended_since(agreement.partnership) is None
    report = {"in_force": [], "suspended": [[day.isoformat() for day in days] for days in resumed_period.suspended]}
    assert "are not counted, because the agreement was suspended then." in days_sentence(quarter, report)


def test_a_partnership_that_ends_while_it_is_suspended_does_not_go_on_for_a_day(world: World) -> None:
    agreement = world.things["nominations"]
    quarter = Quarter.of(timezone.localdate()).next()
    for status, day in ((Status.SUSPENDED, quarter.starts_on), (Status.ENDED, quarter.starts_on + dt.timedelta(20))):
        at = timezone.now() + (day - timezone.localdate())
        change_status(partnership=agreement.partnership, status=status, reason="No money.", author=world.amina, now=at)

    agreement = NominationsAgreement.objects.for_pages().get(pk=agreement.pk)

    assert period_in_force(agreement, quarter) is None


def test_amendment_that_names_others_changes_who_is_the_council(world: World) -> None:
    agreement = world.things["nominations"]
    proposal = propose_amendment(
        partnership=agreement.partnership,
        organisation=world.larkhaven,
        reason="They were the wrong way round.",
        author=world.amina,
        now=timezone.now(),
    )
    names = {"council": world.larkhaven.name, "provider": world.westmarch.name}
    sign_all(put_up(draft(proposal, world.amina, **names), world.amina))

    agreement.refresh_from_db()

    assert agreement.council_body == world.larkhaven
    assert agreement.provider_body == world.westmarch


def test_council_and_provider_read_returns_and_others_masked_results(world: World) -> None:
    agreement = world.things["nominations"]
    people = {"amina": world.amina, "vera": world.vera, "ben": world.ben, "nadia": world.nadia, "chidi": world.chidi}
    rights_by_name = {name: rights_over(agreement, person, timezone.now()) for name, person in people.items()}

    assert {name for name, rights in rights_by_name.items() if rights.reads_returns} == {"amina", "vera", "ben"}
    assert {name for name, rights in rights_by_name.items() if rights.reads_masked} == {"nadia"}
    assert {name for name, rights in rights_by_name.items() if rights.may_report} == {"amina"}
    assert {name for name, rights in rights_by_name.items() if rights.may_decide} == {"ben"}
    assert set(NominationsAgreement.objects.with_side_of(world.nadia)) == set()
    assert set(NominationsAgreement.objects.visible_to(world.nadia)) == {agreement}


def test_nothing_opens_without_data_sharing(unsigned: World) -> None:
    world = unsigned
    agreement = sign_nominations(world, shares_data=False)
    rights_before = rights_over(agreement, world.amina, timezone.now())
    client = signed_in(world.ben)
    page = client.get(reverse("nominations:detail", args=[agreement.partnership_id]))

    sign_data_sharing(world)

    assert not rights_before.reads_returns
    assert not rights_before.may_report
    assert not rights_before.reads_masked
    assert "Returns stay closed until they have signed one" in page.content.decode()
    assert rights_over(agreement, world.amina, timezone.now()).may_report


def test_party_that_left_reads_nothing(world: World) -> None:
    agreement = world.things["nominations"]
    today = timezone.localdate()
    give_notice(
        party=agreement.council, reason="Merged.", last_day=today + dt.timedelta(days=1), author=world.ben,
        now=timezone.now(),
    )  # fmt: skip

    with time_machine.travel(dt.datetime.combine(today + dt.timedelta(days=3), dt.time(12)), tick=False):
        rights = rights_over(agreement, world.ben, timezone.now())

    assert not rights.reads_returns


@pytest.mark.parametrize("name", ["harbour", "riverside"])
def test_body_that_a_council_is_merged_into_takes_its_place(world: World, name: str) -> None:
    agreement = world.things["nominations"]
    successor = getattr(world, name)

    merge = merge_organisations(
        merged=world.westmarch, kept=successor, reason="Two records of one body.", author=world.dee, now=timezone.now()
    )
    council_after_merge = NominationsAgreement.objects.for_pages().get(pk=agreement.pk).council_body
    undo_merge(merge=merge, reason="Not the same.", author=world.dee, now=timezone.now())

    assert council_after_merge == successor
    assert NominationsAgreement.objects.for_pages().get(pk=agreement.pk).council_body == world.westmarch
