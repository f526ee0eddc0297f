"""Save, change, share and remove views of lists."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from django.db import IntegrityError, transaction

from partnerships.agreements.models import Partnership
from partnerships.agreements.rights import may_edit_for
from partnerships.calendars.services import end_addresses_of_view
from partnerships.kit.lists import find_list
from partnerships.kit.rights import require
from partnerships.lists.models import DefaultView, Follow, SavedView
from partnerships.lists.reading import parameters_of, read
from partnerships.lists.rights import may_change_view, owns_view
from partnerships.lists.services.journal_lines import note_sharing
from partnerships.organisations.models import Organisation
from partnerships.organisations.rights import has_open_account
from partnerships.people.models import User

#: A person may save this many views, of all lists together.
MAX_VIEWS = 50


class UnableToSaveView(Exception):
    """Raised if the name is taken or empty, the filters are invalid, or the person has too many views."""


@transaction.atomic
def save_view(*, person: User, kind: str, name: str, state: Mapping[str, Any], now: dt.datetime) -> SavedView:
    """Save filters, columns and order of a list under a name. Raises `UnableToSaveView`."""
    # Lock the person, so that two requests at once cannot exceed the limit.
    User.objects.select_for_update().get(pk=person.pk)
    require(has_open_account(person))
    if person.saved_views.count() >= MAX_VIEWS:
        raise UnableToSaveView(f"You already have {MAX_VIEWS} saved views. Remove one first.")

    valid_name = _valid_name(name)
    valid_state = _valid_state(kind, state, person)
    return _save(SavedView(owner=person, kind=kind, name=valid_name, state=valid_state, created_at=now))


@transaction.atomic
def change_view(*, view: SavedView, person: User, name: str, state: Mapping[str, Any] | None = None) -> SavedView:
    """Change a view's name and, if `state` is given, its filters and columns. Raises `UnableToSaveView`."""
    view = SavedView.objects.select_for_update().get(pk=view.pk)
    require(owns_view(view, person))
    if not may_change_view(view, person):
        raise UnableToSaveView(
            "You are no longer an editor for the organisation or partnership that shares this view. Stop sharing the "
            "view first, or save another view."
        )
    view.name = _valid_name(name)
    if state is not None:
        view.state = _valid_state(view.kind, state, person)
        # Without these ids, the next sweep only reads the view. Otherwise, it would report rows that did not change.
        Follow.objects.filter(view=view).update(members=None, checked_at=None)
    return _save(view)


@transaction.atomic
def share_view(
    *, view: SavedView, person: User, shared_with: Organisation | Partnership | None, now: dt.datetime
) -> SavedView:
    """Share a view with the people of an organisation or partnership. None stops the sharing."""
    view = SavedView.objects.select_for_update().get(pk=view.pk)
    require(owns_view(view, person))
    if shared_with is None:
        stop_sharing(view, author=person, now=now)
        note_sharing(view, now=now)
        return view

    require(may_edit_for(person, shared_with))
    view.share_with(shared_with)
    note_sharing(view, now=now)
    return view


def stop_sharing(view: SavedView, *, author: User | None, now: dt.datetime) -> None:
    """Stop sharing a view. Everybody except its owner loses their default view, follow and calendar addresses of it."""
    view.share_with(None)
    DefaultView.objects.filter(view=view).exclude(person=view.owner_id).delete()
    Follow.objects.filter(view=view).exclude(person=view.owner_id).delete()
    end_addresses_of_view(view_number=view.pk, author=author, now=now, exempt_person_id=view.owner_id)


@transaction.atomic
def choose_default(*, kind: str, view: SavedView | None, person: User) -> None:
    """Open a list with this view from now on, or without a view if `view` is None."""
    User.objects.select_for_update().get(pk=person.pk)
    require(view is None or SavedView.objects.visible_to(person).filter(pk=view.pk, kind=kind).exists())
    if view is None:
        DefaultView.objects.filter(person=person, kind=kind).delete()
    else:
        DefaultView.objects.update_or_create(person=person, kind=kind, defaults={"view": view})


@transaction.atomic
def remove_view(*, view: SavedView, person: User, now: dt.datetime) -> None:
    """Delete a view for everybody who uses it."""
    view = SavedView.objects.select_for_update().get(pk=view.pk)
    require(owns_view(view, person))
    note_sharing(view, now=now, is_removed=True)
    end_addresses_of_view(view_number=view.pk, author=person, now=now)
    view.delete()


def _valid_name(name: str) -> str:
    """Return the name without spaces around it, at most 100 characters. Raises `UnableToSaveView` if it is empty."""
    if not name.strip():
        raise UnableToSaveView("Enter a name for the view.")
    return name.strip()[:100]


def _valid_state(kind: str, state: Mapping[str, Any], person: User) -> dict[str, Any]:
    """Return the filters and columns that the list still has, and leave out the others.

    Raises `UnableToSaveView` if a filter has an invalid value.
    """
    definition = find_list(kind)
    if definition is None:
        raise UnableToSaveView("This list no longer exists. Open another list and save a view there.")
    listing = read(definition, person, parameters_of(state))
    if not listing.form.is_valid():
        raise UnableToSaveView("Correct the filters first.")
    return listing.state


def _save(view: SavedView) -> SavedView:
    """Save the view and return it.

    Raises `UnableToSaveView` if its owner has another view of the list with this name.
    """
    try:
        # Save within a savepoint, so that a name that is taken does not break the whole transaction.
        with transaction.atomic():
            view.save()
    except IntegrityError as error:
        raise UnableToSaveView("You already have a view of this list with this name. Enter another name.") from error
    return view
