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
from partnerships.organisations.models import Merge
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
    partnership = partnership_between(unsigned, "nominations", "Westmarch nominations")
    names = {"council": unsigned.westmarch.name, "provider": unsigned.larkhaven.name, "review_on": "2099-01-01"}

    put_up(draft(first_proposal(partnership), unsigned.amina, **names), unsigned.amina)

    assert not NominationsAgreement.objects.exists()


def test_council_and_provider_must_differ(unsigned: World) -> None:
    partnership = partnership_between(unsigned, "nominations", "Westmarch nominations")
    council_name = unsigned.westmarch.name

    with pytest.raises(UnableToSendForSignature, match="“Council” and “Provider” are the same"):
        agree_terms(partnership, unsigned.amina, council=council_name, provider=council_name)


#: The day on which an amendment in these tests comes into force, counted from today.
DAYS_UNTIL_AMENDED = dt.timedelta(days=40)


@pytest.fixture
def amended_agreement(world: World) -> NominationsAgreement:
    """Return the agreement with a signed amendment: from its day on, 60 % of relets with 4 bedrooms, not 75 %."""
    agreement: NominationsAgreement = world.things["nominations"]
    from_day = timezone.localdate() + DAYS_UNTIL_AMENDED
    proposal = propose_amendment(
        partnership=agreement.partnership,
        organisation=world.larkhaven,
        reason="Fewer large homes become empty.",
        author=world.amina,
        now=timezone.now(),
        from_day=from_day,
    )
    sign_all(put_up(draft(proposal, world.amina, relets_4="60"), world.amina, from_day=from_day))
    return agreement


def test_amendment_does_not_change_the_shares_before_its_day(amended_agreement: NominationsAgreement) -> None:
    day_before = timezone.localdate() + DAYS_UNTIL_AMENDED - dt.timedelta(days=1)

    agreed = nomination_terms_on(amended_agreement, day_before)

    assert agreed is not None
    assert agreed.relets[Bedrooms.FOUR] == 75


def test_amendment_changes_the_shares_from_its_day_on(amended_agreement: NominationsAgreement) -> None:
    agreed = nomination_terms_on(amended_agreement, timezone.localdate() + DAYS_UNTIL_AMENDED)

    assert agreed is not None
    assert agreed.relets[Bedrooms.FOUR] == 60


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
    return read_again(agreement)


def test_the_first_quarter_begins_on_the_day_on_which_the_agreement_is_in_force(world: World) -> None:
    today = timezone.localdate()
    quarter = Quarter.of(today)

    period = period_in_force(world.things["nominations"], quarter)

    assert period is not None
    assert (period.first_day, period.last_day) == (today, quarter.last_day)


def test_agreement_is_not_in_force_in_the_quarter_before_it_is_signed(world: World) -> None:
    quarter_before = Quarter.of(timezone.localdate()).previous()

    assert period_in_force(world.things["nominations"], quarter_before) is None


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


def test_agreement_is_not_in_force_in_the_quarter_after_it_ended(world: World) -> None:
    next_quarter = Quarter.of(timezone.localdate()).next()
    agreement = change_partnership_status(world, Status.ENDED, next_quarter.starts_on + dt.timedelta(days=40))

    assert period_in_force(agreement, next_quarter.next()) is None


def test_the_last_return_cannot_be_started_while_the_agreement_is_in_force(world: World) -> None:
    quarter = Quarter.of(timezone.localdate())
    last_day = quarter.next().starts_on + dt.timedelta(days=40)
    agreement = change_partnership_status(world, Status.ENDED, last_day)

    assert quarters_to_start(agreement, last_day) == [quarter]


def test_the_last_return_can_be_started_on_the_day_after_the_agreement_ends(world: World) -> None:
    quarter = Quarter.of(timezone.localdate())
    last_day = quarter.next().starts_on + dt.timedelta(days=40)
    agreement = change_partnership_status(world, Status.ENDED, last_day)

    assert quarters_to_start(agreement, last_day + dt.timedelta(days=1)) == [quarter.next(), quarter]


def test_an_agreement_is_not_in_force_from_the_first_day_of_its_suspension(world: World) -> None:
    quarter = Quarter.of(timezone.localdate()).next()
    suspended_from = quarter.starts_on + dt.timedelta(days=10)
    agreement = change_partnership_status(world, Status.SUSPENDED, suspended_from)

    period = period_in_force(agreement, quarter)

    assert period is not None
    assert period.suspended == ((suspended_from, quarter.last_day),)


def test_a_suspended_agreement_has_the_first_day_of_its_suspension(world: World) -> None:
    suspended_from = Quarter.of(timezone.localdate()).next().starts_on + dt.timedelta(days=10)
    agreement = change_partnership_status(world, Status.SUSPENDED, suspended_from)

    assert suspended_since(agreement.partnership) == suspended_from


def test_an_agreement_is_not_in_force_in_a_quarter_that_is_wholly_suspended(world: World) -> None:
    quarter = Quarter.of(timezone.localdate()).next()
    agreement = change_partnership_status(world, Status.SUSPENDED, quarter.starts_on + dt.timedelta(days=10))

    assert period_in_force(agreement, quarter.next()) is None


@pytest.fixture
def resumed_agreement(world: World) -> NominationsAgreement:
    """Return the agreement, suspended from the 11th to the 20th day of the next quarter."""
    quarter = Quarter.of(timezone.localdate()).next()
    change_partnership_status(world, Status.SUSPENDED, quarter.starts_on + dt.timedelta(days=10))
    return change_partnership_status(world, Status.ACTIVE, quarter.starts_on + dt.timedelta(days=20))


def test_an_agreement_is_in_force_again_from_the_day_on_which_it_resumes(
    resumed_agreement: NominationsAgreement,
) -> None:
    quarter = Quarter.of(timezone.localdate()).next()

    period = period_in_force(resumed_agreement, quarter)

    assert period is not None
    first_day, last_day = (quarter.starts_on + dt.timedelta(days=days) for days in (10, 19))
    assert period.suspended == ((first_day, last_day),)


def test_a_quarter_after_an_agreement_resumed_has_no_suspended_days(resumed_agreement: NominationsAgreement) -> None:
    quarter_after = Quarter.of(timezone.localdate()).next().next()

    period = period_in_force(resumed_agreement, quarter_after)

    assert period is not None
    assert period.suspended == ()


def test_a_resumed_agreement_is_not_suspended(resumed_agreement: NominationsAgreement) -> None:
    assert suspended_since(resumed_agreement.partnership) is None


def test_a_return_says_on_which_days_lettings_were_left_out() -> None:
    quarter = Quarter.of(dt.date(2027, 1, 1))
    report = {"in_force": [], "suspended": [["2027-01-11", "2027-01-20"]]}

    sentence = days_sentence(quarter, report)

    assert "between 11 January 2027 and 20 January 2027 are not counted" in sentence
    assert "because the agreement was suspended then." in sentence


def test_a_partnership_that_ends_while_it_is_suspended_does_not_go_on_for_a_day(world: World) -> None:
    quarter = Quarter.of(timezone.localdate()).next()
    change_partnership_status(world, Status.SUSPENDED, quarter.starts_on)
    agreement = change_partnership_status(world, Status.ENDED, quarter.starts_on + dt.timedelta(days=20))

    period = period_in_force(agreement, quarter)

    assert period is None


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
    version = put_up(draft(proposal, world.amina, **names), world.amina)

    sign_all(version)

    agreement.refresh_from_db()
    assert agreement.council_body == world.larkhaven
    assert agreement.provider_body == world.westmarch


@pytest.mark.parametrize(
    ("right", "names"),
    [
        pytest.param("reads_returns", {"amina", "vera", "ben"}, id="people of council and provider"),
        pytest.param("reads_masked_results", {"nadia"}, id="other parties"),
        pytest.param("may_report", {"amina"}, id="lead of the provider"),
        pytest.param("may_decide", {"ben"}, id="lead of the council"),
    ],
)
def test_rights_over_an_agreement_depend_on_the_side(world: World, right: str, names: set[str]) -> None:
    people = {"amina": world.amina, "vera": world.vera, "ben": world.ben, "nadia": world.nadia, "chidi": world.chidi}

    rights_by_name = {
        name: rights_over(world.things["nominations"], person, timezone.now()) for name, person in people.items()
    }

    assert {name for name, rights in rights_by_name.items() if getattr(rights, right)} == names


def test_agreement_is_visible_to_an_observer(world: World) -> None:
    assert list(NominationsAgreement.objects.visible_to(world.nadia)) == [world.things["nominations"]]


def test_observer_is_on_no_side_of_an_agreement(world: World) -> None:
    assert not NominationsAgreement.objects.with_side_of(world.nadia).exists()


@pytest.fixture
def agreement_without_data_sharing(unsigned: World) -> NominationsAgreement:
    """Return a signed nominations agreement of parties that have not signed a data-sharing agreement."""
    return sign_nominations(unsigned, shares_data=False)


def test_provider_has_no_rights_without_data_sharing(
    unsigned: World, agreement_without_data_sharing: NominationsAgreement
) -> None:
    rights = rights_over(agreement_without_data_sharing, unsigned.amina, timezone.now())

    assert not rights.reads_returns
    assert not rights.may_report
    assert not rights.reads_masked_results


def test_page_says_that_data_sharing_is_not_signed(
    unsigned: World, agreement_without_data_sharing: NominationsAgreement
) -> None:
    page_url = reverse("nominations:detail", args=[agreement_without_data_sharing.partnership_id])

    page = signed_in(unsigned.ben).get(page_url).content.decode()

    assert "Nobody can read or send returns until they have signed" in page


def test_provider_may_report_once_data_sharing_is_signed(
    unsigned: World, agreement_without_data_sharing: NominationsAgreement
) -> None:
    sign_data_sharing(unsigned)

    rights = rights_over(agreement_without_data_sharing, unsigned.amina, timezone.now())

    assert rights.may_report


def test_party_that_left_reads_nothing(world: World) -> None:
    agreement = world.things["nominations"]
    tomorrow = timezone.localdate() + dt.timedelta(days=1)
    give_notice(party=agreement.council, reason="Merged.", last_day=tomorrow, author=world.ben, now=timezone.now())

    with time_machine.travel(dt.datetime.combine(tomorrow + dt.timedelta(days=2), dt.time(12)), tick=False):
        rights = rights_over(agreement, world.ben, timezone.now())

    assert not rights.reads_returns


@pytest.mark.parametrize("name", ["harbour", "riverside"])
def test_body_that_a_council_is_merged_into_takes_its_place(world: World, name: str) -> None:
    merge_westmarch_into(world, name)

    assert read_again(world.things["nominations"]).council_body == getattr(world, name)


@pytest.mark.parametrize("name", ["harbour", "riverside"])
def test_council_has_its_place_again_after_a_merge_is_undone(world: World, name: str) -> None:
    merge = merge_westmarch_into(world, name)

    undo_merge(merge=merge, reason="Not the same.", author=world.dee, now=timezone.now())

    assert read_again(world.things["nominations"]).council_body == world.westmarch


def merge_westmarch_into(world: World, name: str) -> Merge:
    """Merge the record of Westmarch, as Dee, into that of the organisation with this name in the world."""
    return merge_organisations(
        merged=world.westmarch,
        kept=getattr(world, name),
        reason="Two records of one body.",
        author=world.dee,
        now=timezone.now(),
    )


def read_again(agreement: NominationsAgreement) -> NominationsAgreement:
    """Read the agreement from the database again."""
    return NominationsAgreement.objects.for_pages().get(pk=agreement.pk)
