"""Pages of posts: the people of a partnership, who holds a post, and who takes over."""

from __future__ import annotations

import datetime as dt

from django.contrib.auth.decorators import login_not_required
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from partnerships.agreements.emails import holder_of_token
from partnerships.agreements.forms import ReasonForm
from partnerships.agreements.forms.posts import ContactForm, FillForm, PostForm
from partnerships.agreements.models import Holder, Party, Post, PostRole
from partnerships.agreements.queries import teams_of
from partnerships.agreements.rights import may_name_in
from partnerships.agreements.sections import ON_POSTS
from partnerships.agreements.services import (
    UnableToChangePost,
    change_contact,
    create_post,
    end_post,
    fill_post,
    remove_contact,
    tell_contact,
    vacate_post,
)
from partnerships.agreements.views.access import held, seen
from partnerships.kit.http import keyset_page, posted
from partnerships.kit.rights import require
from partnerships.organisations.models import Organisation
from partnerships.organisations.queries import people_of, with_account
from partnerships.organisations.rights import Roles, roles_of
from partnerships.people.form_steps import take_step
from partnerships.people.limits import too_many
from partnerships.people.models import User
from partnerships.people.requests import signed_in

#: How many new links one contact is sent a day.
_LINKS_A_DAY = 3

_REFUSED: dict[type[Exception], str | None] = {UnableToChangePost: None}


@require_safe
def people(request: HttpRequest, pk: int) -> HttpResponse:
    """The people of a partnership: leads, contacts by role and teams, by party.

    Only present parties see them.
    """
    user = signed_in(request)
    partnership = held(user, pk)
    takes_part = Party.objects.takes_part(user, pk)
    parties = partnership.parties.present().select_related("organisation").order_by("role", "organisation__name", "pk")
    roles, present = roles_of(user, timezone.now()), [party.organisation_id for party in parties]
    return render(
        request,
        "agreements/posts/people.html",
        {
            "partnership": partnership,
            "teams": teams_of(user, partnership, parties) if takes_part else [],
            "edits": [] if partnership.is_over else roles.edited_among(present),
            "leads": [] if partnership.is_over else roles.led_among(present),
        },
    )


@require_safe
def post_page(request: HttpRequest, pk: int) -> HttpResponse:
    """A post: who holds it and, for its own organisation, who held it before."""
    user = signed_in(request)
    post = get_object_or_404(Post.objects.visible_to(user).for_listing(), pk=pk)
    roles = roles_of(user, timezone.now())
    own = roles.act_for(post.organisation_id)
    may_name = own and not post.is_ended and may_name_in(post.role, roles, post.organisation_id)
    former_holders = (
        Holder.objects.visible_to(user).filter(post=post).exclude(pk__in=[holder.pk for holder in post.present])
    )
    return render(
        request,
        "agreements/posts/post.html",
        {
            "post": post,
            "page": keyset_page(request, former_holders.select_related("person"), order=("-starts_on", "-pk"))
            if own
            else None,
            "own": own,
            "may_name": may_name,
            "sections": ON_POSTS.of(user, post) if may_name else [],
            "mine": [holder.pk for holder in post.present if holder.person_id == user.pk],
        },
    )


@require_http_methods(["GET", "HEAD", "POST"])
def create(request: HttpRequest, organisation: int, pk: int | None = None) -> HttpResponse:
    """Create a post of an organisation, or of its part in a partnership, and fill it."""
    user = signed_in(request)
    roles = roles_of(user, timezone.now())
    body = get_object_or_404(Organisation.objects.visible_to(user), pk=organisation)
    partnership = None if pk is None else seen(user, pk)
    require(roles.edit_for(body.pk))
    if partnership is not None and not partnership.parties.present().filter(organisation=body).exists():
        raise Http404
    back = body.get_absolute_url() if pk is None else reverse("agreements:people", args=[pk])
    form = PostForm(
        posted(request),
        roles=[role for role in PostRole if may_name_in(role, roles, body.pk)],
        people=with_account(people_of(body)),
        cancel=back,
        initial={"role": request.GET.get("role", "")},
    )

    def step() -> tuple[str, str]:
        now = timezone.now()
        # Both or neither: when the form is sent again after a refusal, the post must not exist.
        with transaction.atomic():
            post = create_post(
                organisation=body,
                partnership=partnership,
                role=form.cleaned_data["role"],
                title=form.cleaned_data["title"],
                author=user,
                now=now,
            )
            if not form.is_vacant:
                fill_post(post=post, author=user, now=now, **form.fill_post_arguments())
        return f"{post} of {body.display_name} has been added.", back

    return take_step(
        request,
        "agreements/posts/create.html",
        form,
        step,
        _REFUSED,
        names_emailed=True,
        organisation=body,
        partnership=partnership,
        back=back,
    )


def _named(user: User, pk: int) -> tuple[Post, Roles]:
    """A post whose holder the person may name. 404 unseen, 403 without the right."""
    post = get_object_or_404(Post.objects.visible_to(user).for_listing(), pk=pk)
    roles = roles_of(user, timezone.now())
    require(may_name_in(post.role, roles, post.organisation_id))
    return post, roles


@require_http_methods(["GET", "HEAD", "POST"])
def fill(request: HttpRequest, pk: int) -> HttpResponse:
    """Fill a vacant post, hand a held one over, or add to a team."""
    user = signed_in(request)
    post, _ = _named(user, pk)
    form = FillForm(posted(request), people=with_account(people_of(post.organisation)), cancel=post.get_absolute_url())

    def step() -> tuple[str, str]:
        holder = fill_post(post=post, author=user, now=timezone.now(), **form.fill_post_arguments())
        return f"{holder.display_name}: {post} of {post.organisation.display_name}.", post.get_absolute_url()

    return take_step(request, "agreements/posts/fill.html", form, step, _REFUSED, names_emailed=True, post=post)


@require_http_methods(["GET", "HEAD", "POST"])
def end(request: HttpRequest, pk: int) -> HttpResponse:
    """End a post."""
    user = signed_in(request)
    post, _ = _named(user, pk)
    form = ReasonForm(posted(request), submit="End post", cancel=post.get_absolute_url())

    def step() -> tuple[str, str]:
        end_post(post=post, author=user, now=timezone.now(), **form.cleaned_data)
        return f"{post} of {post.organisation.display_name} has ended.", post.get_absolute_url()

    return take_step(request, "agreements/posts/end.html", form, step, _REFUSED, post=post)


def _changed(user: User, pk: int) -> Holder:
    """A present or future holder that the person may change.

    Themselves, or in a post that they may fill.
    """
    visible = Holder.objects.visible_to(user).open().select_related("person", "post__organisation", "post__partnership")
    holder = get_object_or_404(visible, pk=pk)
    roles = roles_of(user, timezone.now())
    own = holder.person_id == user.pk and roles.act_for(holder.post.organisation_id)
    require(own or may_name_in(holder.post.role, roles, holder.post.organisation_id))
    return holder


@require_http_methods(["GET", "HEAD", "POST"])
def contact(request: HttpRequest, pk: int) -> HttpResponse:
    """Change how to reach the holder of a post."""
    user = signed_in(request)
    holder = _changed(user, pk)
    back = holder.post.get_absolute_url()
    form = ContactForm(posted(request), holder=holder, cancel=back)

    def step() -> tuple[str, str]:
        change_contact(holder=holder, contact=form.contact(), author=user, now=timezone.now())
        return "The contact details have been changed.", back

    return take_step(request, "agreements/posts/contact.html", form, step, _REFUSED, holder=holder, post=holder.post)


@require_http_methods(["GET", "HEAD", "POST"])
def vacate(request: HttpRequest, pk: int) -> HttpResponse:
    """End somebody's time in a post."""
    user = signed_in(request)
    holder = _changed(user, pk)
    back = holder.post.get_absolute_url()
    form = ReasonForm(posted(request), submit="End their time in this post", cancel=back)

    def step() -> tuple[str, str]:
        vacate_post(holder=holder, author=user, now=timezone.now(), **form.cleaned_data)
        return f"{holder.display_name} no longer holds this post.", back

    return take_step(request, "agreements/posts/vacate.html", form, step, _REFUSED, holder=holder, post=holder.post)


def _new_link_to(request: HttpRequest, holder: Holder | None) -> HttpResponse:
    """Offer a new link by email to the contact of an old one, or say that we hold nothing."""
    if holder is None or not holder.email:
        return render(request, "agreements/posts/contact_gone.html", status=404)
    if request.method != "POST":
        return render(request, "agreements/posts/contact_link_over.html", status=410)
    refused = too_many(request, "contact links", limit=_LINKS_A_DAY, stretch=dt.timedelta(days=1), who=f"{holder.pk}")
    if refused is not None:
        return refused
    tell_contact(holder, now=timezone.now())
    return render(request, "agreements/posts/contact_link_over.html", {"sent": True})


@login_not_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def contact_data(request: HttpRequest, token: str) -> HttpResponse:
    """What is held about a contact without an account, by the link in their email; they can have it removed.

    Mail scanners open links, so only a POST removes. An old link only sends a new one.
    """
    holder = holder_of_token(token)
    if holder is None:
        return _new_link_to(request, holder_of_token(token, allow_expired=True))
    if request.method == "POST":
        remove_contact(holder=holder, now=timezone.now())
        return render(request, "agreements/posts/contact_gone.html", {"removed": True})
    return render(request, "agreements/posts/contact_data.html", {"holder": holder, "post": holder.post})
