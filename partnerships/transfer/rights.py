"""Who may upload lists and import them."""

from __future__ import annotations

import datetime as dt

from partnerships.organisations.models import Organisation
from partnerships.organisations.rights import roles_of
from partnerships.people.models import User
from partnerships.transfer.models import OWN_REGISTERS


def may_upload(
    author: User | None, now: dt.datetime, *, register: str, organisation: Organisation | None = None
) -> bool:
    """Whether they may upload a list, see its preview and discard it.

    People who keep the directory may. Editors and leads of a planning authority that still exists may upload its own
    files.
    """
    if organisation is None:
        return roles_of(author, now).keeps_directory
    return _is_own(register, organisation) and roles_of(author, now).edit_for(organisation.pk)


def may_apply(author: User | None, now: dt.datetime, *, register: str, organisation: Organisation | None) -> bool:
    """Whether they may import a preview: those who keep the directory.

    The leads, who publish plans, may import their own files.
    """
    if organisation is None:
        return roles_of(author, now).keeps_directory
    return _is_own(register, organisation) and roles_of(author, now).lead(organisation.pk)


def _is_own(register: str, organisation: Organisation) -> bool:
    return register in OWN_REGISTERS and organisation.is_planning_authority
