"""Rules about who may upload lists and import them."""

from __future__ import annotations

import datetime as dt

from partnerships.organisations.models import Organisation
from partnerships.organisations.rights import roles_of
from partnerships.people.models import User
from partnerships.transfer.models import OWN_REGISTERS


def may_upload(
    author: User | None, now: dt.datetime, *, register: str, organisation: Organisation | None = None
) -> bool:
    """Return whether the person may upload a list, see its preview and discard it.

    Without `organisation`, the list is for the directory, and administrators of the directory may. With `organisation`,
    the files are a planning authority's own, and its editors and leads may.
    """
    if organisation is None:
        return roles_of(author, now).may_change_directory
    return _is_own(register, organisation) and roles_of(author, now).may_edit_for(organisation.pk)


def may_apply(author: User | None, now: dt.datetime, *, register: str, organisation: Organisation | None) -> bool:
    """Return whether the person may import a previewed list.

    Without `organisation`, the list is for the directory, and administrators of the directory may. With `organisation`,
    the files are a planning authority's own, and only its leads may, because they publish its plans.
    """
    if organisation is None:
        return roles_of(author, now).may_change_directory
    return _is_own(register, organisation) and roles_of(author, now).leads(organisation.pk)


def _is_own(register: str, organisation: Organisation) -> bool:
    """Return whether the organisation is a planning authority, and the list one that authorities import themselves."""
    return register in OWN_REGISTERS and organisation.is_planning_authority
