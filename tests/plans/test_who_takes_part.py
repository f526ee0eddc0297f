"""People take part in a plan after leaving, signing or reading in public only as far as they may."""

from __future__ import annotations

import datetime as dt
from typing import Any, NamedTuple

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from partnerships.documents import downloads
from partnerships.organisations.models import Organisation
from partnerships.organisations.waiting import tasks_from
from partnerships.people.models import User
from partnerships.plans import services
from partnerships.plans.models import Comment, Plan
from partnerships.plans.queries import TASK_SOURCES
from tests.plans.drafts import CANARY, begin, fewer_homes, plan_awaiting_signatures, publish, published_plan
from tests.support.outbox import deliver
from tests.support.parties import leave_partnership_as_westmarch
from tests.support.signing_in import signed_in
from tests.world import World


def comment_by_ben(plan: Plan, world: World) -> Comment:
    """Comment on version 1 as Ben."""
    return services.add_comment(plan=plan, version_number=1, text="Why?", author=world.ben, now=timezone.now())


def plan_that_ben_commented_on(world: World, audience: str) -> Plan:
    """Return a plan that Ben commented on before Westmarch left the partnership."""
    plan = published_plan(world, audience=audience)
    comment_by_ben(plan, world)
    leave_partnership_as_westmarch(world)
    return plan


def send_comment(person: User, plan: Plan) -> Any:
    """Send a comment on the plan, and return the response."""
    return signed_in(person).post(reverse("plans:comments", args=[plan.pk]), {"text": "And another thing."})


def send_reply(person: User, plan: Plan) -> Any:
    """Send a reply to the first comment on the plan, and return the response."""
    address = reverse("plans:reply", args=[plan.pk, plan.comments.get().pk])
    return signed_in(person).post(address, {"text": "And another thing."})


@pytest.mark.parametrize("audience", ["partnership", "network"])
def test_former_party_reads_its_old_comments(world: World, audience: str) -> None:
    plan = plan_that_ben_commented_on(world, audience)

    page = signed_in(world.ben).get(reverse("plans:comments", args=[plan.pk]))

    assert page.status_code == 200
    assert "Why?" in page.content.decode()


def test_former_party_cannot_comment_on_a_plan_for_partners(world: World) -> None:
    plan = plan_that_ben_commented_on(world, "partnership")

    response = send_comment(world.ben, plan)

    assert response.status_code == 403
    assert plan.comments.count() == 1


def test_former_party_cannot_reply_on_a_plan_for_partners(world: World) -> None:
    plan = plan_that_ben_commented_on(world, "partnership")

    response = send_reply(world.ben, plan)

    assert response.status_code == 403
    assert plan.comments.count() == 1


def test_former_party_comments_on_a_plan_for_the_network(world: World) -> None:
    plan = plan_that_ben_commented_on(world, "network")

    response = send_comment(world.ben, plan)

    assert response.status_code == 302
    assert plan.comments.count() == 2


def test_former_party_replies_on_a_plan_for_the_network(world: World) -> None:
    plan = plan_that_ben_commented_on(world, "network")

    response = send_reply(world.ben, plan)

    assert response.status_code == 302
    assert plan.comments.count() == 2


def mention_ben(plan: Plan, world: World) -> None:
    """Reply to the first comment on the plan, mentioning Ben, as Amina."""
    services.add_comment(
        plan=plan,
        version_number=1,
        text="Because of the road, @Ben West.",
        author=world.amina,
        parent=plan.comments.get(),
        now=timezone.now(),
    )


def test_mentioning_somebody_of_a_former_party_emails_nobody(world: World) -> None:
    plan = plan_that_ben_commented_on(world, "partnership")
    deliver().clear()

    mention_ben(plan, world)

    assert deliver() == []


def test_mentioning_somebody_of_a_former_party_gives_them_no_task(world: World) -> None:
    plan = plan_that_ben_commented_on(world, "partnership")

    mention_ben(plan, world)

    assert tasks_from(TASK_SOURCES, world.ben, timezone.now()) == []


def decide(plan: Plan, organisation: Organisation, person: User, decision: str, reason: str = "") -> None:
    """Sign version 1 for an organisation with this decision."""
    services.sign_off(
        plan=plan,
        number=1,
        organisation=organisation,
        person=person,
        decision=decision,
        reason=reason,
        now=timezone.now(),
    )


def plan_with_earlier_signatures(world: World) -> Plan:
    """Return a plan with decisions of both organisations on version 1, and with no decisions on version 2.

    Larkhaven approved version 1, and Westmarch approved it with a condition.
    """
    plan = plan_awaiting_signatures(world)
    decide(plan, world.larkhaven, world.amina, "approved")
    decide(plan, world.westmarch, world.ben, "conditional", "Once the otters agree.")
    fewer_homes(plan, world)
    publish(plan, world, "Wet ground.")
    return plan


@pytest.mark.parametrize("page", ["plans:version", "plans:paper"])
def test_old_signatures_are_shown_on_the_version_they_signed(world: World, page: str) -> None:
    plan = plan_with_earlier_signatures(world)

    old_version_page = signed_in(world.ben).get(reverse(page, args=[plan.pk, 1])).content.decode()

    assert "Once the otters agree." in old_version_page
    assert "Amina Larch" in old_version_page
    assert "Must sign again" not in old_version_page


@pytest.mark.parametrize("page", ["plans:version", "plans:paper"])
def test_next_version_says_that_signatories_must_sign_again(world: World, page: str) -> None:
    plan = plan_with_earlier_signatures(world)

    new_version_page = signed_in(world.ben).get(reverse(page, args=[plan.pk, 2])).content.decode()

    assert "Must sign again" in new_version_page
    assert "Once the otters agree." not in new_version_page


@pytest.fixture
def drawn_contexts(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """Return a list to which the context of each PDF is added when it is drawn."""
    contexts: list[dict[str, Any]] = []
    pdf_response = downloads.pdf_response

    def record_context(request: Any, template: str, context: dict[str, Any], title: str, **more: Any) -> Any:
        contexts.append(context)
        return pdf_response(request, template, context, title, **more)

    monkeypatch.setattr(downloads, "pdf_response", record_context)
    return contexts


def test_old_signatures_are_in_the_pdf_of_their_version(world: World, drawn_contexts: list[dict[str, Any]]) -> None:
    plan = plan_with_earlier_signatures(world)

    signed_in(world.ben).get(reverse("plans:pdf", args=[plan.pk, 1]))

    reasons = [sign_off.reason for sign_off in drawn_contexts[0]["signatures"]]
    assert reasons == ["", "Once the otters agree."]


@pytest.mark.parametrize("page", ["plans:version", "plans:paper"])
def test_readers_outside_see_no_signatures_of_old_versions(world: World, page: str) -> None:
    plan = plan_with_earlier_signatures(world)
    services.change_audience(plan=plan, audience="network", reason="All may.", author=world.amina, now=timezone.now())

    response = signed_in(world.chidi).get(reverse(page, args=[plan.pk, 1]))

    assert response.status_code == 200
    assert "otters" not in response.content.decode()


class DocumentsOfPublicPlan(NamedTuple):
    """A public plan, and the keys of its documents."""

    plan: Plan
    published: str
    #: Published, but only for readers inside.
    restricted: str
    #: Only in the draft.
    unpublished: str


def attach_file(plan: Plan, world: World, title: str, *, restricted: bool = False) -> str:
    """Attach a file to the draft, as Amina, and return its key."""
    document = services.attach_document(
        plan=plan,
        title=title,
        file=SimpleUploadedFile("plan.txt", b"North to the top."),
        restricted=restricted,
        author=world.amina,
        now=timezone.now(),
    )
    return document.key


@pytest.fixture
def documents_of_public_plan(world: World) -> DocumentsOfPublicPlan:
    """Return a public plan with a published document, a restricted one, and one in the draft."""
    plan = begin(world, audience="public")
    published = attach_file(plan, world, "Layout")
    restricted = attach_file(plan, world, "Price", restricted=True)
    publish(plan, world)
    unpublished = attach_file(plan, world, "Draft")
    return DocumentsOfPublicPlan(plan, published, restricted, unpublished)


def get_document(plan: Plan, key: str) -> Any:
    """Request a document of the plan without signing in."""
    return Client().get(reverse("plans:document", args=[plan.pk, key]))


def test_visitors_download_the_published_documents_of_a_public_plan(
    documents_of_public_plan: DocumentsOfPublicPlan,
) -> None:
    response = get_document(documents_of_public_plan.plan, documents_of_public_plan.published)

    assert response.status_code == 200
    assert response["Content-Disposition"].startswith("attachment")


def test_visitors_do_not_find_a_restricted_document(documents_of_public_plan: DocumentsOfPublicPlan) -> None:
    response = get_document(documents_of_public_plan.plan, documents_of_public_plan.restricted)

    assert response.status_code == 404


def test_visitors_do_not_find_an_unpublished_document(documents_of_public_plan: DocumentsOfPublicPlan) -> None:
    response = get_document(documents_of_public_plan.plan, documents_of_public_plan.unpublished)

    assert response.status_code == 404


def test_visitors_must_sign_in_for_documents_once_a_plan_is_no_longer_public(
    world: World, documents_of_public_plan: DocumentsOfPublicPlan
) -> None:
    plan = documents_of_public_plan.plan
    services.change_audience(plan=plan, audience="network", reason="Not yet.", author=world.amina, now=timezone.now())

    response = get_document(plan, documents_of_public_plan.published)

    assert response.status_code == 302


def test_the_map_of_a_public_plan_does_not_show_confidential_sites(world: World) -> None:
    plan = published_plan(world, audience="public")

    response = Client().get(reverse("plans:map", args=[plan.pk]))

    assert response.status_code == 200
    assert CANARY not in response.content.decode()


def test_documents_of_an_embargoed_public_version_are_not_found(world: World) -> None:
    plan = published_plan(world, audience="public")
    key = attach_file(plan, world, "Layout")
    publish(plan, world, "Later.", embargo_until=timezone.now() + dt.timedelta(days=1))

    response = get_document(plan, key)

    assert response.status_code == 404
