"""Lists that name the predecessor change the records of its successor, and do not add them a second time."""

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
from tests.organisations.handing_over import propose_and_accept_everything, take_effect
from tests.support.moments import today

from .lists import import_plans
from .test_developer_agreements import CONTRIBUTIONS, TRANSACTIONS, commitment_of, import_agreements
from .test_local_plans import PLANS, TIMETABLE

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("councils")]


def council(key: str) -> Organisation:
    return Organisation.objects.get(identifiers__scheme="local-authority", identifiers__value=key)


def absorb_westmarch() -> Organisation:
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


def test_agreements_of_a_successor_are_found_by_the_predecessor_in_a_file() -> None:
    import_agreements(transactions="\n".join(TRANSACTIONS.splitlines()[:2]) + "\n")
    mere = absorb_westmarch()
    counts_before = (Commitment.objects.count(), DeveloperAgreement.objects.count())
    contributions = CONTRIBUTIONS + "40,health,W/1-da,W/1-health,local-authority-eng:XWM,2019-02-04,,,\n"

    import_agreements(contributions=contributions)

    assert Commitment.objects.count() == counts_before[0] + 1
    assert DeveloperAgreement.objects.count() == counts_before[1]
    education = commitment_of("W/1-education")
    health = commitment_of("W/1-health")
    assert [commitment.receiver for commitment in (education, health)] == [mere, mere]
    assert education.delivered_quantity > 1_000_000
    assert health.promised_in.agreement == DeveloperAgreement.objects.get(reference="W/1-da", organisation=mere)
    rows = file_of(mere, "developer-agreement-contribution").rows
    assert {row["organisation"] for row in rows} == {"local-authority:XNW", "local-authority-eng:XNW"}
    second_run, _ = import_agreements(contributions=contributions)
    assert second_run.created == 0
    assert second_run.changed == 0


def test_contribution_that_did_not_pass_on_is_found_with_the_predecessor() -> None:
    import_agreements()
    cancelled_commitment = Commitment.objects.get(source_reference="W/1-open")
    Commitment.objects.filter(pk=cancelled_commitment.pk).update(status="cancelled", reason="Withdrawn.")
    absorb_westmarch()

    import_agreements()

    assert commitment_of("W/1-open").receiver == council("XWM")
    assert commitment_of("W/9-other").receiver == council("XNW")


def test_plan_of_a_successor_is_found_by_the_predecessor_in_a_file() -> None:
    first_run = import_plans(PLANS.encode(), TIMETABLE.encode())
    mere = absorb_westmarch()
    plan_count = Plan.objects.count()

    run = import_plans(PLANS.encode(), TIMETABLE.replace("2017-04-11", "2017-04-12").encode())

    assert run.created == 0
    assert run.set_aside == first_run.set_aside
    assert Plan.objects.count() == plan_count
    plan = Plan.objects.get(title="Westmarch Local Plan 2030")
    assert plan.current_number == 2
    assert plan.owners.get().organisation == mere
