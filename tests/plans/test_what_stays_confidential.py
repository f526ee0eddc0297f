"""Emails, comments, events and admin do not reveal confidential texts of plans."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from partnerships.agreements import services as agreements
from partnerships.kit.rights import UnableToAct
from partnerships.organisations import services as organisations
from partnerships.organisations.models import Membership, Organisation
from partnerships.plans import services
from partnerships.plans.links import sign_off_token
from partnerships.plans.models import Plan, PlanOwner, Share
from partnerships.plans.queries import plan_roles_of, version_number_to_sign
from tests.plans.drafts import CANARY, CONTENT, ask_signatures, begin, publish, published_plan, save
from tests.support.outbox import deliver
from tests.support.parties import leave_partnership_as_westmarch
from tests.support.signing_in import signed_in
from tests.world import World

HELD_BACK = "kingfisher-held-back"


def plan_with_signed_version(world: World) -> Plan:
    plan = published_plan(world)
    ask_signatures(plan, world)
    for organisation, person in ((world.larkhaven, world.amina), (world.westmarch, world.ben)):
        services.sign_off(
            plan=plan, number=1, organisation=organisation, person=person, decision="approved", now=timezone.now()
        )
    plan.refresh_from_db()
    return plan


def publish_under_embargo(plan: Plan, world: World) -> None:
    save(plan, world, "about", summary=HELD_BACK)
    publish(plan, world, "Why: " + HELD_BACK, embargo_until=timezone.now() + dt.timedelta(days=5))
    plan.refresh_from_db()


@pytest.fixture
def embargoed_plan(world: World) -> Plan:
    """Return a plan whose first version is signed, and whose second is under embargo for five days."""
    plan = plan_with_signed_version(world)
    deliver().clear()
    publish_under_embargo(plan, world)
    return plan


def test_a_version_under_embargo_changes_neither_status_nor_what_is_to_be_signed(embargoed_plan: Plan) -> None:
    assert embargoed_plan.status == "agreed"
    assert embargoed_plan.substantive_number == 1
    assert version_number_to_sign(embargoed_plan) == 1


@pytest.mark.usefixtures("embargoed_plan")
def test_no_email_mentions_a_version_under_embargo() -> None:
    assert [email for email in deliver() if HELD_BACK in email.body or "/plans/sign/" in email.body] == []


@pytest.mark.parametrize("page", ["plans:detail", "plans:history", "plans:signing", "plans:compare", "plans:comments"])
def test_pages_of_a_plan_do_not_mention_a_version_under_embargo(world: World, embargoed_plan: Plan, page: str) -> None:
    html = signed_in(world.ben).get(reverse(page, args=[embargoed_plan.pk])).content.decode()

    assert "ersion 2" not in html
    assert HELD_BACK not in html


@pytest.mark.usefixtures("embargoed_plan")
def test_my_work_does_not_mention_a_version_under_embargo(world: World) -> None:
    assert "ersion 2" not in signed_in(world.ben).get(reverse("web:my-work")).content.decode()


def test_signatories_are_asked_when_an_embargo_ends(world: World, embargoed_plan: Plan) -> None:
    deliver().clear()

    services.lift_embargoes(now=timezone.now() + dt.timedelta(days=6))

    embargoed_plan.refresh_from_db()
    recipients = [email.to for email in deliver() if "/plans/sign/" in email.body]
    assert embargoed_plan.status == "awaiting_sign_off"
    assert embargoed_plan.substantive_number == 2
    assert recipients == [[world.amina.email], [world.ben.email]]


@pytest.fixture
def plan_to_sign_under_embargo(world: World) -> Plan:
    """Return a plan whose first version awaits signatures, and whose second is under embargo."""
    plan = published_plan(world)
    ask_signatures(plan, world)
    publish_under_embargo(plan, world)
    return plan


def bens_link_to_sign(world: World, plan: Plan) -> str:
    """Return the link to sign version 1 in Ben's email."""
    signatory = plan.signatories.get(organisation=world.westmarch)
    return reverse("plans:sign-by-link", args=[sign_off_token(signatory, world.ben, 1)])


def test_link_to_sign_does_not_show_the_embargoed_version(world: World, plan_to_sign_under_embargo: Plan) -> None:
    response = Client().get(bens_link_to_sign(world, plan_to_sign_under_embargo))

    assert response.status_code == 200
    assert HELD_BACK not in response.content.decode()


def test_embargoed_version_cannot_be_signed(world: World, plan_to_sign_under_embargo: Plan) -> None:
    with pytest.raises(services.UnableToSign):
        services.sign_off(
            plan=plan_to_sign_under_embargo,
            number=2,
            organisation=world.westmarch,
            person=world.ben,
            decision="approved",
            now=timezone.now(),
        )


def test_open_version_can_be_signed_during_an_embargo(world: World, plan_to_sign_under_embargo: Plan) -> None:
    decision = {"decision": "approved", "reason": "", "organisation": world.westmarch.pk, "number": "1"}

    Client().post(bens_link_to_sign(world, plan_to_sign_under_embargo), decision)

    sign_off = plan_to_sign_under_embargo.sign_offs.get(organisation=world.westmarch)
    assert sign_off.version.number == 1


def test_organisation_that_left_cannot_sign(world: World) -> None:
    plan = published_plan(world)
    ask_signatures(plan, world)
    leave_partnership_as_westmarch(world)

    with pytest.raises(services.UnableToSign, match="no longer takes part"):
        services.sign_off(
            plan=plan,
            number=1,
            organisation=world.westmarch,
            person=world.ben,
            decision="approved",
            now=timezone.now(),
        )


def test_person_with_a_share_reads_no_comments_on_hidden_pieces(world: World) -> None:
    plan = begin(world)
    share_with(plan, world, world.nadia)
    hidden_comment = services.add_comment(
        plan=plan, version_number=0, text="Price?", anchor="sites/secret", author=world.eddie, now=timezone.now()
    )
    services.add_comment(plan=plan, version_number=0, text="A good start.", author=world.eddie, now=timezone.now())
    nadia = signed_in(world.nadia)

    html = nadia.get(reverse("plans:draft-comments", args=[plan.pk])).content.decode()

    assert "A good start." in html
    assert CANARY not in html
    assert "Price?" not in html
    for page in ("plans:reply", "plans:resolve"):
        assert nadia.post(reverse(page, args=[plan.pk, hidden_comment.pk])).status_code == 404


def share_with(plan: Plan, world: World, person: Any, **more: Any) -> Share:
    """Share the draft with a person who may comment, as Amina."""
    return services.share_draft(
        plan=plan,
        email=person.email,
        may_comment=True,
        message="",
        ends_on=None,
        author=world.amina,
        now=more.pop("now", timezone.now()),
    )


def test_share_ends_with_the_membership_of_its_reader(world: World) -> None:
    plan = begin(world)
    share_with(plan, world, world.oscar)
    oscar = signed_in(world.oscar)
    draft_page = reverse("plans:draft", args=[plan.pk])
    status_before = oscar.get(draft_page).status_code

    organisations.end_membership(
        membership=Membership.objects.get(person=world.oscar), author=world.nadia, reason="Left.", now=timezone.now()
    )

    assert status_before == 200
    assert oscar.get(draft_page).status_code == 404
    assert plan.shares.get(person=world.oscar).revoked_at is not None


def test_reasons_of_decisions_are_shown_only_to_readers_inside(world: World) -> None:
    plan = published_plan(world, audience="network")
    ask_signatures(plan, world)
    services.sign_off(
        plan=plan,
        number=1,
        organisation=world.westmarch,
        person=world.ben,
        decision="rejected",
        reason="otter-reason",
        now=timezone.now(),
    )

    for page in ("/", reverse("plans:detail", args=[plan.pk]), reverse("plans:history", args=[plan.pk])):
        assert "otter-reason" not in signed_in(world.chidi).get(page).content.decode(), page
    assert "otter-reason" in signed_in(world.amina).get(reverse("plans:history", args=[plan.pk])).content.decode()


def test_former_party_sees_the_plan_as_it_was_when_it_left(world: World) -> None:
    plan = published_plan(world)
    ben = signed_in(world.ben)
    leave_partnership_as_westmarch(world)
    later = timezone.now() + dt.timedelta(seconds=2)
    services.change_audience(plan=plan, audience="owners", reason="otter-one", author=world.amina, now=later)
    services.change_audience(plan=plan, audience="partnership", reason="otter-two", author=world.amina, now=later)
    save(plan, world, "about", title="Renamed heron")
    publish(plan, world, "Renamed.", now=later)

    for page in (
        "/",
        "/plans/",
        "/plans/?q=heron",
        *(reverse(name, args=[plan.pk]) for name in ("plans:detail", "plans:history", "plans:comments")),
    ):
        html = re.sub(r'value="heron"|“heron”|heron</', "", ben.get(page).content.decode())
        assert "otter" not in html, page
        assert "Renamed heron" not in html, page
    assert "Estuary delivery programme" in ben.get("/plans/").content.decode()


def test_lists_name_no_owner_of_today_to_a_party_that_left(world: World) -> None:
    plan = published_plan(world)
    leave_partnership_as_westmarch(world)
    later = timezone.now() + dt.timedelta(seconds=2)
    PlanOwner.objects.create(plan=plan, organisation=world.riverside, began_at=later)

    for address in (reverse("plans:list"), reverse("web:organisation-plans", args=[world.larkhaven.pk])):
        for reader, is_named in ((world.amina, True), (world.ben, False)):
            html = signed_in(reader).get(address).content.decode()
            assert plan.title in html, address
            assert (world.riverside.name in html) == is_named, (address, reader)


@pytest.fixture
def observer(world: World) -> Organisation:
    """Return Riverside, which Nadia leads, as an observer of the partnership."""
    party = agreements.invite_organisation(
        partnership=world.partnership,
        organisation=world.riverside,
        role="observer",
        reason="We need them.",
        author=world.amina,
        now=timezone.now(),
    )
    agreements.answer_invitation(party=party, accept=True, reason="", author=world.nadia, now=timezone.now())
    return world.riverside


def test_form_creates_no_plan_of_an_observer(world: World, observer: Organisation) -> None:
    response = signed_in(world.nadia).post(
        reverse("plans:create"),
        {
            "title": "Observer's plan",
            "kind": "delivery",
            "owners": [observer.pk],
            "partnership": world.partnership.pk,
            "partners": "on",
            "audience": "public",
            "years": "financial",
        },
    )

    assert response.status_code == 422
    assert not Plan.objects.filter(title="Observer's plan").exists()


def test_observer_cannot_own_a_plan_of_the_partnership(world: World, observer: Organisation) -> None:
    with pytest.raises(services.UnableToCreatePlan, match="not a member"):
        services.create_plan(
            owners=[observer],
            partnership=world.partnership,
            title="Observer's plan",
            kind="delivery",
            audience="public",
            author=world.nadia,
            now=timezone.now(),
        )


def test_superseded_plan_does_not_name_a_successor_its_reader_may_not_see(world: World) -> None:
    superseded_plan = published_plan(world, audience="public")
    successor = begin(world, audience="owners", title="Successor", content={"about": {"title": f"Next {CANARY}"}})
    save(successor, world, "about", summary="Words.")
    publish(successor, world)
    successor.refresh_from_db()
    services.change_status(
        plan=superseded_plan,
        to="superseded",
        reason="New.",
        author=world.amina,
        now=timezone.now(),
        successor=successor,
    )

    html = Client().get(reverse("plans:detail", args=[superseded_plan.pk])).content.decode()

    assert "another plan" in html
    assert CANARY not in html


def test_plan_is_not_superseded_by_one_that_its_owner_may_not_read(world: World) -> None:
    superseded_plan = published_plan(world, audience="public")
    other_plan = services.create_plan(
        owners=[world.tidewater],
        partnership=None,
        title="Successor",
        kind="delivery",
        audience="owners",
        author=world.chidi,
        now=timezone.now(),
        content=CONTENT,
    )
    publish(other_plan, world, author=world.chidi)

    with pytest.raises(UnableToAct):
        services.change_status(
            plan=superseded_plan,
            to="superseded",
            reason="New.",
            author=world.amina,
            now=timezone.now(),
            successor=other_plan,
        )


@pytest.mark.parametrize("lookup", ["content__icontains", "prose__icontains", "plan__draft__content__icontains"])
def test_admin_refuses_filters_on_restricted_text(world: World, lookup: str) -> None:
    published_plan(world)

    response = signed_in(world.dee).get("/admin/plans/version/", {lookup: CANARY})

    assert response.status_code in (302, 400, 404)


def test_repeated_sharing_and_revoking_sends_one_email_a_day(world: World) -> None:
    plan = begin(world)
    deliver().clear()

    deliver().clear()
    for _run in range(3):
        share = share_with(plan, world, world.nadia)
        services.revoke_share(share=share, author=world.amina, now=timezone.now())
    share_with(plan, world, world.nadia, now=timezone.now() + dt.timedelta(days=2))

    assert len(deliver()) == 2


def test_standing_of_a_plan_agrees_with_the_querysets(world: World) -> None:
    plans = [begin(world), published_plan(world, audience="network"), published_plan(world, audience="owners")]

    for plan in plans:
        for person in (world.amina, world.eddie, world.ben, world.chidi, world.nadia, world.dee):
            roles = plan_roles_of(person, plan)
            plan_rows = Plan.objects.filter(pk=plan.pk)
            assert roles.may_edit == plan_rows.editable_by(person).exists()
            assert roles.may_publish == plan_rows.publishable_by(person).exists()
            assert (roles.reader == "inside") == plan_rows.with_insider(person).exists()
