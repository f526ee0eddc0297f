"""A share of a draft is for one person, until a day, and can be revoked."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any, NamedTuple

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from partnerships.organisations.models import Membership, Role
from partnerships.people.models import User
from partnerships.plans import services
from partnerships.plans.models import AccessRequest, Comment, Draft, Plan, Share
from tests.plans.drafts import CANARY, begin, published_plan, save
from tests.support.outbox import deliver
from tests.support.pages import collapse
from tests.support.parties import leave_partnership_as_westmarch
from tests.support.signing_in import signed_in
from tests.world import World, join


def share_draft_with(plan: Plan, world: World, person: User, **more: Any) -> Share:
    """Share the draft with a person as Amina."""
    return services.share_draft(
        plan=plan,
        email=person.email,
        may_comment=more.pop("may_comment", True),
        message="What do you think?",
        ends_on=more.pop("ends_on", None),
        author=world.amina,
        now=timezone.now(),
    )


def addresses_of_draft(plan: Plan) -> list[str]:
    """Return the addresses of a draft on screen, on paper and as a PDF."""
    return [reverse(name, kwargs={"pk": plan.pk}) for name in ("plans:preview", "plans:draft-paper", "plans:draft-pdf")]


def draft_of(plan: Plan) -> str:
    """Return the address of the draft."""
    return reverse("plans:draft", kwargs={"pk": plan.pk})


def test_named_person_reads_the_draft_without_its_confidential_parts(world: World) -> None:
    plan = begin(world)
    share_draft_with(plan, world, world.nadia)

    response = signed_in(world.nadia).get(draft_of(plan))

    assert response.status_code == 200
    assert b"DRAFT" in response.content
    assert b"North Quay" in response.content
    assert CANARY.encode() not in response.content


def test_opening_of_a_draft_by_its_reader_is_stored(world: World) -> None:
    plan = begin(world)
    share = share_draft_with(plan, world, world.nadia)

    signed_in(world.nadia).get(draft_of(plan))

    share.refresh_from_db()
    assert share.opened_at is not None


everybody_else = pytest.mark.parametrize("name", ["oscar", "ben", "chidi", "dee", "lena"])


@everybody_else
@pytest.mark.parametrize("page", ["plans:draft", "plans:detail"])
def test_nobody_but_the_named_person_finds_a_shared_draft(world: World, name: str, page: str) -> None:
    plan = begin(world)
    share_draft_with(plan, world, world.nadia)

    response = signed_in(getattr(world, name)).get(reverse(page, args=[plan.pk]))

    assert response.status_code == 404


@everybody_else
def test_list_of_plans_of_nobody_but_the_named_person_has_a_shared_draft(world: World, name: str) -> None:
    plan = begin(world)
    share_draft_with(plan, world, world.nadia)

    html = signed_in(getattr(world, name)).get(reverse("plans:list")).content.decode()

    assert plan.title not in html


def test_revoked_share_stops_working_at_once(world: World) -> None:
    plan = begin(world)
    share = share_draft_with(plan, world, world.nadia)
    signed_in(world.amina).post(reverse("plans:revoke", kwargs={"pk": plan.pk, "share": share.pk}))

    response = signed_in(world.nadia).get(draft_of(plan))

    assert response.status_code == 404


def test_share_works_on_its_last_day(world: World) -> None:
    plan = begin(world)
    share_draft_with(plan, world, world.nadia, ends_on=timezone.localdate())

    response = signed_in(world.nadia).get(draft_of(plan))

    assert response.status_code == 200


def test_share_ends_after_its_last_day(world: World) -> None:
    plan = begin(world)
    share = share_draft_with(plan, world, world.nadia)
    Share.objects.filter(pk=share.pk).update(ends_on=timezone.localdate() - dt.timedelta(days=1))

    response = signed_in(world.nadia).get(draft_of(plan))

    assert response.status_code == 404


def test_email_about_a_shared_draft_does_not_have_its_confidential_parts(world: World) -> None:
    plan = begin(world)
    deliver().clear()

    share_draft_with(plan, world, world.nadia)

    (email,) = deliver()
    assert email.to == ["nadia@riverside.example"]
    assert "the draft of" in email.body
    assert CANARY not in email.body


def test_saving_a_shared_draft_sends_no_email(world: World) -> None:
    plan = begin(world)
    share_draft_with(plan, world, world.nadia)
    deliver().clear()

    save(plan, world, "about", summary="Other words.")

    assert deliver() == []


def test_sharing_a_draft_again_on_other_terms_sends_no_email(world: World) -> None:
    plan = begin(world)
    share_draft_with(plan, world, world.nadia)
    deliver().clear()

    share_draft_with(plan, world, world.nadia, may_comment=False)

    assert deliver() == []


def test_person_with_a_share_for_reading_only_reads_the_comments(world: World) -> None:
    plan = begin(world)
    share_draft_with(plan, world, world.nadia, may_comment=False)

    response = signed_in(world.nadia).get(reverse("plans:draft-comments", args=[plan.pk]))

    assert response.status_code == 200


def test_person_with_a_share_for_reading_only_cannot_comment(world: World) -> None:
    plan = begin(world)
    share_draft_with(plan, world, world.nadia, may_comment=False)

    response = signed_in(world.nadia).post(reverse("plans:draft-comments", args=[plan.pk]), {"text": "May I?"})

    assert response.status_code == 403


def test_share_for_reading_only_can_be_changed_to_allow_comments(world: World) -> None:
    plan = begin(world)
    share_draft_with(plan, world, world.nadia, may_comment=False)
    share_draft_with(plan, world, world.nadia, may_comment=True)

    response = signed_in(world.nadia).post(reverse("plans:draft-comments", args=[plan.pk]), {"text": "I may."})

    assert response.status_code == 302


def test_viewer_of_an_owner_sees_the_form_to_comment_on_a_shared_draft(world: World) -> None:
    plan = begin(world)
    share_draft_with(plan, world, world.vera)

    html = signed_in(world.vera).get(reverse("plans:draft-comments", args=[plan.pk])).content.decode()

    assert 'name="text"' in html


def test_viewer_of_an_owner_comments_on_a_draft_that_is_shared_with_them(world: World) -> None:
    plan = begin(world)
    share_draft_with(plan, world, world.vera)

    response = signed_in(world.vera).post(reverse("plans:draft-comments", args=[plan.pk]), {"text": "Too few homes."})

    assert response.status_code == 302
    assert plan.comments.get().text == "Too few homes."


def test_link_to_ask_for_access_names_the_plan_by_number_not_title(world: World) -> None:
    plan = published_plan(world, title="Island homes")

    html = signed_in(world.ben).get(reverse("plans:detail", kwargs={"pk": plan.pk})).content.decode()

    assert f'href="{reverse("plans:ask")}?plan={plan.pk}"' in html
    assert not [link for link in re.findall(r'href="([^"]*)"', html) if "Island" in link or "Estuary" in link]


def test_form_to_ask_for_access_starts_with_the_plan_and_its_partnership(world: World) -> None:
    plan = published_plan(world, title="Island homes")

    form = signed_in(world.ben).get(reverse("plans:ask"), {"plan": plan.pk}).context["form"]

    assert form["about"].value() == plan.title
    assert form["partnership"].value() == world.partnership.pk


def test_form_to_ask_for_access_to_a_plan_is_not_found_by_a_stranger(world: World) -> None:
    plan = published_plan(world, title="Island homes")

    response = signed_in(world.chidi).get(reverse("plans:ask"), {"plan": plan.pk})

    assert response.status_code == 404


def ask_for_access(world: World, client: Client, about: str) -> str:
    """Ask to see a draft of the Estuary Partnership by its title, and return the page that answers."""
    form_data = {"partnership": world.partnership.pk, "message": "", "about": about}
    return client.post(reverse("plans:ask"), form_data, follow=True).content.decode()


def test_asking_for_access_gives_the_same_answer_whether_or_not_a_plan_exists(world: World) -> None:
    begin(world, title="Island homes")
    ben = signed_in(world.ben)

    pages = [ask_for_access(world, ben, about) for about in ("Island homes", "No such plan")]

    messages = [html[html.index("If this plan exists") :][:90] for html in pages]
    assert messages[0] == messages[1]


def test_leads_of_owners_are_emailed_about_a_request_for_their_plan(world: World) -> None:
    begin(world, title="Island homes")
    deliver().clear()

    ask_for_access(world, signed_in(world.ben), "Island homes")

    assert [email.to for email in deliver()] == [["amina@larkhaven.example"]]


def test_nobody_is_emailed_about_a_request_for_a_plan_that_does_not_exist(world: World) -> None:
    begin(world, title="Island homes")
    deliver().clear()

    ask_for_access(world, signed_in(world.ben), "No such plan")

    assert deliver() == []


def test_a_person_whose_request_is_granted_opens_the_draft(world: World) -> None:
    plan = begin(world, title="Island homes")
    request = request_access(plan, world)
    services.answer_request(request=request, grant=True, author=world.amina, now=timezone.now())

    response = signed_in(world.ben).get(draft_of(plan))

    assert response.status_code == 200


TABS = (
    "plans:detail",
    "plans:compare",
    "plans:compare-csv",
    "plans:draft",
    "plans:sharing",
    "plans:comments",
    "plans:draft-comments",
    "plans:signing",
    "plans:history",
    "plans:map",
    "plans:publish",
)


@pytest.mark.parametrize("tab", TABS)
def test_colleague_of_a_person_with_a_share_does_not_find_the_plan(world: World, tab: str) -> None:
    plan = published_plan(world)
    share_draft_with(plan, world, world.nadia)

    response = signed_in(world.oscar).get(reverse(tab, args=[plan.pk]))

    assert response.status_code == 404


def publish_on_page(plan: Plan, client: Client, **fields: str) -> None:
    """Publish the draft on its page."""
    revision = str(Draft.objects.get(plan=plan).revision)
    client.post(
        reverse("plans:publish", kwargs={"pk": plan.pk}), {"note": "As agreed.", "draft_revision": revision, **fields}
    )


def test_publishing_goes_on_sharing_the_next_draft(world: World) -> None:
    plan = begin(world)
    share_draft_with(plan, world, world.nadia)
    publish_on_page(plan, signed_in(world.amina))

    response = signed_in(world.nadia).get(draft_of(plan))

    assert plan.versions.count() == 1
    assert response.status_code == 200


def test_page_of_shares_says_that_the_next_draft_is_shared(world: World) -> None:
    plan = begin(world)
    share_draft_with(plan, world, world.nadia)
    publish_on_page(plan, signed_in(world.amina))

    html = signed_in(world.amina).get(reverse("plans:sharing", args=[plan.pk])).content.decode()

    assert "They now see the draft of the next version." in collapse(html)


def test_form_to_publish_offers_to_end_the_shares_by_name(world: World) -> None:
    plan = begin(world)
    share_draft_with(plan, world, world.nadia)

    html = signed_in(world.amina).get(reverse("plans:publish", kwargs={"pk": plan.pk})).content.decode()

    assert "Stop sharing the draft with Nadia River" in html


def test_publishing_ends_shares_when_the_author_chooses_so(world: World) -> None:
    plan = begin(world)
    share_draft_with(plan, world, world.nadia)
    publish_on_page(plan, signed_in(world.amina), end_shares="on")

    response = signed_in(world.nadia).get(draft_of(plan))

    assert plan.versions.count() == 1
    assert response.status_code == 404


def request_access(plan: Plan, world: World) -> AccessRequest:
    """Ask for access to the draft as Ben."""
    return services.ask_for_access(
        partnership=world.partnership, about=plan.title, message="Our road.", author=world.ben, now=timezone.now()
    )


@pytest.mark.parametrize("page", ["list of shares", "form to answer"])
def test_owner_reads_who_asks_for_access_and_why(world: World, page: str) -> None:
    plan = begin(world)
    request = request_access(plan, world)
    addresses = {
        "list of shares": reverse("plans:sharing", args=[plan.pk]),
        "form to answer": reverse("plans:answer", args=[plan.pk, request.pk]),
    }

    html = signed_in(world.eddie).get(addresses[page]).content.decode()

    assert "Westmarch Borough Council" in html
    assert "Our road." in html


def grant_access(request: AccessRequest, client: Client, last_day: dt.date) -> Any:
    """Grant access to a draft until a day on the page of the request, and return the response."""
    return client.post(
        reverse("plans:answer", args=[request.plan_id, request.pk]),
        {"answer": "grant", "ends_on": last_day.isoformat()},
    )


def test_owner_grants_access_on_the_terms_it_chooses(world: World) -> None:
    plan = begin(world)
    last_day = timezone.localdate() + dt.timedelta(days=9)

    grant_access(request_access(plan, world), signed_in(world.eddie), last_day)

    share = plan.shares.get(person=world.ben)
    assert not share.may_comment
    assert share.ends_on == last_day


def test_list_of_shares_names_the_organisation_that_was_granted_access(world: World) -> None:
    plan = begin(world)
    eddie = signed_in(world.eddie)
    grant_access(request_access(plan, world), eddie, timezone.localdate() + dt.timedelta(days=9))

    html = eddie.get(reverse("plans:sharing", args=[plan.pk])).content.decode()

    assert "Westmarch Borough Council" in html


def test_access_that_was_granted_cannot_be_declined_afterwards(world: World) -> None:
    request = request_access(begin(world), world)
    eddie = signed_in(world.eddie)
    grant_access(request, eddie, timezone.localdate() + dt.timedelta(days=9))

    response = decline_access(request, eddie)

    assert response.status_code == 422


def decline_access(request: AccessRequest, client: Client) -> Any:
    """Decline a request for access to a draft on its page, with a message, and return the response."""
    return client.post(
        reverse("plans:answer", args=[request.plan_id, request.pk]),
        {"answer": "decline", "message": "Ask again in May."},
    )


def test_person_refused_access_is_emailed(world: World) -> None:
    plan = begin(world)
    request = request_access(plan, world)
    # Without a name, the email greets Ben with the first part of his address.
    User.objects.filter(pk=world.ben.pk).update(name="")
    deliver().clear()

    decline_access(request, signed_in(world.amina))

    (email,) = deliver()
    assert email.to == [world.ben.email]
    assert email.reply_to == [world.amina.email]
    assert email.body.startswith("Hello ben,")
    assert "Ask again in May." in email.body
    assert "Amina Larch of Larkhaven Homes is not sharing a draft with you at the moment" in email.body


def test_person_refused_access_does_not_find_the_draft(world: World) -> None:
    plan = begin(world)
    decline_access(request_access(plan, world), signed_in(world.amina))

    response = signed_in(world.ben).get(draft_of(plan))

    assert response.status_code == 404


@pytest.mark.parametrize(
    "page", ["plans:draft", "plans:preview", "plans:draft-paper", "plans:draft-pdf", "plans:draft-comments"]
)
def test_share_ends_when_its_reader_leaves_the_partnership(world: World, page: str) -> None:
    plan = begin(world)
    share_draft_with(plan, world, world.ben)
    leave_partnership_as_westmarch(world)

    response = signed_in(world.ben).get(reverse(page, args=[plan.pk]))

    assert response.status_code == 404


def test_reader_who_left_the_partnership_cannot_comment_on_the_draft(world: World) -> None:
    plan = begin(world)
    share_draft_with(plan, world, world.ben)
    leave_partnership_as_westmarch(world)
    comments_page = reverse("plans:draft-comments", kwargs={"pk": plan.pk})

    response = signed_in(world.ben).post(comments_page, {"text": "And another thing."})

    assert response.status_code == 404


def test_reader_who_left_the_partnership_sees_no_comment_on_the_draft(world: World) -> None:
    plan = begin(world)
    share_draft_with(plan, world, world.ben)
    leave_partnership_as_westmarch(world)

    services.add_comment(plan=plan, version_number=0, text="Quillwort.", author=world.amina, now=timezone.now())

    assert not Comment.objects.visible_to(world.ben).filter(plan=plan).exists()


def test_draft_can_be_shared_again_with_a_former_party(world: World) -> None:
    plan = begin(world)
    share_draft_with(plan, world, world.ben)
    leave_partnership_as_westmarch(world)
    share_draft_with(plan, world, world.ben)

    response = signed_in(world.ben).get(draft_of(plan))

    assert response.status_code == 200


def test_share_ends_when_the_organisation_that_gave_it_stops_owning_the_plan(world: World) -> None:
    plan = begin(world, owners=[world.larkhaven, world.westmarch])
    services.share_draft(
        plan=plan,
        email=world.nadia.email,
        may_comment=True,
        message="",
        ends_on=None,
        author=world.ben,
        now=timezone.now(),
    )
    leave_partnership_as_westmarch(world)

    response = signed_in(world.nadia).get(draft_of(plan))

    assert response.status_code == 404


def test_share_ends_on_the_day_the_membership_ends_without_any_job(world: World) -> None:
    plan = begin(world)
    share_draft_with(plan, world, world.nadia)
    join(world.nadia, world.tidewater, Role.VIEWER, world.now)
    Membership.objects.filter(person=world.nadia, organisation=world.riverside).update(ends_on=timezone.localdate())

    response = signed_in(world.nadia).get(draft_of(plan))

    assert response.status_code == 404


@pytest.fixture
def share_of_changed_draft(world: World) -> Share:
    """Return a share with Nadia of the draft of a published plan."""
    plan = published_plan(world)
    save(plan, world, "about", summary="Other words.")
    return share_draft_with(plan, world, world.nadia)


@pytest.mark.parametrize(
    ("page", "how"),
    [
        ("plans:draft", "screen"),
        ("plans:preview", "screen"),
        ("plans:draft-paper", "paper"),
        ("plans:draft-pdf", "pdf"),
    ],
)
def test_opening_is_logged_with_its_format(world: World, share_of_changed_draft: Share, page: str, how: str) -> None:
    response = signed_in(world.nadia).get(reverse(page, args=[share_of_changed_draft.plan_id]))

    assert response.status_code == 200
    assert share_of_changed_draft.openings.get().how == how


def test_owner_reads_who_opened_the_draft_in_which_format(world: World, share_of_changed_draft: Share) -> None:
    plan = share_of_changed_draft.plan
    signed_in(world.nadia).get(reverse("plans:draft-pdf", args=[plan.pk]))

    log = signed_in(world.amina).get(reverse("plans:openings", args=[plan.pk])).content.decode()

    assert log.count("Nadia River") == 1
    assert "As a PDF" in log


def test_openings_by_people_of_an_owner_are_not_logged(world: World) -> None:
    plan = published_plan(world)
    save(plan, world, "about", summary="Other words.")
    share = share_draft_with(plan, world, world.nadia)
    eddie = signed_in(world.eddie)

    statuses = {eddie.get(address).status_code for address in addresses_of_draft(plan)}

    assert statuses == {200}
    assert not share.openings.exists()


def logged_methods(share: Share) -> list[str]:
    """Return how the draft of a share was opened, in the order of the openings."""
    return list(share.openings.order_by("pk").values_list("how", flat=True))


def test_opening_the_map_of_a_shared_draft_is_logged(world: World) -> None:
    plan = begin(world)
    share = share_draft_with(plan, world, world.nadia)

    response = signed_in(world.nadia).get(reverse("plans:draft-map", kwargs={"pk": plan.pk}))

    assert response.status_code == 200
    assert b"North Quay" in response.content
    assert logged_methods(share) == ["map"]


def test_each_page_of_comments_on_a_shared_draft_is_logged(world: World) -> None:
    plan = begin(world)
    share = share_draft_with(plan, world, world.nadia)
    comment = services.add_comment(plan=plan, version_number=0, text="Too few?", author=world.amina, now=timezone.now())
    comments_page = reverse("plans:draft-comments", kwargs={"pk": plan.pk})
    nadia = signed_in(world.nadia)

    responses = [
        nadia.get(comments_page),
        nadia.get(reverse("plans:reply", kwargs={"pk": plan.pk, "comment": comment.pk})),
        nadia.post(comments_page, {"text": ""}),
    ]

    assert [response.status_code for response in responses] == [200, 200, 422]
    assert logged_methods(share) == ["comments", "comments", "comments"]


def test_adding_a_comment_is_not_logged_as_an_opening(world: World) -> None:
    plan = begin(world)
    share = share_draft_with(plan, world, world.nadia)

    signed_in(world.nadia).post(reverse("plans:draft-comments", kwargs={"pk": plan.pk}), {"text": "Too many."})

    assert logged_methods(share) == []


def test_comments_read_by_an_editor_are_not_logged_as_an_opening(world: World) -> None:
    plan = begin(world)
    share = share_draft_with(plan, world, world.nadia)

    signed_in(world.eddie).get(reverse("plans:draft-comments", kwargs={"pk": plan.pk}))

    assert logged_methods(share) == []


def test_map_of_an_opened_page_is_not_logged_as_a_second_opening(world: World) -> None:
    plan = begin(world)
    share = share_draft_with(plan, world, world.nadia)
    nadia = signed_in(world.nadia)

    nadia.get(draft_of(plan))
    nadia.get(reverse("plans:draft-map", kwargs={"pk": plan.pk}))

    assert [opening.how for opening in share.openings.all()] == ["screen"]


class RenewedShare(NamedTuple):
    """A share that was revoked and given again, and when it was given for the first time."""

    share: Share
    first_shared_at: dt.datetime


@pytest.fixture
def renewed_share(world: World) -> RenewedShare:
    """Share a draft with Nadia, revoke the share, and give it again. Nadia opens the draft once before and once after.

    The renewed share is the same row.
    """
    plan = begin(world)
    first_share = share_draft_with(plan, world, world.nadia)
    signed_in(world.nadia).get(draft_of(plan))
    services.revoke_share(share=first_share, author=world.amina, now=timezone.now())
    share = share_draft_with(plan, world, world.nadia)
    signed_in(world.nadia).get(draft_of(plan))
    return RenewedShare(share, first_share.shared_at)


def test_each_opening_is_stored_with_the_time_at_which_the_share_was_given(renewed_share: RenewedShare) -> None:
    times = list(renewed_share.share.openings.order_by("pk").values_list("shown_at", flat=True))

    assert times == [renewed_share.first_shared_at, renewed_share.share.shared_at]


def test_access_log_keeps_openings_from_before_a_share_was_renewed(world: World, renewed_share: RenewedShare) -> None:
    html = (
        signed_in(world.amina)
        .get(reverse("plans:openings", kwargs={"pk": renewed_share.share.plan_id}))
        .content.decode()
    )

    assert html.count("Nadia River") == 2


def test_sharing_page_counts_openings_from_before_a_share_was_renewed(
    world: World, renewed_share: RenewedShare
) -> None:
    html = (
        signed_in(world.amina)
        .get(reverse("plans:sharing", kwargs={"pk": renewed_share.share.plan_id}))
        .content.decode()
    )

    assert "2 times" in html


def shared_pages(plan: Plan) -> list[str]:
    """Return the address of every page that shows a shared draft or comments on it."""
    other_pages = [reverse(name, kwargs={"pk": plan.pk}) for name in ("plans:draft-map", "plans:draft-comments")]
    comparison_pages = [reverse(name, kwargs={"pk": plan.pk}) for name in ("plans:compare", "plans:compare-csv")]
    reply = reverse("plans:reply", kwargs={"pk": plan.pk, "comment": plan.comments.get().pk})
    return [
        draft_of(plan),
        *addresses_of_draft(plan),
        *other_pages,
        reply,
        *(f"{path}?to=draft" for path in comparison_pages),
    ]


def pages_of_draft(plan: Plan) -> list[str]:
    """Return the addresses of a draft without comments, of its map and of the page to comment on it."""
    other_pages = [reverse(name, kwargs={"pk": plan.pk}) for name in ("plans:draft-map", "plans:draft-comments")]
    return [draft_of(plan), *addresses_of_draft(plan), *other_pages]


def test_mail_scanner_that_follows_a_link_must_sign_in_and_is_not_logged(world: World) -> None:
    plan = begin(world)
    share = share_draft_with(plan, world, world.nadia)

    statuses = {Client().get(address).status_code for address in pages_of_draft(plan)}

    share.refresh_from_db()
    assert statuses == {302}
    assert share.opened_at is None
    assert share.openings.count() == 0


def test_head_request_is_not_logged_as_an_opening(world: World) -> None:
    plan = begin(world)
    share = share_draft_with(plan, world, world.nadia)
    nadia = signed_in(world.nadia)

    statuses = {nadia.head(address).status_code for address in pages_of_draft(plan)}

    share.refresh_from_db()
    assert statuses == {200}
    assert share.opened_at is None
    assert share.openings.count() == 0


#: Headers with which browsers say that they fetch a page before the person opens it.
PREFETCH_HEADERS = ({"sec-purpose": "prefetch;prerender"}, {"purpose": "prefetch"})


@pytest.fixture
def share_with_comment(world: World) -> Share:
    """Return a share with Nadia of a draft that has a comment."""
    plan = published_plan(world, audience="network")
    save(plan, world, "about", summary="Other words.")
    share = share_draft_with(plan, world, world.nadia)
    services.add_comment(plan=plan, version_number=0, text="Too few?", author=world.amina, now=timezone.now())
    return share


@pytest.mark.parametrize("header", PREFETCH_HEADERS)
def test_a_shared_draft_is_not_sent_to_a_browser_that_fetches_ahead(
    world: World, share_with_comment: Share, header: dict[str, str]
) -> None:
    nadia = signed_in(world.nadia)

    responses = [nadia.get(address, headers=header) for address in shared_pages(share_with_comment.plan)]

    share_with_comment.refresh_from_db()
    assert {response.status_code for response in responses} == {503}
    assert {response.content for response in responses} == {b""}
    assert {response["Cache-Control"] for response in responses} == {"no-store"}
    assert share_with_comment.opened_at is None
    assert share_with_comment.openings.count() == 0


@pytest.mark.parametrize("header", PREFETCH_HEADERS)
def test_owners_browsers_may_fetch_a_draft_ahead(
    world: World, share_with_comment: Share, header: dict[str, str]
) -> None:
    response = signed_in(world.amina).get(draft_of(share_with_comment.plan), headers=header)

    assert response.status_code == 200


def test_a_shared_draft_is_sent_when_the_person_opens_it(world: World, share_with_comment: Share) -> None:
    response = signed_in(world.nadia).get(draft_of(share_with_comment.plan))

    assert response.status_code == 200
    assert share_with_comment.openings.count() == 1


@pytest.mark.parametrize(
    ("days_to_first_day", "days_to_last_day", "may_start"),
    [(-7, None, True), (7, None, False), (-7, 7, True)],
    ids=["current", "starts in a week", "ends in a week"],
)
def test_list_offers_to_start_a_plan_only_during_a_membership(
    world: World, days_to_first_day: int, days_to_last_day: int | None, may_start: bool
) -> None:
    today = timezone.localdate()
    Membership.objects.filter(person=world.eddie).update(
        starts_on=today + dt.timedelta(days=days_to_first_day),
        ends_on=None if days_to_last_day is None else today + dt.timedelta(days=days_to_last_day),
    )

    html = signed_in(world.eddie).get(reverse("plans:list")).content.decode()

    assert ("Start a plan" in html) == may_start
