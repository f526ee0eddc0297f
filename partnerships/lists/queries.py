"""Find the saved views that a person can open or follows, the person's files, and the dates of a view."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

from django.db.models import Exists, OuterRef, QuerySet
from django.http import QueryDict

from partnerships.calendars.registry import DatedView
from partnerships.kit.calendars import CalendarEntry
from partnerships.kit.http import row_number
from partnerships.kit.lists import ListDefinition, find_list
from partnerships.lists.models import DefaultView, Follow, ListFile, SavedView
from partnerships.lists.reading import Listing, parameters_of, read
from partnerships.organisations.statements import lookup, read_ahead, rows_for
from partnerships.people.models import User

#: The page of a list links to at most this many views, the person's own first. The page of views has all views.
MAX_NAMED = 20
#: A calendar has the dates of this many rows.
MAX_DATED = 1_000


def views_of(person: User, definition: ListDefinition) -> list[SavedView]:
    """Return the views of a list that the person can open, their own first, then by name.

    `is_default` on each view says whether the list opens with that view.
    """
    read_ahead([lookup(_views_of, person, slug=definition.slug)])  # together with what the page's header shows
    saved_views = rows_for(_views_of, person, slug=definition.slug)
    return sorted(saved_views, key=lambda view: (view.owner_id != person.pk, view.name))


def _views_of(person: User, *, slug: str) -> QuerySet[SavedView]:
    """Return the views of a list that the person can open, by name.

    The default view comes first, so that the limit never cuts it off.
    """
    default_views = DefaultView.objects.filter(person=person, kind=slug, view=OuterRef("pk"))
    views = SavedView.objects.visible_to(person).filter(kind=slug).annotate(is_default=Exists(default_views))
    return views.order_by("-is_default", "name", "pk")[: MAX_NAMED * 5]


def view_in(address_parameters: QueryDict, views: Sequence[SavedView], person: User) -> SavedView | None:
    """Return the view that the address names, or the default view if the address has no parameters.

    Returns None if the address only has other parameters. Raises `SavedView.DoesNotExist` if the person cannot open the
    view. A view among `views` needs no query.
    """
    if not address_parameters:
        return next((view for view in views if getattr(view, "is_default", False)), None)
    id_in_address = address_parameters.get("view") or address_parameters.get("from") or ""
    if not id_in_address:
        return None
    view_id = row_number(id_in_address)
    if view_id is None:
        raise SavedView.DoesNotExist
    view_of_page = next((view for view in views if view.pk == view_id), None)
    return view_of_page or SavedView.objects.visible_to(person).get(pk=view_id)


def followed_by(person: User) -> dict[int, Follow]:
    """Return the person's follows by the id of the view."""
    return {follow.view_id: follow for follow in Follow.objects.filter(person=person)}


def files_of(person: User) -> list[ListFile]:
    """Return the person's files without their content, the newest first."""
    return list(ListFile.objects.filter(person=person).defer("content", "rows").order_by("-asked_at", "-pk"))


def parameters_for(address_parameters: QueryDict, view: SavedView | None) -> QueryDict:
    """Return the parameters of the address, or those of the saved view if the address only names the view."""
    if view is None or "from" in address_parameters:
        return address_parameters
    parameters = parameters_of(view.state)
    parameters["from"] = str(view.pk)
    return parameters


def dated_view(person: User, view_id: int) -> DatedView | None:
    """Return a view with the dates of its first rows, or None.

    Returns None if the person cannot open the view, or if its list has no dates.
    """
    view = SavedView.objects.visible_to(person).filter(pk=view_id).first()
    definition = find_list(view.kind) if view else None
    if view is None or definition is None or definition.dates is None or not definition.may_open(person):
        return None
    dates = definition.dates

    @cache
    def row_ids() -> Sequence[int]:
        listing = listing_by(view, person)
        if listing is None:
            return []
        # Read one row more than the limit, so that `has_more` needs no further query.
        return [row.pk for row in listing.rows_to_show().order_by(*listing.sorting)[: MAX_DATED + 1]]

    def entries() -> Sequence[CalendarEntry]:
        return dates(person, row_ids()[:MAX_DATED])

    return DatedView(
        number=view.pk,
        name=view.name,
        href=view.get_absolute_url(),
        limit=MAX_DATED,
        entries=entries,
        has_more=lambda: len(row_ids()) > MAX_DATED,
    )


def listing_by(view: SavedView, person: User) -> Listing | None:
    """Return the list as a view shows it to one person.

    Returns None if the list no longer exists, the person may not open it, or the filters of the view are no longer
    valid.
    """
    definition = find_list(view.kind)
    if definition is None or not definition.may_open(person):
        return None
    listing = read(definition, person, parameters_of(view.state))
    return listing if listing.form.is_valid() else None
