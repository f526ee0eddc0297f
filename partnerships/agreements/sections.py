"""Hook for sections on a partnership's overview; for present parties only."""

from __future__ import annotations

from partnerships.agreements.models import Partnership
from partnerships.kit.sections import Sections
from partnerships.people.models import User

ON_PARTNERSHIPS: Sections[User, Partnership] = Sections()
