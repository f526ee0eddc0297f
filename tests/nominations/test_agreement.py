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


def change_partnership_status(world: World, status: Status, day: dt.date) -> NominationsAgreement:
    """Change the status of the nominations partnership on a day, as Amina, and return the agreement read again."""
    agreement = world.things["nominations"]
    change_status(
        partnership=agreement.partnership,
        status=status,
        reason="We disagree.",
        author=world.amina,
        now=timezone.now() + (day - timezone.localdate()),
    )
    return NominationsAgreement.objects.for_pages().get(pk=agreement.pk)


def test_the_first_quarter_begins_on_the_day_on_which_the_agreement_is_in_force(world: World) -> None:
    agreement = world.things["nominations"]
    today = timezone.localdate()
    quarter = Quarter.of(today)

    period = period_in_force(agreement, quarter)

    assert period is not None
    assert period.first_day == today
    assert period.last_day == quarter.last_day
    assert period_in_force(agreement, quarter.previous()) is None


def test_a_later_quarter_is_in_force_from_its_first_to_its_last_day(world: World) -> None:
    next_quarter = Quarter.of(timezone.localdate()).next()

    period = period_in_force(world.things["nominations"], next_quarter)

    assert period is not None
    assert (period.first_day, period.last_day) == (next_quarter.starts_on, next_quarter.last_day)


def test_the_last_quarter_ends_on_the_day_on_which_the_agreement_ends(world: World) -> None:
    next_quarter = Quarter.of(timezone.localdate()).next()
    ended_on = next_quarter.starts_on + dt.timedelta(days=40)
    agreement = change_partnership_status(world, Status.ENDED, ended_on)

    period = period_in_force(agreement, next_quarter)

    assert period is not None
    assert (period.first_day, period.last_day) == (next_quarter.starts_on, ended_on)
    assert period_in_force(agreement, next_quarter.next()) is None


def test_the_last_return_can_be_started_on_the_day_after_the_agreement_ends(world: World) -> None:
    quarter = Quarter.of(timezone.localdate())
    ended_on = quarter.next().starts_on + dt.timedelta(days=40)
    agreement = change_partnership_status(world, Status.ENDED, ended_on)

    assert quarters_to_start(agreement, ended_on) == [quarter]
    assert quarters_to_start(agreement, ended_on + dt.timedelta(days=1)) == [quarter.next(), quarter]


def test_an_agreement_is_not_in_force_from_the_first_day_of_its_suspension(world: World) -> None:
    quarter = Quarter.of(timezone.localdate()).next()
    suspended_from = quarter.starts_on + dt.timedelta(days=10)
    agreement = change_partnership_status(world, Status.SUSPENDED, suspended_from)

    period = period_in_force(agreement, quarter)

    assert period is not None
    assert period.suspended == ((suspended_from, quarter.last_day),)
    assert suspended_since(agreement.partnership) == suspended_from
    assert period_in_force(agreement, quarter.next()) is None


def test_an_agreement_is_in_force_again_from_the_day_on_which_it_resumes(world: World) -> None:
    quarter = Quarter.of(timezone.localdate()).next()
    suspended_from = quarter.starts_on + dt.timedelta(days=10)
    change_partnership_status(world, Status.SUSPENDED, suspended_from)
    agreement = change_partnership_status(world, Status.ACTIVE, quarter.starts_on + dt.timedelta(days=20))

    period = period_in_force(agreement, quarter)
    next_period = period_in_force(agreement, quarter.next())

    assert period is not None
    assert period.suspended == ((suspended_from, quarter.starts_on + dt.timedelta(days=19)),)
    assert next_period is not None
    assert next_period.suspended == ()
    assert suspended_since(agreement.partnership) is None


def test_a_return_says_on_which_days_lettings_were_left_out() -> None:
    quarter = Quarter.of(dt.date(2027, 1, 1))
    report = {"in_force": [], "suspended": [["2027-01-11", "2027-01-20"]]}

    sentence = days_sentence(quarter, report)

    assert "between 11 January 2027 and 20 January 2027 are not counted" in sentence
    assert "because the agreement was suspended then." in sentence


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
    assert {name for name, rights in rights_by_name.items() if rights.reads_masked_results} == {"nadia"}
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
    assert not rights_before.reads_masked_results
    assert "Nobody can read or send returns until they have signed" in page.content.decode()
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
