"""Since when: the form of the page of what moved."""

from __future__ import annotations

import datetime as dt
from typing import Any

from partnerships.kit.forms import DayField, Form, Helper

#: How far back the page looks at first.
LOOK_BACK = dt.timedelta(days=91)


class MovedForm(Form):
    """A day, three months ago unless another is given."""

    day = DayField(label="Since", required=False)

    def __init__(self, *args: Any, today: dt.date, **kwargs: Any) -> None:
        kwargs.setdefault("initial", {"day": today - LOOK_BACK})
        super().__init__(*args, **kwargs)
        self.today = today
        self.helper = Helper(self, submit="Show what changed", method="get")

    @property
    def since(self) -> dt.date:
        """The day given, if it can be used."""
        entered_day: dt.date | None = self.cleaned_data.get("day") if self.is_valid() else None
        return entered_day or self.today - LOOK_BACK
