"""The pages of posts, of their holders and of the people of a partnership.

`require` answers 403 if its condition is false.
"""

from __future__ import annotations

import datetime as dt

from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from partnerships.agreements.emails import holder_of_token
from partnerships.agreements.forms import ReasonForm
from partnerships.agreements.forms.posts import ContactForm, PostForm, PostHolderForm
from partnerships.agreements.models import Holder, Partnership, Party, Post, PostRole
from partnerships.agreements.queries import teams_of
from partnerships.agreements.rights import may_fill_posts_with
from partnerships.agreements.sections import ON_POSTS
from partnerships.agreements.services import (
    UnableToChangePost,
    change_contact,
    create_post,
    email_contact,
    end_post,
    fill_post,
    remove_contact,
    vacate_post,
)
from partnerships.agreements.views.access import get_readable, get_visible
from partnerships.kit.http import form_page, keyset_page, post_data, show_refusal
from partnerships.kit.rights import require
from partnerships.organisations.models import Organisation
from partnerships.organisations.queries import people_of, with_account
from partnerships.organisations.rights import roles_of
from partnerships.people.limits import refuse_too_many
from partnerships.people.models import User
from partnerships.people.recipients import collect_recipients
from partnerships.people.requests import signed_in

#: How many new links one contact may get by email in a day.
_LINKS_A_DAY = 3


@require_safe
def partnership_people(request: HttpRequest, pk: int) -> HttpResponse:
    """List the leads, contacts and teams of each party.

    People of an invited or former party can open the page, but it lists nobody.
    """
    user = signed_in(request)
    partnership = get_readable(user, pk)
    takes_part = Party.objects.person_takes_part(user, pk)
    parties = partnership.parties.accepted().by_role_and_name()
    user_roles = roles_of(user, timezone.now())
    organisation_ids = [party.organisation_id for party in parties]
    return render(
        request,
        "agreements/posts/people.html",
        {
            "partnership": partnership,
            "teams": teams_of(user, partnership, parties) if takes_part else [],
            "edited_ids": [] if partnership.is_over else user_roles.edited_among(organisation_ids),
            "led_ids": [] if partnership.is_over else user_roles.led_among(organisation_ids),
        },
    )


@require_safe
def post_page(request: HttpRequest, pk: int) -> HttpResponse:
    """Show the holder of a post and, to people of its own organisation, its former and future holders."""
    user = signed_in(request)
    post = get_object_or_404(Post.objects.visible_to(user).for_listing(), pk=pk)
    user_roles = roles_of(user, timezone.now())
    is_own = user_roles.acts_for(post.organisation_id)
    may_name = is_own and not post.is_ended and may_fill_posts_with(post.role, user_roles, post.organisation_id)
    # The page shows the present holders above the list of earlier and later ones.
    present_holder_ids = [holder.pk for holder in post.current_holders]
    other_holders = Holder.objects.visible_to(user).filter(post=post).exclude(pk__in=present_holder_ids)
    page = None
    if is_own:
        page = keyset_page(request, other_holders.select_related("person"), order=("-starts_on", "-pk"))
    return render(
        request,
        "agreements/posts/post.html",
        {
            "post": post,
            "page": page,
            "may_name": may_name,
            "sections": ON_POSTS.of(user, post) if may_name else [],
            "own_holder_ids": [holder.pk for holder in post.current_holders if holder.person_id == user.pk],
        },
    )


@require_http_methods(["GET", "HEAD", "POST"])
def post_create(request: HttpRequest, organisation_id: int, partnership_id: int | None = None) -> HttpResponse:
    """Create a post and name its holder.

    The post is in a partnership or, if there is no `partnership_id`, for the whole organisation.
    """
    user = signed_in(request)
    user_roles = roles_of(user, timezone.now())
    organisation = get_object_or_404(Organisation.objects.visible_to(user), pk=organisation_id)
    partnership = None if partnership_id is None else get_visible(user, partnership_id)
    require(user_roles.may_edit_for(organisation.pk))
    # Only a present party has posts in the partnership.
    if partnership is not None and not partnership.parties.accepted().filter(organisation=organisation).exists():
        raise Http404

    if partnership is None:
        next_page = organisation.get_absolute_url()
    else:
        next_page = reverse("agreements:people", args=[partnership.pk])
    form = PostForm(
        post_data(request),
        post_roles=[role for role in PostRole if may_fill_posts_with(role, user_roles, organisation.pk)],
        people=with_account(people_of(organisation)),
        cancel=next_page,
        initial={"role": request.GET.get("role", "")},
    )

    if request.method == "POST" and form.is_valid():
        with show_refusal(form, UnableToChangePost):
            with collect_recipients() as recipients:
                post = _create_and_fill_post(form, organisation, partnership, user)
            message = f"{post} of {organisation.display_name} has been added."
            messages.success(request, f"{message}{recipients.sentence()}")
            return redirect(next_page)

    return form_page(
        request,
        "agreements/posts/create.html",
        form,
        organisation=organisation,
        partnership=partnership,
        back=next_page,
    )


@transaction.atomic
def _create_and_fill_post(
    form: PostForm, organisation: Organisation, partnership: Partnership | None, user: User
) -> Post:
    """Create the post of a valid form and name its holder.

    Both are in one transaction. If the holder is refused, the post is not created either, so that the person can send
    the corrected form again.
    """
    now = timezone.now()
    post = create_post(
        organisation=organisation,
        partnership=partnership,
        role=form.cleaned_data["role"],
        title=form.cleaned_data["title"],
        author=user,
        now=now,
    )
    if not form.is_vacant:
        fill_post(post=post, author=user, now=now, **form.fill_post_arguments())
    return post


def _get_fillable_post(user: User, pk: int) -> Post:
    """Return a post whose holder the person may name.

    Raises 404 if the person cannot see the post, and 403 if the person may only see the post.
    """
    post = get_object_or_404(Post.objects.visible_to(user).for_listing(), pk=pk)
    require(may_fill_posts_with(post.role, roles_of(user, timezone.now()), post.organisation_id))
    return post


@require_http_methods(["GET", "HEAD", "POST"])
def post_fill(request: HttpRequest, pk: int) -> HttpResponse:
    """Name the holder of a vacant post, the next holder of a post that is held, or a member of a team."""
    user = signed_in(request)
    post = _get_fillable_post(user, pk)
    form = PostHolderForm(
        post_data(request), people=with_account(people_of(post.organisation)), cancel=post.get_absolute_url()
    )

    if request.method == "POST" and form.is_valid():
        with show_refusal(form, UnableToChangePost):
            with collect_recipients() as recipients:
                holder = fill_post(post=post, author=user, now=timezone.now(), **form.fill_post_arguments())
            message = f"{holder.display_name}: {post} of {post.organisation.display_name}."
            messages.success(request, f"{message}{recipients.sentence()}")
            return redirect(post)

    return form_page(request, "agreements/posts/fill.html", form, post=post)


@require_http_methods(["GET", "HEAD", "POST"])
def post_end(request: HttpRequest, pk: int) -> HttpResponse:
    """End a post, with a reason."""
    user = signed_in(request)
    post = _get_fillable_post(user, pk)
    form = ReasonForm(post_data(request), submit="End post", cancel=post.get_absolute_url())

    if request.method == "POST" and form.is_valid():
        with show_refusal(form, UnableToChangePost):
            end_post(post=post, author=user, now=timezone.now(), **form.cleaned_data)
            messages.success(request, f"{post} of {post.organisation.display_name} has ended.")
            return redirect(post)

    return form_page(request, "agreements/posts/end.html", form, post=post)


def _get_editable_holder(user: User, pk: int) -> Holder:
    """Return a present or future holder whom the person may change, or raise 404 or 403.

    People may change their own entry, and the entries of holders whose posts they may fill.
    """
    visible_holders = (
        Holder.objects.visible_to(user)
        .current_or_future()
        .select_related("person", "post__organisation", "post__partnership")
    )
    holder = get_object_or_404(visible_holders, pk=pk)
    user_roles = roles_of(user, timezone.now())
    is_own_entry = holder.person_id == user.pk and user_roles.acts_for(holder.post.organisation_id)
    require(is_own_entry or may_fill_posts_with(holder.post.role, user_roles, holder.post.organisation_id))
    return holder


@require_http_methods(["GET", "HEAD", "POST"])
def holder_contact(request: HttpRequest, pk: int) -> HttpResponse:
    """Change the contact details of the holder of a post."""
    user = signed_in(request)
    holder = _get_editable_holder(user, pk)
    form = ContactForm(post_data(request), holder=holder, cancel=holder.post.get_absolute_url())

    if request.method == "POST" and form.is_valid():
        with show_refusal(form, UnableToChangePost):
            change_contact(holder=holder, contact=form.contact(), author=user, now=timezone.now())
            messages.success(request, "The contact details have been saved.")
            return redirect(holder.post)

    return form_page(request, "agreements/posts/contact.html", form, holder=holder, post=holder.post)


@require_http_methods(["GET", "HEAD", "POST"])
def holder_vacate(request: HttpRequest, pk: int) -> HttpResponse:
    """End a holder's time in a post, with a reason."""
    user = signed_in(request)
    holder = _get_editable_holder(user, pk)
    form = ReasonForm(post_data(request), submit="End their time in this post", cancel=holder.post.get_absolute_url())

    if request.method == "POST" and form.is_valid():
        with show_refusal(form, UnableToChangePost):
            vacate_post(holder=holder, author=user, now=timezone.now(), **form.cleaned_data)
            messages.success(request, f"{holder.display_name} no longer holds this post.")
            return redirect(holder.post)

    return form_page(request, "agreements/posts/vacate.html", form, holder=holder, post=holder.post)


def _offer_new_link(request: HttpRequest, holder: Holder | None) -> HttpResponse:
    """Offer to email a new link to a contact whose link has expired. On POST, send the link.

    If we no longer have the contact's details, the page says so.
    """
    if holder is None or not holder.email:
        return render(request, "agreements/posts/contact_gone.html", status=404)
    if request.method != "POST":
        return render(request, "agreements/posts/contact_link_over.html", status=410)
    # Anybody with the old link can request a new one, so the limit is per contact and not per visitor.
    refusal = refuse_too_many(
        request, "contact links", limit=_LINKS_A_DAY, stretch=dt.timedelta(days=1), who=f"{holder.pk}"
    )
    if refusal is not None:
        return refusal
    email_contact(holder, now=timezone.now())
    return render(request, "agreements/posts/contact_link_over.html", {"sent": True})


@login_not_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def contact_data(request: HttpRequest, token: str) -> HttpResponse:
    """Show contacts without an account the data that we hold about them, and let them remove it.

    Contacts follow the link in an email. Mail scanners open links too, so only a POST removes anything. An expired link
    shows nothing, but offers a new link by email.
    """
    holder = holder_of_token(token)
    if holder is None:
        return _offer_new_link(request, holder_of_token(token, allow_expired=True))
    if request.method == "POST":
        remove_contact(holder=holder, now=timezone.now())
        return render(request, "agreements/posts/contact_gone.html", {"removed": True})
    return render(request, "agreements/posts/contact_data.html", {"holder": holder, "post": holder.post})
