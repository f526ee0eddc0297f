"""The saved views that a person can open, and what a list opens with."""

from __future__ import annotations

from django.http import QueryDict

from partnerships.kit.lists import ListDefinition, find_list
from partnerships.lists.models import DefaultView, Follow, SavedView
from partnerships.lists.reading import Asked, parameters_of, read
from partnerships.people.models import User

#: A list's page names this many views, the person's own first; the page of views has the others.
MAX_NAMED = 20


def views_of(person: User, definition: ListDefinition) -> list[SavedView]:
    """Views of a list that the person can open: own ones first, then by name."""
    views = SavedView.objects.visible_to(person).filter(kind=definition.slug)
    found = views.select_related("organisation", "partnership", "owner").order_by("name", "pk")[: MAX_NAMED * 5]
    return sorted(found, key=lambda one: one.owner_id != person.pk)[:MAX_NAMED]


def default_of(person: User, definition: ListDefinition) -> int | None:
    """The number of the view that the list opens with."""
    chosen = DefaultView.objects.filter(person=person, kind=definition.slug)
    return chosen.values_list("view", flat=True).first()


def followed_by(person: User) -> set[int]:
    """The numbers of the views that the person follows."""
    return set(Follow.objects.filter(person=person).values_list("view", flat=True))


def parameters_for(sent: QueryDict, view: SavedView | None) -> QueryDict:
    """What is asked: the address, or the view as it was saved where the address only names it."""
    if view is None or "from" in sent:
        return sent
    parameters = parameters_of(view.state)
    parameters["from"] = str(view.pk)
    return parameters


def asked_by(view: SavedView, person: User) -> Asked | None:
    """What a view asks of its list for one reader; None if the list is gone, or its filters are not valid any more."""
    definition = find_list(view.kind)
    if definition is None:
        return None
    asked = read(definition, person, parameters_of(view.state))
    return asked if asked.form.is_valid() else None
