"""Pages to list, save, share, follow and remove saved views."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from partnerships.agreements.queries import ids_readable_in_full
from partnerships.digests.models import NoticeDelivery
from partnerships.digests.queries.ways import ways_of
from partnerships.kit.http import form_page, keyset_page, post_data, show_refusal
from partnerships.kit.lists import all_lists, find_list
from partnerships.lists import services
from partnerships.lists.forms import NameForm, ShareForm
from partnerships.lists.models import DefaultView, Follow, SavedView
from partnerships.lists.presenting import chips_of
from partnerships.lists.queries import files_of, followed_by
from partnerships.lists.reading import parameters_of, read
from partnerships.lists.rights import owns_view
from partnerships.lists.views.asking import listing_of
from partnerships.people.models import User
from partnerships.people.requests import signed_in

#: The group of notices about followed views.
_NOTICE_GROUP = "views"
#: The message to a person who starts to follow a view, by the way in which the person gets notices of this group.
_FOLLOWING_MESSAGES = {
    NoticeDelivery.AT_ONCE: "You will get an email when rows enter or leave “{}”.",
    NoticeDelivery.SUMMARY: "Your summary by email will say which rows enter or leave “{}”.",
    NoticeDelivery.INBOX: "Your inbox will say which rows enter or leave “{}”.",
    NoticeDelivery.OFF: "You follow “{}”, but you have turned off notifications about views.",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedViewRow:
    """A row on the page of views, with what the page says about a saved view."""

    view: SavedView
    #: The title of the view's list, or "" if the list no longer exists.
    list_title: str
    is_default: bool
    #: The reader's follow of the view, or None.
    follow: Follow | None
    is_own: bool
    #: Whether the reader may see the title of the partnership that shares the view.
    may_see_partnership: bool
    #: Whether calendars can show the dates of the view's rows.
    has_dates: bool


def _own_view(person: User, pk: int) -> SavedView:
    """Return one of the person's own views.

    Raises Http404 if the person cannot open the view, and PermissionDenied if another person saved it.
    """
    view = get_object_or_404(SavedView.objects.visible_to(person), pk=pk)
    if not owns_view(view, person):
        raise PermissionDenied
    return view


@require_safe
def saved_views(request: HttpRequest) -> HttpResponse:
    """Show the views that the person can open, of all lists, and their files."""
    person = signed_in(request)
    views = SavedView.objects.visible_to(person).select_related("organisation", "partnership", "owner")
    page = keyset_page(request, views, order=("name", "pk"), size=50)
    title_by_slug = {definition.slug: definition.title for definition in all_lists()}
    context = {
        "rows": _view_rows(person, page.rows),
        "page": page,
        "files": [(file, title_by_slug.get(file.kind, "")) for file in files_of(person)],
        "max_followed": services.MAX_ROWS,
    }
    return render(request, "lists/views.html", context)


def _view_rows(person: User, views: Sequence[SavedView]) -> list[SavedViewRow]:
    """Return the rows for these views, with one query for each kind of fact."""
    definition_by_slug = {definition.slug: definition for definition in all_lists()}
    default_view_ids = set(DefaultView.objects.filter(person=person).values_list("view", flat=True))
    follow_by_view_id = followed_by(person)
    # Owners keep a view when they leave its partnership, but must not see the partnership's present title.
    own_partnership_ids = ids_readable_in_full(person, [view.partnership_id for view in views])

    rows = []
    for view in views:
        definition = definition_by_slug.get(view.kind)
        rows.append(
            SavedViewRow(
                view=view,
                list_title=definition.title if definition else "",
                is_default=view.pk in default_view_ids,
                follow=follow_by_view_id.get(view.pk),
                is_own=owns_view(view, person),
                may_see_partnership=view.partnership_id in own_partnership_ids,
                has_dates=definition is not None and definition.is_in_calendars,
            )
        )
    return rows


@require_http_methods(["GET", "HEAD", "POST"])
def save_as_view(request: HttpRequest, kind: str) -> HttpResponse:
    """Save the filters, columns and order in the address under a name."""
    person = signed_in(request)
    listing, back = listing_of(request, kind)
    form = NameForm(post_data(request), cancel=back)

    if request.method == "POST" and form.is_valid():
        with show_refusal(form, services.UnableToSaveView, field="name"):
            new_view = services.save_view(
                person=person, kind=kind, name=form.cleaned_data["name"], state=listing.state, now=timezone.now()
            )
            link = format_html(
                '<a class="govuk-link" href="{}">Share the view, follow it or subscribe to its dates</a>',
                reverse("lists:views"),
            )
            messages.success(request, format_html("“{}” has been saved. {}", new_view.name, link))
            return redirect(new_view)

    chips = chips_of(listing)
    return form_page(request, "lists/save.html", form, chips=chips, definition=listing.definition, listing=listing)


@require_http_methods(["GET", "HEAD", "POST"])
def edit_view(request: HttpRequest, pk: int) -> HttpResponse:
    """Rename a view. If the address has filters, save them in the view too."""
    person = signed_in(request)
    view = _own_view(person, pk)
    definition = find_list(view.kind)
    if definition is None:
        raise Http404
    listing = read(definition, person, request.GET or parameters_of(view.state))
    form = NameForm(post_data(request), initial={"name": view.name}, cancel=view.get_absolute_url())

    if request.method == "POST" and form.is_valid():
        new_state = listing.state if request.GET else None
        with show_refusal(form, services.UnableToSaveView, field="name"):
            changed_view = services.change_view(
                view=view, person=person, name=form.cleaned_data["name"], state=new_state
            )
            messages.success(request, f"“{changed_view.name}” has been saved.")
            return redirect(changed_view)

    chips = chips_of(listing)
    return form_page(request, "lists/save.html", form, chips=chips, definition=definition, listing=listing, view=view)


@require_http_methods(["GET", "HEAD", "POST"])
def share_own_view(request: HttpRequest, pk: int) -> HttpResponse:
    """Choose who else can open one of the person's own views."""
    person = signed_in(request)
    view = _own_view(person, pk)
    form = ShareForm(post_data(request), view=view, person=person)

    if request.method == "POST" and form.is_valid():
        services.share_view(view=view, person=person, shared_with=form.chosen_audience, now=timezone.now())
        if form.chosen_audience:
            message = f"“{view.name}” has been shared with {form.chosen_audience}."
        else:
            message = f"Only you can use “{view.name}” now."
        messages.success(request, message)
        return redirect("lists:views")

    return form_page(request, "lists/share.html", form, view=view)


@require_POST
def set_default_view(request: HttpRequest, pk: int) -> HttpResponse:
    """Open the list with this view from now on."""
    person = signed_in(request)
    view = get_object_or_404(SavedView.objects.visible_to(person), pk=pk)
    services.choose_default(kind=view.kind, view=view, person=person)
    messages.success(request, f"The list opens with “{view.name}” from now on.")
    return redirect(view)


@require_POST
def drop_default_view(request: HttpRequest, kind: str) -> HttpResponse:
    """Open the list without a view again."""
    definition = find_list(kind)
    if definition is None:
        raise Http404
    services.choose_default(kind=kind, view=None, person=signed_in(request))
    messages.success(request, "The list no longer opens with a saved view.")
    return redirect(definition.address)


@require_POST
def follow_saved_view(request: HttpRequest, pk: int) -> HttpResponse:
    """Follow a view, to get a notice when a row enters or leaves the view."""
    person = signed_in(request)
    view = get_object_or_404(SavedView.objects.visible_to(person), pk=pk)

    try:
        services.follow_view(view=view, person=person, now=timezone.now())
    except services.UnableToFollow as error:
        messages.error(request, str(error))
    else:
        message = _FOLLOWING_MESSAGES[ways_of(person)[_NOTICE_GROUP]].format(view.name)
        link = format_html('<a class="govuk-link" href="{}">Choose how</a>', reverse("digests:manage"))
        messages.success(request, format_html("{} {}", message, link))
    return redirect("lists:views")


@require_POST
def unfollow_saved_view(request: HttpRequest, pk: int) -> HttpResponse:
    """Stop following a view."""
    person = signed_in(request)
    view = get_object_or_404(SavedView.objects.visible_to(person), pk=pk)
    services.unfollow_view(view=view, person=person, now=timezone.now())
    messages.success(request, f"You will no longer get emails about “{view.name}”.")
    return redirect("lists:views")


@require_http_methods(["GET", "HEAD", "POST"])
def remove_own_view(request: HttpRequest, pk: int) -> HttpResponse:
    """Ask for confirmation on GET, and remove a view on POST."""
    person = signed_in(request)
    view = _own_view(person, pk)
    if request.method != "POST":
        return render(request, "lists/remove.html", {"view": view})
    services.remove_view(view=view, person=person, now=timezone.now())
    messages.success(request, f"“{view.name}” has been removed.")
    return redirect("lists:views")
