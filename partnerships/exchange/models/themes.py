"""Themes of asks, offers and conversations, as administrators define them."""

from __future__ import annotations

from typing import Any

import pghistory
from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Max, Q

from partnerships.commitments.models import Unit
from partnerships.kit.vocabularies import CODE, CODE_HELP, Vocabulary

#: A matching key (`reach.py`) is the theme's number times ten million plus an area, and must fit in four bytes.
MAX_NUMBER = 213


@pghistory.track()
class Theme(Vocabulary):
    """The subject of an ask or offer (docs/glossary.md)."""

    # As long as the columns of other tables that store theme codes.
    code = models.CharField(max_length=20, unique=True, validators=[CODE], help_text=CODE_HELP)
    number = models.PositiveSmallIntegerField(
        unique=True, editable=False, help_text="The number of the theme in stored matching keys. It never changes."
    )
    units = ArrayField(
        models.CharField(max_length=10),
        default=list,
        blank=True,
        help_text="Codes of the units that asks and offers of this theme are counted in, separated by commas: for "
        "example, hectares, homes. Leave empty to allow every unit.",
    )

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(number__range=(1, MAX_NUMBER)), name="theme_number_in_range")]

    def clean(self) -> None:
        """Refuse codes of units that do not exist."""
        unknown_codes = [code for code in self.units or () if code not in Unit.by_code()]
        if unknown_codes:
            codes = ", ".join(Unit.by_code())
            raise ValidationError(
                {"units": f"There is no unit “{unknown_codes[0]}”. Choose from these codes: {codes}."}
            )

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Save the theme. A new theme gets the next number."""
        if self._state.adding and not self.number:
            self.number = (Theme.objects.aggregate(last=Max("number"))["last"] or 0) + 1
        super().save(*args, **kwargs)


def theme_number(code: str) -> int:
    """Return the theme's number, which is part of stored matching keys."""
    return Theme.by_code()[code].number


def theme_fault(code: str, *, keep: str = "") -> str:
    """Return why a theme cannot be chosen; "" if it can. `keep` is the present theme, which may be retired."""
    theme = Theme.by_code().get(code)
    if theme is None:
        return f"There is no theme with the code “{code}”. Choose a theme from the list."
    if theme.active or code == keep:
        return ""
    return f"The theme “{theme.label}” is no longer offered. Choose another theme."
