"""The section of an organisation's page about imports of its own files."""

from __future__ import annotations

from django.utils import timezone

from partnerships.kit.sections import Section
from partnerships.organisations.models import Organisation
from partnerships.people.models import User
from partnerships.transfer.models import OWN_REGISTERS
from partnerships.transfer.rights import may_upload


def imports_section(user: User, organisation: Organisation) -> Section | None:
    """Return the section for a person who may upload the organisation's own files, or None for anybody else."""
    if not may_upload(user, timezone.now(), register=OWN_REGISTERS[0], organisation=organisation):
        return None
    return Section("transfer/_section.html", {"organisation": organisation})
