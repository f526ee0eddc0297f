"""What rooms above add to a partnership's overview; only its present parties are shown them."""

from __future__ import annotations

from partnerships.agreements.models import Partnership
from partnerships.kit.sections import Sections
from partnerships.people.models import User

ON_PARTNERSHIPS: Sections[User, Partnership] = Sections()
