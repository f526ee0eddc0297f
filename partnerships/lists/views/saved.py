"""Pages about saved views."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from partnerships.agreements.queries import inside_among
from partnerships.digests.models import Way
from partnerships.digests.queries.ways import ways_of
from partnerships.kit.http import keyset_page, posted
from partnerships.kit.lists import all_lists, find_list
from partnerships.lists import services
from partnerships.lists.forms import NameForm, ShareForm
from partnerships.lists.models import DefaultView, SavedView
from partnerships.lists.presenting import chips_of
from partnerships.lists.queries import files_of, followed_by
from partnerships.lists.reading import parameters_of, read
from partnerships.lists.rights import owns_view
from partnerships.lists.views.asking import listing_of
from partnerships.people.form_steps import press_button, take_step
from partnerships.people.models import User
from partnerships.people.requests import signed_in

#: The group of notices about followed views, and what somebody who follows one gets, by the way they chose.
_GROUP = "views"
_TOLD = {
    Way.AT_ONCE: "You will get an email when something enters or leaves “{}”.",
    Way.SUMMARY: "Your summary by email will say what enters or leaves “{}”.",
    Way.INBOX: "Your inbox will say what enters or leaves “{}”.",
    Way.OFF: "You follow “{}”, but you have turned off notifications about views.",
}


def _own(person: User, pk: int) -> SavedView:
    """A view of the person's own.

    404 if they cannot open it, 403 if it is another's.
    """
    view = get_object_or_404(SavedView.objects.visible_to(person), pk=pk)
    if not owns_view(view, person):
        raise PermissionDenied
    return view


@require_safe
def saved(request: HttpRequest) -> HttpResponse:
    """The views that the person can open, of all lists."""
    person = signed_in(request)
    views = SavedView.objects.visible_to(person).select_related("organisation", "partnership", "owner")
    page = keyset_page(request, views, order=("name", "pk"), size=50)
    titles = {item_list.slug: item_list.title for item_list in all_lists()}
    dated = {item_list.slug for item_list in all_lists() if item_list.is_in_calendars}
    defaults = set(DefaultView.objects.filter(person=person).values_list("view", flat=True))
    followed = followed_by(person)
    # An owner who left has the view, and not the title that the partnership has today.
    known = inside_among(person, [view.partnership_id for view in page.rows])
    rows = [
        (
            row,
            titles.get(row.kind, ""),
            row.pk in defaults,
            followed.get(row.pk),
            owns_view(row, person),
            row.partnership_id in known,
            row.kind in dated,
        )
        for row in page.rows
    ]
    files = [(file, titles.get(file.kind, "")) for file in files_of(person)]
    context = {"rows": rows, "page": page, "files": files, "max_followed": services.MAX_ROWS}
    return render(request, "lists/views.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def save(request: HttpRequest, kind: str) -> HttpResponse:
    """Save what the list shows under a name.

    The page's address says what that is.
    """
    person = signed_in(request)
    listing, back = listing_of(request, kind)
    form = NameForm(posted(request), cancel=back)

    def step() -> tuple[str, str]:
        made = services.save_view(
            person=person, kind=kind, name=form.cleaned_data["name"], state=listing.state, now=timezone.now()
        )
        words = '“{}” has been saved. <a class="govuk-link" href="{}">Share or follow it, or subscribe to its dates</a>'
        return format_html(words, made.name, reverse("lists:views")), made.get_absolute_url()

    chips = chips_of(listing)
    refusals: dict[type[Exception], str | None] = {services.UnableToSaveView: "name"}
    context: dict[str, Any] = {"chips": chips, "definition": listing.definition, "listing": listing}
    return take_step(request, "lists/save.html", form, step, refusals, **context)


@require_http_methods(["GET", "HEAD", "POST"])
def change(request: HttpRequest, pk: int) -> HttpResponse:
    """Rename a view or, with filters in the address, let it show these."""
    person = signed_in(request)
    view = _own(person, pk)
    definition = find_list(view.kind)
    if definition is None:
        raise Http404
    listing = read(definition, person, request.GET or parameters_of(view.state))
    form = NameForm(posted(request), initial={"name": view.name}, cancel=view.get_absolute_url())

    def step() -> tuple[str, str]:
        changed = services.change_view(
            view=view, person=person, name=form.cleaned_data["name"], state=listing.state if request.GET else None
        )
        return f"“{changed.name}” has been saved.", changed.get_absolute_url()

    chips = chips_of(listing)
    refusals: dict[type[Exception], str | None] = {services.UnableToSaveView: "name"}
    context: dict[str, Any] = {"chips": chips, "definition": definition, "listing": listing, "view": view}
    return take_step(request, "lists/save.html", form, step, refusals, **context)


@require_http_methods(["GET", "HEAD", "POST"])
def share(request: HttpRequest, pk: int) -> HttpResponse:
    """Say who else can open a view."""
    person = signed_in(request)
    view = _own(person, pk)
    form = ShareForm(posted(request), view=view, person=person)

    def step() -> tuple[str, str]:
        services.share_view(view=view, person=person, shared_with=form.chosen, now=timezone.now())
        words = (
            f"“{view.name}” has been shared with {form.chosen}."
            if form.chosen
            else f"Only you can use “{view.name}” now."
        )
        return words, reverse("lists:views")

    return take_step(request, "lists/share.html", form, step, {}, view=view)


@require_POST
def set_default(request: HttpRequest, pk: int) -> HttpResponse:
    """Open the list with this view from now on."""
    person = signed_in(request)
    view = get_object_or_404(SavedView.objects.visible_to(person), pk=pk)
    services.choose_default(kind=view.kind, view=view, person=person)
    messages.success(request, f"The list opens with “{view.name}” from now on.")
    return redirect(view.get_absolute_url())


@require_POST
def drop_default(request: HttpRequest, kind: str) -> HttpResponse:
    """Open the list with everything again."""
    definition = find_list(kind)
    if definition is None:
        raise Http404
    services.choose_default(kind=kind, view=None, person=signed_in(request))
    messages.success(request, "The list no longer opens with a saved view.")
    return redirect(reverse(definition.address))


@require_POST
def follow(request: HttpRequest, pk: int) -> HttpResponse:
    """Get an email when something enters or leaves a view."""
    person = signed_in(request)
    view = get_object_or_404(SavedView.objects.visible_to(person), pk=pk)
    back = reverse("lists:views")

    def step() -> tuple[str, str]:
        services.follow_view(view=view, person=person, now=timezone.now())
        told = _TOLD[ways_of(person)[_GROUP]]
        words = format_html(
            told + ' <a class="govuk-link" href="{}">Choose how</a>', view.name, reverse("digests:manage")
        )
        return words, back

    return press_button(request, step, services.UnableToFollow, back=back)


@require_POST
def unfollow(request: HttpRequest, pk: int) -> HttpResponse:
    """Get no more emails about a view."""
    person = signed_in(request)
    view = get_object_or_404(SavedView.objects.visible_to(person), pk=pk)
    services.unfollow_view(view=view, person=person, now=timezone.now())
    messages.success(request, f"You will no longer get emails about “{view.name}”.")
    return redirect("lists:views")


@require_http_methods(["GET", "HEAD", "POST"])
def remove(request: HttpRequest, pk: int) -> HttpResponse:
    """Remove a view, after asking."""
    person = signed_in(request)
    view = _own(person, pk)
    if request.method != "POST":
        return render(request, "lists/remove.html", {"view": view})
    services.remove_view(view=view, person=person, now=timezone.now())
    messages.success(request, f"“{view.name}” has been removed.")
    return redirect("lists:views")
