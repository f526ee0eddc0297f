"""Lists that still name an authority of before a succession change what its successor holds, and add nothing again."""

from __future__ import annotations

import pytest
from django.utils import timezone

from partnerships.commitments.models import Commitment
from partnerships.developer_agreements.models import DeveloperAgreement
from partnerships.kit.dates import known_day
from partnerships.open_data.queries import file_of
from partnerships.organisations import services
from partnerships.organisations.models import Organisation
from partnerships.organisations.services import ties_between
from partnerships.plans.models import Plan
from tests.organisations.test_handovers import propose_and_accept_everything, take_effect
from tests.support.moments import today

from .lists import COUNCILS, import_list, import_plans
from .test_developer_agreements import CONTRIBUTIONS, TRANSACTIONS, commitment_of, import_agreements
from .test_local_plans import PLANS, TIMETABLE

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def councils(db: None) -> None:
    """The councils named in the files."""
    import_list("councils", COUNCILS)


def council(key: str) -> Organisation:
    return Organisation.objects.get(identifiers__scheme="local-authority", identifiers__value=key)


def absorbed() -> Organisation:
    """Let Mere absorb Westmarch today, with everything that Westmarch was responsible for; return Mere."""
    succession = services.record_succession(
        kind="absorb",
        status="order_made",
        vests_on=known_day(today()),
        ties=ties_between([council("XWM")], [council("XNW")]),
        author=None,
        now=timezone.now(),
    )
    propose_and_accept_everything(succession, council("XWM"), council("XNW"))
    assert take_effect(succession)
    return council("XNW")


def test_agreements_that_passed_on_are_found_by_the_authority_that_a_file_names() -> None:
    import_agreements(t="\n".join(TRANSACTIONS.splitlines()[:2]) + "\n")
    mere = absorbed()
    counts = (Commitment.objects.count(), DeveloperAgreement.objects.count())
    more = CONTRIBUTIONS + "40,health,W/1-da,W/1-health,local-authority-eng:XWM,2019-02-04,,,\n"

    import_agreements(c=more)

    assert (Commitment.objects.count(), DeveloperAgreement.objects.count()) == (counts[0] + 1, counts[1])
    education, health = commitment_of("W/1-education"), commitment_of("W/1-health")
    assert [one.receiver for one in (education, health)] == [mere, mere]
    assert education.delivered_quantity > 1_000_000
    assert health.promised_in.agreement == DeveloperAgreement.objects.get(reference="W/1-da", organisation=mere)
    rows = file_of(mere, "developer-agreement-contribution").rows
    assert {row["organisation"] for row in rows} == {"local-authority:XNW", "local-authority-eng:XNW"}
    again, _ = import_agreements(c=more)
    assert (again.created, again.changed) == (0, 0)


def test_reference_of_what_stayed_with_the_authority_finds_it_there() -> None:
    import_agreements()
    shared = Commitment.objects.get(source_reference="W/1-open")
    Commitment.objects.filter(pk=shared.pk).update(status="cancelled", reason="Withdrawn.")
    absorbed()

    import_agreements()

    assert commitment_of("W/1-open").receiver == council("XWM")
    assert commitment_of("W/9-other").receiver == council("XNW")


def test_plan_that_passed_on_is_not_another_authoritys() -> None:
    first = import_plans(PLANS.encode(), TIMETABLE.encode())
    mere = absorbed()
    before = Plan.objects.count()

    run = import_plans(PLANS.encode(), TIMETABLE.replace("2017-04-11", "2017-04-12").encode())

    assert (run.created, run.set_aside, Plan.objects.count()) == (0, first.set_aside, before)
    plan = Plan.objects.get(title="Westmarch Local Plan 2030")
    assert (plan.current_number, plan.owners.get().organisation) == (2, mere)
