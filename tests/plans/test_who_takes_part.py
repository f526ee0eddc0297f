"""People take part in a plan after leaving, signing or reading in public only as far as they may."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from partnerships.agreements import services as agreements
from partnerships.documents import downloads
from partnerships.organisations.waiting import tasks_from
from partnerships.people.models import User
from partnerships.plans import services
from partnerships.plans.models import Plan
from partnerships.plans.queries import WAITING
from tests.plans.drafts import CANARY, ask_signatures, begin, fewer_homes, publish, published_plan
from tests.support.outbox import deliver
from tests.world import World


def leave_as_westmarch(world: World) -> None:
    """Leave the partnership as Westmarch."""
    agreements.leave_partnership(
        party=world.party(world.westmarch), reason="Bye.", author=world.ben, now=timezone.now()
    )


@pytest.mark.parametrize("audience", ["partnership", "network"])
def test_former_party_reads_old_comments_but_adds_none_where_only_partners_may(
    world: World, as_: Callable[[User], Client], audience: str
) -> None:
    plan = published_plan(world, audience=audience)
    comment = services.add_comment(plan=plan, version_number=1, text="Why?", author=world.ben, now=timezone.now())
    leave_as_westmarch(world)
    ben = as_(world.ben)
    address = reverse("plans:comments", args=[plan.pk])
    status = 403 if audience == "partnership" else 302

    page = ben.get(address)
    responses = [
        ben.post(address, {"text": "And another thing."}),
        ben.post(reverse("plans:reply", args=[plan.pk, comment.pk]), {"text": "And another thing."}),
    ]

    assert page.status_code == 200
    assert "Why?" in page.content.decode()
    assert [answer.status_code for answer in responses] == [status, status]
    assert plan.comments.count() == (1 if status == 403 else 3)


def test_mentioning_somebody_of_a_former_party_emails_nobody(world: World) -> None:
    plan = published_plan(world)
    comment = services.add_comment(plan=plan, version_number=1, text="Why?", author=world.ben, now=timezone.now())
    leave_as_westmarch(world)
    deliver().clear()

    deliver().clear()
    services.add_comment(
        plan=plan,
        version_number=1,
        text="Because of the road, @Ben West.",
        author=world.amina,
        parent=comment,
        now=timezone.now(),
    )

    assert deliver() == []
    assert tasks_from(WAITING, world.ben, timezone.now()) == []


def plan_with_earlier_signatures(world: World) -> Plan:
    """Return a plan with decisions of both organisations on version 1, and with no decisions on version 2.

    Larkhaven approved version 1, and Westmarch approved it with a condition.
    """
    plan = published_plan(world)
    ask_signatures(plan, world)
    for organisation, person, decision, reason in (
        (world.larkhaven, world.amina, "approved", ""),
        (world.westmarch, world.ben, "conditional", "Once the otters agree."),
    ):
        services.sign_off(
            plan=plan,
            number=1,
            organisation=organisation,
            person=person,
            decision=decision,
            reason=reason,
            now=timezone.now(),
        )
    fewer_homes(plan, world)
    publish(plan, world, "Wet ground.")
    return plan


@pytest.mark.parametrize("page", ["plans:version", "plans:paper"])
def test_old_signatures_are_shown_on_the_version_they_signed(
    world: World, as_: Callable[[User], Client], page: str
) -> None:
    plan = plan_with_earlier_signatures(world)

    old_version_page = as_(world.ben).get(reverse(page, args=[plan.pk, 1])).content.decode()
    new_version_page = as_(world.ben).get(reverse(page, args=[plan.pk, 2])).content.decode()

    assert "Once the otters agree." in old_version_page
    assert "Amina Larch" in old_version_page
    assert "Must sign again" not in old_version_page
    assert "Must sign again" in new_version_page
    assert "Once the otters agree." not in new_version_page


def test_old_signatures_are_in_the_pdf_of_their_version(
    world: World, as_: Callable[[User], Client], monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = plan_with_earlier_signatures(world)
    contexts: list[dict[str, Any]] = []
    original_pdf_response = downloads.pdf_response

    def record_context(request: Any, template: str, context: dict[str, Any], title: str, **more: Any) -> Any:
        contexts.append(context)
        return original_pdf_response(request, template, context, title, **more)

    monkeypatch.setattr(downloads, "pdf_response", record_context)
    as_(world.ben).get(reverse("plans:pdf", args=[plan.pk, 1]))

    assert [sign_off.reason for sign_off in contexts[0]["signatures"]] == ["", "Once the otters agree."]


def test_readers_outside_see_no_signatures_of_old_versions(world: World, as_: Callable[[User], Client]) -> None:
    plan = plan_with_earlier_signatures(world)
    services.change_audience(plan=plan, audience="network", reason="All may.", author=world.amina, now=timezone.now())

    for page in ("plans:version", "plans:paper"):
        assert "otters" not in as_(world.chidi).get(reverse(page, args=[plan.pk, 1])).content.decode()


def test_readers_of_a_public_plan_read_its_documents_except_restricted_ones(
    world: World, as_: Callable[[User], Client]
) -> None:
    plan = begin(world, audience="public")
    for title, restricted in (("Layout", False), ("Price", True)):
        services.attach_document(
            plan=plan,
            title=title,
            file=SimpleUploadedFile("plan.txt", b"North to the top."),
            restricted=restricted,
            author=world.amina,
            now=timezone.now(),
        )
    keys = {item["title"]: item["key"] for item in publish(plan, world).content["documents"]}
    services.attach_document(
        plan=plan,
        title="Draft",
        file=SimpleUploadedFile("draft.txt", b"Not yet."),
        restricted=False,
        author=world.amina,
        now=timezone.now(),
    )
    unpublished_key = plan.documents.exclude(key__in=keys.values()).get().key

    def get(key: str) -> Any:
        return Client().get(reverse("plans:document", args=[plan.pk, key]))

    response = get(keys["Layout"])
    assert response.status_code == 200
    assert response["Content-Disposition"].startswith("attachment")
    assert [get(key).status_code for key in (keys["Price"], unpublished_key)] == [404, 404]
    map_response = Client().get(reverse("plans:map", args=[plan.pk]))
    assert map_response.status_code == 200
    assert CANARY not in map_response.content.decode()
    services.change_audience(plan=plan, audience="network", reason="Not yet.", author=world.amina, now=timezone.now())
    assert get(keys["Layout"]).status_code == 302


def test_documents_of_an_embargoed_public_version_are_not_found(world: World) -> None:
    plan = published_plan(world, audience="public")
    document = services.attach_document(
        plan=plan,
        title="Layout",
        file=SimpleUploadedFile("plan.txt", b"North to the top."),
        restricted=False,
        author=world.amina,
        now=timezone.now(),
    )
    publish(plan, world, "Later.", embargo_until=timezone.now() + dt.timedelta(days=1))

    assert Client().get(reverse("plans:document", args=[plan.pk, document.key])).status_code == 404
