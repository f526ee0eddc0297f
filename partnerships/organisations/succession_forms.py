"""Forms on which administrators record and correct successions."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.template.defaultfilters import pluralize

from partnerships.kit.choice_fields import choice_field
from partnerships.kit.dates import PartialDate
from partnerships.kit.forms import DayField, Form, Helper, PartialDateField, Section
from partnerships.organisations.models import (
    FINAL_STATUSES,
    Function,
    Identifier,
    Organisation,
    Scheme,
    Succession,
    SuccessionKind,
    SuccessionStatus,
    TieRole,
)
from partnerships.organisations.queries import match_by_name
from partnerships.organisations.services import NewTie, ties_between

#: The statuses, with labels, of a succession that has not taken effect.
_PENDING = [(status.value, status.label) for status in SuccessionStatus if status not in FINAL_STATUSES]
_HOW_TO_NAME = (
    "Enter one organisation on each line: the name, or a number, for example the GSS code or registration number."
)
_DATE_FIELDS = ("shadow_on", "vests_on", "codes_on")


def _reason() -> forms.CharField:
    return forms.CharField(
        label="Reason",
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="Name the order or decision. Everyone can read this in the history of the organisations.",
    )


class OrganisationNamesField(forms.CharField):
    """A field for organisations, one on each line, by name or identifier."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(
            **{"max_length": 5_000, "widget": forms.Textarea(attrs={"rows": 4}), "help_text": _HOW_TO_NAME, **kwargs}
        )

    def clean(self, value: Any) -> Any:
        """Return the organisations. The error quotes each line that names no organisation, or several."""
        lines = [" ".join(line.split()) for line in super().clean(value).splitlines()]
        organisations, errors = [], []
        for line in filter(None, lines):
            try:
                organisations.append(find_organisation(line))
            except ValidationError as error:
                errors += error.messages
        if errors:
            raise ValidationError(errors)
        return list(dict.fromkeys(organisations))


class OrganisationNameField(forms.CharField):
    """A field for one organisation, by name or identifier; None if the field is empty."""

    def clean(self, value: Any) -> Any:
        """Return the organisation with this name or number; None if the text is empty."""
        name_or_number = " ".join(super().clean(value).split())
        return find_organisation(name_or_number) if name_or_number else None


def find_organisation(name_or_number: str) -> Organisation:
    """Return the organisation with this identifier or name; an ended organisation only if no present one matches.

    Raises `ValidationError` if no organisation or several organisations match.
    """
    identifiers = Identifier.objects.filter(value__iexact=name_or_number).exclude(scheme="network")
    organisations = list(Organisation.objects.filter(pk__in=identifiers.values("organisation")))
    organisations = organisations or list(match_by_name(name_or_number))
    current = [body for body in organisations if not body.is_ended] or organisations
    if not current:
        raise ValidationError(
            f"“{name_or_number}” is not in the directory. Check the spelling, or add the organisation first.",
            code="unknown",
        )
    if len(current) > 1:
        raise ValidationError(
            f"Several organisations are named “{name_or_number}”. Enter the GSS code or registration number instead.",
            code="several",
        )
    return current[0]


class SuccessionFieldsForm(Form):
    """A form with the fields of a succession, without its ties."""

    kind = forms.ChoiceField(label="What happens?", choices=SuccessionKind.choices)
    place = forms.CharField(label="Place", required=False, max_length=120, help_text="For example, Surrey.")
    proposal = forms.CharField(
        label="Proposal",
        required=False,
        max_length=120,
        help_text="Fill this in only if there are rival proposals for the place, for example “Two unitary councils”.",
    )
    shadow_on = PartialDateField(
        label="Election or start of the shadow authority",
        required=False,
        help_text="You can leave the day and month empty.",
    )
    vests_on = PartialDateField(
        label="Vesting day",
        required=False,
        help_text="Enter the first day of the successors. You can leave the day and month empty until you know them.",
    )
    codes_on = PartialDateField(
        label="New codes from", required=False, help_text="You can leave the day and month empty."
    )
    new_name = forms.CharField(label="New name", required=False, max_length=300, help_text="For a rename.")
    new_code = forms.CharField(
        label="New code",
        required=False,
        max_length=80,
        help_text="For new codes. The old code ends on the day of the new codes, but people can still find the "
        "organisation by it.",
    )
    new_code_scheme = forms.ChoiceField(
        label="Kind of code",
        choices=[choice for choice in Scheme.choices if choice[0] != Scheme.NETWORK],
        initial=Scheme.GSS,
        required=False,
    )
    instrument = forms.CharField(
        label="Order or other instrument",
        required=False,
        max_length=300,
        help_text="Enter the title and number of the order.",
    )
    instrument_url = forms.URLField(
        label="Web address of the instrument", required=False, max_length=500, assume_scheme="https"
    )
    source = forms.CharField(
        label="Source", required=False, max_length=300, help_text="Enter who announced this, and when."
    )
    source_url = forms.URLField(
        label="Web address of the source", required=False, max_length=500, assume_scheme="https"
    )

    def clean(self) -> dict[str, Any]:
        """Return the cleaned data, with the dates as partial dates."""
        data = super().clean() or {}
        data["new_code_scheme"] = data.get("new_code_scheme") or Scheme.GSS
        return data | {name: PartialDate.parse(data[name]) if data.get(name) else None for name in _DATE_FIELDS}


_WHAT = Section("What happens", "kind", "place", "proposal", "new_name")
_WHEN = Section("When", "shadow_on", "vests_on", "codes_on", "new_code", "new_code_scheme")
_SOURCES = Section("Sources", "instrument", "instrument_url", "source", "source_url")


class SuccessionForm(SuccessionFieldsForm):
    """A form to record a new succession, with a tie from each predecessor to each successor."""

    status = forms.ChoiceField(label="What is the status?", choices=_PENDING)
    predecessors = OrganisationNamesField(label="Predecessors")
    successors = OrganisationNamesField(
        label="Successors",
        required=False,
        help_text=f"{_HOW_TO_NAME} If an organisation continues, for example under a new name, enter it as a "
        "predecessor and as a successor. Leave this empty if nobody follows.",
    )
    functions = forms.MultipleChoiceField(
        label="Functions",
        required=False,
        choices=Function.choices,
        widget=forms.CheckboxSelectMultiple,
        help_text="Leave all of these unticked if every function passes to the successor. You can say later "
        "who takes over individual functions or parts of the area.",
    )

    def __init__(self, *args: Any, cancel: str, like: Succession | None = None, **kwargs: Any) -> None:
        """Fill the form with the kind, dates and sources of `like`, if it is another succession of the same order."""
        initial = _initial(like) | {"status": like.status} if like is not None else {}
        super().__init__(*args, **{"initial": initial, **kwargs})
        sides_section = Section("Predecessors and successors", "predecessors", "successors", "functions")
        event_section = Section("What happens", "kind", "status", "place", "proposal", "new_name")
        self.helper = Helper(
            self, event_section, sides_section, _WHEN, _SOURCES, submit="Record succession", cancel=cancel
        )

    @property
    def ties(self) -> list[NewTie]:
        """Return the ties of a valid form."""
        data = self.cleaned_data
        successors, functions = data["successors"] or [None], data["functions"] or [None]
        return ties_between(data["predecessors"], successors, functions=functions)

    @property
    def fields_of_succession(self) -> dict[str, Any]:
        """Return the cleaned data of the succession, without the fields for its ties."""
        return {name: self.cleaned_data[name] for name in SuccessionFieldsForm.base_fields} | {
            "status": self.cleaned_data["status"]
        }


def _initial(succession: Succession) -> dict[str, Any]:
    """Return the initial values of the form's fields for a succession."""
    initial = {name: getattr(succession, name) for name in SuccessionFieldsForm.base_fields}
    return initial | {name: str(initial[name]) if initial[name] else "" for name in _DATE_FIELDS}


class CorrectSuccessionForm(SuccessionFieldsForm):
    """A form to correct a succession, with a reason."""

    reason = _reason()

    def __init__(self, *args: Any, succession: Succession, cancel: str, **kwargs: Any) -> None:
        super().__init__(*args, **{"initial": _initial(succession), **kwargs})
        self.helper = Helper(self, _WHAT, _WHEN, _SOURCES, "reason", submit="Save correction", cancel=cancel)


class _OrderForm(Form):
    """A form about a succession and, if ticked, about the other successions of its order.

    `others` is the number of these other successions.
    """

    together = forms.BooleanField(required=False, initial=True)

    def __init__(self, *args: Any, others: int, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["together"].label = f"Also the {others} other succession{pluralize(others)} of the same order"
        if not others:
            del self.fields["together"]

    @property
    def is_together(self) -> bool:
        """Return True if the form is also about the other successions."""
        return bool(self.cleaned_data.get("together"))


class SuccessionStatusForm(_OrderForm):
    """A form to change the status of a succession, with a reason."""

    status = forms.ChoiceField(label="New status", widget=forms.RadioSelect)
    reason = _reason()
    field_order = ("status", "together", "reason")

    def __init__(self, *args: Any, succession: Succession, cancel: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = choice_field(self, "status")
        excluded_statuses = {succession.status, SuccessionStatus.EFFECTIVE}
        field.choices = [choice for choice in SuccessionStatus.choices if choice[0] not in excluded_statuses]
        self.helper = Helper(self, submit="Change status", cancel=cancel)


class TieForm(Form):
    """A form to add one tie, with a reason."""

    predecessor = OrganisationNameField(label="Predecessor", max_length=300, help_text="Enter the name or number.")
    successor = OrganisationNameField(
        label="Successor",
        required=False,
        max_length=300,
        help_text="Enter the name or number. Leave this empty if no organisation takes over.",
    )
    role = forms.ChoiceField(label="Role of the successor", choices=TieRole.choices, initial=TieRole.SUCCESSOR)
    function = forms.ChoiceField(
        label="Function",
        required=False,
        choices=lambda: [("", "Every function that is not recorded separately"), *Function.choices()],
    )
    share = forms.DecimalField(
        label="Share of the area, in per cent",
        required=False,
        min_value=Decimal("0.000001"),
        max_value=100,
        decimal_places=6,
        widget=forms.NumberInput(attrs={"class": "govuk-input--width-5", "step": "any"}),
    )
    geography = forms.CharField(
        label="Areas in which the share was measured", required=False, max_length=80, help_text="For example, LAD 2025."
    )
    reason = _reason()

    def __init__(self, *args: Any, cancel: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.helper = Helper(self, submit="Add predecessor and successor", cancel=cancel)

    @property
    def tie(self) -> NewTie:
        """Return the tie of a valid form."""
        data: Mapping[str, Any] = self.cleaned_data
        return NewTie(
            predecessor=data["predecessor"],
            successor=data["successor"],
            role=data["role"],
            function=data["function"] or None,
            share=data["share"] / 100 if data["share"] is not None else None,
            geography=data["geography"],
        )


class UndoSuccessionForm(_OrderForm):
    """A form to undo a succession from a day on, with a reason."""

    vests_on = DayField(label="First day on which the succession no longer counts")
    status = forms.ChoiceField(label="What is the status?", choices=_PENDING)
    reason = _reason()
    field_order = ("vests_on", "status", "together", "reason")

    def __init__(self, *args: Any, cancel: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.helper = Helper(self, submit="Record succession", cancel=cancel, danger=True)


class ResponsibilityForm(Form):
    """A form to choose the function and the day for which the responsible body is shown."""

    function = forms.ChoiceField(label="Function", choices=Function.choices)
    day = DayField(label="Day")

    def __init__(self, *args: Any, today: dt.date, **kwargs: Any) -> None:
        super().__init__(*args, **{"initial": {"day": today}, **kwargs})
        self.helper = Helper(self, submit="Show who is responsible", method="get")
