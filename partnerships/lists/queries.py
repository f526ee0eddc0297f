"""The saved views that a person can open, and what a list opens with."""

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
from partnerships.organisations.statements import rows_for
from partnerships.people.models import User

#: A list's page names this many views, the person's own first; the page of views has the others.
MAX_NAMED = 20
#: A calendar has the dates of this many rows.
MAX_DATED = 1_000


def views_of(person: User, definition: ListDefinition) -> list[SavedView]:
    """Views of a list that the person can open: own ones first, then by name.

    Each says if the list opens with it.
    """
    saved_views = rows_for(_views_of, person, slug=definition.slug)
    return sorted(saved_views, key=lambda view: (view.owner_id != person.pk, view.name))


def _views_of(person: User, *, slug: str) -> QuerySet[SavedView]:
    chosen = DefaultView.objects.filter(person=person, kind=slug, view=OuterRef("pk"))
    views = SavedView.objects.visible_to(person).filter(kind=slug).annotate(is_default=Exists(chosen))
    return views.order_by("-is_default", "name", "pk")[: MAX_NAMED * 5]


def view_in(sent: QueryDict, views: Sequence[SavedView], person: User) -> SavedView | None:
    """The view that an address names, or the default where it says nothing.

    Raises `SavedView.DoesNotExist`.

    `views` are those of the list's page, which may not have all of them.
    """
    if not sent:
        return next((view for view in views if getattr(view, "is_default", False)), None)
    named = sent.get("view") or sent.get("from") or ""
    if not named:
        return None
    number = row_number(named)
    if number is None:
        raise SavedView.DoesNotExist
    known = next((view for view in views if view.pk == number), None)
    return known or SavedView.objects.visible_to(person).get(pk=number)


def followed_by(person: User) -> dict[int, Follow]:
    """What the person follows, by the number of the view."""
    return {follow.view_id: follow for follow in Follow.objects.filter(person=person)}


def files_of(person: User) -> list[ListFile]:
    """The person's files, the newest first, without what is in them."""
    return list(ListFile.objects.filter(person=person).defer("content", "rows").order_by("-asked_at", "-pk"))


def parameters_for(sent: QueryDict, view: SavedView | None) -> QueryDict:
    """The parameters of the address, or of the saved view if the address only names it."""
    if view is None or "from" in sent:
        return sent
    parameters = parameters_of(view.state)
    parameters["from"] = str(view.pk)
    return parameters


def dated_view(person: User, number: int) -> DatedView | None:
    """A view that the person can open, with the dates of what it shows them, of the first rows in its order."""
    view = SavedView.objects.visible_to(person).filter(pk=number).first()
    definition = find_list(view.kind) if view else None
    if view is None or definition is None or definition.dates is None or not definition.may_open(person):
        return None
    dates = definition.dates

    @cache
    def numbers() -> Sequence[int]:
        listing = listing_by(view, person)
        return [row.pk for row in listing.listed().order_by(*listing.sorting)[: MAX_DATED + 1]] if listing else []

    def entries() -> Sequence[CalendarEntry]:
        return dates(person, numbers()[:MAX_DATED])

    return DatedView(
        number=view.pk,
        name=view.name,
        href=view.get_absolute_url(),
        limit=MAX_DATED,
        entries=entries,
        has_more=lambda: len(numbers()) > MAX_DATED,
    )


def listing_by(view: SavedView, person: User) -> Listing | None:
    """The list as a view shows it to one person.

    None if the list no longer exists, they may not open it, or the view's filters are no longer valid.
    """
    definition = find_list(view.kind)
    if definition is None or not definition.may_open(person):
        return None
    listing = read(definition, person, parameters_of(view.state))
    return listing if listing.form.is_valid() else None
