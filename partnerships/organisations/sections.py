"""Hook for sections that upper rooms add to an organisation's page."""

from __future__ import annotations

from partnerships.kit.sections import Sections
from partnerships.organisations.models import Organisation
from partnerships.people.models import User

ON_ORGANISATIONS: Sections[User, Organisation] = Sections()
