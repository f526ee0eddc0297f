"""Emails, comments, events and admin do not reveal confidential texts of plans."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any, NamedTuple

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from partnerships.kit.rights import UnableToAct
from partnerships.organisations import services as organisations
from partnerships.organisations.models import Membership, Organisation
from partnerships.people.models import User
from partnerships.plans import services
from partnerships.plans.links import sign_off_token
from partnerships.plans.models import Comment, Plan, PlanOwner, Share
from partnerships.plans.queries import plan_roles_of, version_number_to_sign
from tests.plans.drafts import CANARY, CONTENT, ask_signatures, begin, publish, published_plan, save
from tests.support.outbox import deliver
from tests.support.parties import invite_and_accept, leave_partnership_as_westmarch
from tests.support.signing_in import signed_in
from tests.world import World

HELD_BACK = "kingfisher-held-back"


def plan_with_signed_version(world: World) -> Plan:
    """Return a plan whose first version is signed by Larkhaven and Westmarch."""
    plan = published_plan(world)
    ask_signatures(plan, world)
    decide(plan, world.larkhaven, world.amina)
    decide(plan, world.westmarch, world.ben)
    plan.refresh_from_db()
    return plan


def decide(
    plan: Plan,
    organisation: Organisation,
    person: User,
    *,
    number: int = 1,
    decision: str = "approved",
    reason: str = "",
) -> None:
    """Sign a version, or refuse to, for an organisation."""
    services.sign_off(
        plan=plan,
        number=number,
        organisation=organisation,
        person=person,
        decision=decision,
        reason=reason,
        now=timezone.now(),
    )


def publish_under_embargo(plan: Plan, world: World) -> None:
    """Publish the draft with a new summary under an embargo of five days."""
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


def test_plan_stays_agreed_while_its_next_version_is_under_embargo(world: World) -> None:
    plan = plan_with_signed_version(world)

    publish_under_embargo(plan, world)

    assert plan.status == "agreed"
    assert plan.substantive_number == 1


def test_version_under_embargo_is_not_to_be_signed(world: World) -> None:
    plan = plan_with_signed_version(world)

    publish_under_embargo(plan, world)

    assert version_number_to_sign(plan) == 1


@pytest.mark.usefixtures("embargoed_plan")
def test_no_email_mentions_a_version_under_embargo() -> None:
    emails = deliver()

    assert [email.subject for email in emails if HELD_BACK in email.body] == []


@pytest.mark.usefixtures("embargoed_plan")
def test_nobody_is_asked_to_sign_a_version_under_embargo() -> None:
    emails = deliver()

    assert [email.subject for email in emails if "/plans/sign/" in email.body] == []


@pytest.mark.parametrize("page", ["plans:detail", "plans:history", "plans:signing", "plans:compare", "plans:comments"])
def test_pages_of_a_plan_do_not_mention_a_version_under_embargo(world: World, embargoed_plan: Plan, page: str) -> None:
    html = signed_in(world.ben).get(reverse(page, args=[embargoed_plan.pk])).content.decode()

    assert "ersion 2" not in html
    assert HELD_BACK not in html


@pytest.mark.usefixtures("embargoed_plan")
def test_my_work_does_not_mention_a_version_under_embargo(world: World) -> None:
    html = signed_in(world.ben).get(reverse("web:my-work")).content.decode()

    assert "ersion 2" not in html


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
    with pytest.raises(services.UnableToSign, match="Version 1 has been published since"):
        decide(plan_to_sign_under_embargo, world.westmarch, world.ben, number=2)


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
        decide(plan, world.westmarch, world.ben)


class DraftWithComments(NamedTuple):
    """A draft that is shared with Nadia, with a comment on a site that is hidden from her, and one on the whole."""

    plan: Plan
    hidden_comment: Comment
    open_comment: Comment


@pytest.fixture
def draft_with_comments(world: World) -> DraftWithComments:
    """Return a draft that is shared with Nadia and that Eddie commented on."""
    plan = begin(world)
    share_with(plan, world, world.nadia)
    hidden_comment = services.add_comment(
        plan=plan, version_number=0, text="Price?", anchor="sites/secret", author=world.eddie, now=timezone.now()
    )
    open_comment = services.add_comment(
        plan=plan, version_number=0, text="A good start.", author=world.eddie, now=timezone.now()
    )
    return DraftWithComments(plan, hidden_comment, open_comment)


def test_person_with_a_share_reads_no_comments_on_hidden_pieces(
    world: World, draft_with_comments: DraftWithComments
) -> None:
    page = reverse("plans:draft-comments", args=[draft_with_comments.plan.pk])

    html = signed_in(world.nadia).get(page).content.decode()

    assert "A good start." in html
    assert CANARY not in html
    assert "Price?" not in html


@pytest.mark.parametrize("page", ["plans:reply", "plans:resolve"])
def test_person_with_a_share_does_not_find_comments_on_hidden_pieces(
    world: World, draft_with_comments: DraftWithComments, page: str
) -> None:
    plan, comment = draft_with_comments.plan, draft_with_comments.hidden_comment

    response = signed_in(world.nadia).post(reverse(page, args=[plan.pk, comment.pk]), {"text": "Why?"})

    assert response.status_code == 404
    assert plan.comments.count() == 2


def share_with(plan: Plan, world: World, person: User, **more: Any) -> Share:
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


def test_person_with_a_share_finds_the_draft(world: World) -> None:
    plan = begin(world)
    share_with(plan, world, world.oscar)

    response = signed_in(world.oscar).get(reverse("plans:draft", args=[plan.pk]))

    assert response.status_code == 200


@pytest.fixture
def draft_shared_with_former_employee(world: World) -> Plan:
    """Return a draft that was shared with Oscar of Riverside before he left Riverside."""
    plan = begin(world)
    share_with(plan, world, world.oscar)
    organisations.end_membership(
        membership=Membership.objects.get(person=world.oscar), author=world.nadia, reason="Left.", now=timezone.now()
    )
    return plan


def test_share_ends_with_the_membership_of_its_reader(world: World, draft_shared_with_former_employee: Plan) -> None:
    share = draft_shared_with_former_employee.shares.get(person=world.oscar)

    assert share.revoked_at is not None


def test_person_who_left_an_organisation_no_longer_finds_the_draft_shared_there(
    world: World, draft_shared_with_former_employee: Plan
) -> None:
    draft_page = reverse("plans:draft", args=[draft_shared_with_former_employee.pk])

    response = signed_in(world.oscar).get(draft_page)

    assert response.status_code == 404


@pytest.fixture
def rejected_plan(world: World) -> Plan:
    """Return a plan for the network that Westmarch rejected with a reason."""
    plan = published_plan(world, audience="network")
    ask_signatures(plan, world)
    decide(plan, world.westmarch, world.ben, decision="rejected", reason="otter-reason")
    return plan


def test_reason_of_a_rejection_is_shown_to_readers_inside(world: World, rejected_plan: Plan) -> None:
    html = signed_in(world.amina).get(reverse("plans:history", args=[rejected_plan.pk])).content.decode()

    assert "otter-reason" in html


@pytest.mark.parametrize("page", ["plans:detail", "plans:history"])
def test_reason_of_a_rejection_is_not_shown_to_the_network(world: World, rejected_plan: Plan, page: str) -> None:
    html = signed_in(world.chidi).get(reverse(page, args=[rejected_plan.pk])).content.decode()

    assert rejected_plan.title in html
    assert "otter-reason" not in html


@pytest.mark.usefixtures("rejected_plan")
def test_reason_of_a_rejection_is_not_on_the_home_page_of_the_network(world: World) -> None:
    html = signed_in(world.chidi).get("/").content.decode()

    assert "otter-reason" not in html


@pytest.fixture
def plan_changed_without_westmarch(world: World) -> Plan:
    """Return a plan whose audience and title Amina changed after Westmarch had left the partnership."""
    plan = published_plan(world)
    leave_partnership_as_westmarch(world)
    later = timezone.now() + dt.timedelta(seconds=2)
    services.change_audience(plan=plan, audience="owners", reason="otter-one", author=world.amina, now=later)
    services.change_audience(plan=plan, audience="partnership", reason="otter-two", author=world.amina, now=later)
    save(plan, world, "about", title="Renamed plan")
    publish(plan, world, "Renamed.", now=later)
    return plan


@pytest.mark.parametrize("page", ["plans:detail", "plans:history", "plans:comments"])
def test_former_party_sees_the_plan_as_it_was_when_it_left(
    world: World, plan_changed_without_westmarch: Plan, page: str
) -> None:
    html = signed_in(world.ben).get(reverse(page, args=[plan_changed_without_westmarch.pk])).content.decode()

    assert "Estuary delivery programme" in html
    assert "Renamed plan" not in html
    assert "otter" not in html


@pytest.mark.usefixtures("plan_changed_without_westmarch")
def test_former_party_sees_the_title_that_the_plan_had_when_it_left_in_lists(world: World) -> None:
    html = signed_in(world.ben).get("/plans/").content.decode()

    assert "Estuary delivery programme" in html
    assert "Renamed plan" not in html


@pytest.mark.usefixtures("plan_changed_without_westmarch")
def test_former_party_does_not_find_the_plan_by_its_new_title(world: World) -> None:
    html = signed_in(world.ben).get("/plans/?q=renamed").content.decode()

    assert "Estuary delivery programme" not in html
    assert "Renamed plan" not in html


@pytest.mark.usefixtures("plan_changed_without_westmarch")
def test_home_page_of_a_former_party_has_no_news_of_the_plan(world: World) -> None:
    html = signed_in(world.ben).get("/").content.decode()

    assert "otter" not in html
    assert "Renamed plan" not in html


@pytest.fixture
def plan_with_owner_since_westmarch_left(world: World) -> Plan:
    """Return a plan that Riverside owns too since Westmarch left the partnership."""
    plan = published_plan(world)
    leave_partnership_as_westmarch(world)
    later = timezone.now() + dt.timedelta(seconds=2)
    PlanOwner.objects.create(plan=plan, organisation=world.riverside, began_at=later)
    return plan


@pytest.mark.usefixtures("plan_with_owner_since_westmarch_left")
def test_list_of_plans_names_the_owners_of_today_to_an_owner(world: World) -> None:
    html = signed_in(world.amina).get(reverse("plans:list")).content.decode()

    assert "Estuary delivery programme" in html
    assert "Riverside Design" in html


@pytest.mark.usefixtures("plan_with_owner_since_westmarch_left")
def test_list_of_plans_names_no_owner_of_today_to_a_former_party(world: World) -> None:
    html = signed_in(world.ben).get(reverse("plans:list")).content.decode()

    assert "Estuary delivery programme" in html
    assert "Riverside Design" not in html


@pytest.mark.usefixtures("plan_with_owner_since_westmarch_left")
def test_plans_of_an_organisation_name_the_owners_of_today_to_an_owner(world: World) -> None:
    page = reverse("web:organisation-plans", args=[world.larkhaven.pk])

    html = signed_in(world.amina).get(page).content.decode()

    assert "Estuary delivery programme" in html
    assert "Riverside Design" in html


@pytest.mark.usefixtures("plan_with_owner_since_westmarch_left")
def test_plans_of_an_organisation_name_no_owner_of_today_to_a_former_party(world: World) -> None:
    page = reverse("web:organisation-plans", args=[world.larkhaven.pk])

    html = signed_in(world.ben).get(page).content.decode()

    assert "Estuary delivery programme" in html
    assert "Riverside Design" not in html


@pytest.fixture
def observer(world: World) -> Organisation:
    """Return Riverside, which Nadia leads, as an observer of the partnership."""
    invite_and_accept(world, world.riverside, accepted_by=world.nadia, role="observer")
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


def supersede(plan: Plan, successor: Plan, world: World) -> None:
    """Replace a plan by its successor, as Amina."""
    services.change_status(
        plan=plan, to="superseded", reason="New.", author=world.amina, now=timezone.now(), successor=successor
    )


def test_superseded_plan_does_not_name_a_successor_its_reader_may_not_see(world: World) -> None:
    superseded_plan = published_plan(world, audience="public")
    successor = published_plan(world, audience="owners", title="Programme of the owners")
    supersede(superseded_plan, successor, world)

    html = Client().get(reverse("plans:detail", args=[superseded_plan.pk])).content.decode()

    assert "another plan" in html
    assert "Programme of the owners" not in html


def test_plan_is_not_superseded_by_one_that_its_owner_may_not_read(world: World) -> None:
    plan = published_plan(world, audience="public")
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

    with pytest.raises(UnableToAct, match="You do not have permission"):
        supersede(plan, other_plan, world)


@pytest.mark.parametrize("lookup", ["content__icontains", "prose__icontains", "plan__draft__content__icontains"])
def test_admin_refuses_filters_on_restricted_text(world: World, lookup: str) -> None:
    published_plan(world)

    response = signed_in(world.dee).get("/admin/plans/version/", {lookup: CANARY})

    assert response.status_code in (302, 400, 404)


def share_and_revoke(plan: Plan, world: World, person: User) -> None:
    """Share the draft with a person, and end the share, as Amina."""
    share = share_with(plan, world, person)
    services.revoke_share(share=share, author=world.amina, now=timezone.now())


def test_sharing_again_on_the_same_day_sends_no_second_email(world: World) -> None:
    plan = begin(world)
    share_and_revoke(plan, world, world.nadia)
    share_and_revoke(plan, world, world.nadia)
    deliver().clear()

    share_with(plan, world, world.nadia)

    assert deliver() == []


def test_sharing_again_two_days_later_sends_an_email(world: World) -> None:
    plan = begin(world)
    share_and_revoke(plan, world, world.nadia)
    deliver().clear()

    share_with(plan, world, world.nadia, now=timezone.now() + dt.timedelta(days=2))

    assert [email.to for email in deliver()] == [["nadia@riverside.example"]]


def new_plan(world: World) -> Plan:
    """Return a draft for the partnership."""
    return begin(world)


def plan_for_the_network(world: World) -> Plan:
    """Return a published plan for the network."""
    return published_plan(world, audience="network")


def plan_for_its_owners(world: World) -> Plan:
    """Return a published plan for its owners only."""
    return published_plan(world, audience="owners")


every_reader = pytest.mark.parametrize("name", ["amina", "eddie", "ben", "chidi", "nadia", "dee"])
every_audience = pytest.mark.parametrize("make_plan", [new_plan, plan_for_the_network, plan_for_its_owners])


@every_reader
@every_audience
def test_right_to_edit_a_plan_agrees_with_the_plans_that_a_person_may_edit(
    world: World, make_plan: Callable[[World], Plan], name: str
) -> None:
    plan = make_plan(world)
    person = getattr(world, name)

    roles = plan_roles_of(person, plan)

    assert roles.may_edit == (plan in Plan.objects.editable_by(person))


@every_reader
@every_audience
def test_right_to_publish_a_plan_agrees_with_the_plans_that_a_person_may_publish(
    world: World, make_plan: Callable[[World], Plan], name: str
) -> None:
    plan = make_plan(world)
    person = getattr(world, name)

    roles = plan_roles_of(person, plan)

    assert roles.may_publish == (plan in Plan.objects.publishable_by(person))


@every_reader
@every_audience
def test_reading_a_plan_from_inside_agrees_with_the_plans_a_person_reads_from_inside(
    world: World, make_plan: Callable[[World], Plan], name: str
) -> None:
    plan = make_plan(world)
    person = getattr(world, name)

    roles = plan_roles_of(person, plan)

    assert (roles.reader == "inside") == (plan in Plan.objects.with_insider(person))
