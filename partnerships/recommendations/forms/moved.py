"""The form of the page of recent changes, to choose the first day."""

from __future__ import annotations

import datetime as dt
from typing import Any

from partnerships.kit.forms import DayField, Form, Helper

#: The period that the page covers until the reader chooses another day.
LOOK_BACK = dt.timedelta(days=91)


class ChangesSinceForm(Form):
    """The form to choose a day. Without a choice, it is the day three months ago."""

    day = DayField(label="Since", required=False)

    def __init__(self, *args: Any, today: dt.date, **kwargs: Any) -> None:
        kwargs.setdefault("initial", {"day": today - LOOK_BACK})
        super().__init__(*args, **kwargs)
        self.today = today
        self.helper = Helper(self, submit="Show what changed", method="get")

    @property
    def since(self) -> dt.date:
        """Return the entered day or, if it is missing or invalid, the day three months ago."""
        entered_day: dt.date | None = self.cleaned_data.get("day") if self.is_valid() else None
        return entered_day or self.today - LOOK_BACK
