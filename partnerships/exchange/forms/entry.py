"""Forms to write an entry, mark it as agreed, and link a commitment to it."""

from __future__ import annotations

import json
import uuid
from typing import Any

from django import forms
from django.db.models import QuerySet

from partnerships.agreements.models import Partnership, PartyRole, PartyStatus
from partnerships.commitments.models import Commitment, Unit
from partnerships.exchange.forms.fields import (
    LONG_TEXT,
    ONLY_YOUR_ORGANISATION,
    SHORT_TEXT,
    OrganisationForm,
    ReasonForm,
    clean_all_of_it,
    quantity_field,
    set_choices,
)
from partnerships.exchange.models import Audience, Direction, Entry, Theme
from partnerships.kit.choice_fields import choice_field
from partnerships.kit.dates import long_date
from partnerships.kit.forms import DayField, FindSelectMultiple, Fold, Form, Helper, Section, shown_when
from partnerships.kit.text import shorten
from partnerships.organisations.choices import OrganisationsField
from partnerships.organisations.models import EDITING_ROLES, Area, Organisation
from partnerships.organisations.naming import with_former_names
from partnerships.people.models import User


class EntryForm(OrganisationForm):
    """The form to write or change an ask or offer.

    The fields that every entry needs come first; the other fields are collapsed.
    """

    field_order = ("direction", "organisation")

    direction = forms.ChoiceField(label="Is it an ask or an offer?", choices=Direction, widget=forms.RadioSelect)
    title = forms.CharField(label="Title", max_length=200, help_text="For example, “Land for 60 modular homes”.")
    statement = forms.CharField(label="Details", required=False, widget=LONG_TEXT, max_length=5000)
    rationale = forms.CharField(label="Why it matters", required=False, widget=SHORT_TEXT, max_length=5000)
    theme = forms.ChoiceField(label="Theme")
    quantity = quantity_field("Quantity")
    unit = forms.ChoiceField(label="Unit", required=False, choices=lambda: [("", "No unit"), *Unit.choices()])
    areas = forms.ModelMultipleChoiceField(
        label="Areas",
        required=False,
        queryset=Area.objects.none(),
        widget=FindSelectMultiple,
        help_text="A county includes its districts. If you choose none, we use the areas your organisation serves.",
    )
    site = forms.CharField(label="Site or address", required=False, max_length=200)
    available_from = DayField(label="Needed or available from", required=False)
    available_until = DayField(label="Needed or available until", required=False)
    closes_on = DayField(
        label="Closing date",
        required=False,
        help_text="If nobody answers by this date, the ask or offer lapses. "
        "If you leave this empty, we use the end date above.",
    )
    conditions = forms.CharField(label="Conditions", required=False, widget=SHORT_TEXT, max_length=5000)
    standing = forms.BooleanField(
        label="This is a standing offer of skills or resources that we always have",
        required=False,
        help_text="The offer appears on your organisation’s page and stays open, even after a partner takes it up.",
    )
    audience = forms.ChoiceField(label="Who can read and answer it?", choices=Audience, widget=forms.RadioSelect)
    partnership = forms.ModelChoiceField(
        label="Partnership",
        required=False,
        queryset=Partnership.objects.none(),
        empty_label="None",
        help_text="You must choose one to share with a partnership. If you share with named partners, choose the "
        "partnership that it is about, if any.",
    )
    addressees = OrganisationsField(
        label="Named partners",
        required=False,
        queryset=Organisation.objects.none(),
        widget=FindSelectMultiple(find_by=("name", "former_names")),
    )
    private_note = forms.CharField(
        label="Private note", required=False, widget=SHORT_TEXT, max_length=5000, help_text=ONLY_YOUR_ORGANISATION
    )
    key = forms.UUIDField(widget=forms.HiddenInput, required=False)
    revision = forms.IntegerField(widget=forms.HiddenInput, required=False)

    def __init__(self, *args: Any, user: User, entry: Entry | None = None, cancel: str, **kwargs: Any) -> None:
        """Build the form to change `entry`, or to write a new entry if it is None."""
        super().__init__(*args, **kwargs)
        self.entry = entry
        self._set_record_choices(user)
        self._set_theme_and_unit_choices()
        if entry is None:
            self.fields["key"].initial = uuid.uuid4()
        else:
            self._remove_fixed_fields(entry)
        shown_when(self, "standing", "direction", Direction.OFFER)
        shown_when(self, "partnership", "audience", Audience.PARTNERSHIP, Audience.NAMED)
        shown_when(self, "addressees", "audience", Audience.NAMED)
        self.helper = self._layout(cancel)

    def _set_record_choices(self, user: User) -> None:
        """Offer the organisations, partnerships, areas and addressees that the person can choose."""
        self.set_organisations(Organisation.objects.of_person(user, *EDITING_ROLES).current().order_by("name", "pk"))
        set_choices(self, "partnership", _open_partnerships(user))
        set_choices(self, "areas", Area.objects.filter(valid_to=None).order_by("name", "pk"))
        possible_addressees = with_former_names(Organisation.objects.current().only("name"))
        set_choices(self, "addressees", possible_addressees.order_by("name", "pk"))

    def _set_theme_and_unit_choices(self) -> None:
        """Offer the current themes and units, and those of the entry. JavaScript offers only the theme's units."""
        theme, unit = choice_field(self, "theme"), choice_field(self, "unit")
        present_themes = [self.entry.theme] if self.entry else []
        present_units = [self.entry.unit] if self.entry else []
        theme.choices = [("", "Choose a theme"), *Theme.choices(keep=present_themes)]
        unit.choices = [("", "No unit"), *Unit.choices(keep=present_units)]
        theme.widget.attrs |= {
            "data-module": "cg-narrows",
            "data-narrows": "unit",
            "data-allowed": json.dumps(_units_by_theme()),
        }

    def _layout(self, cancel: str) -> Helper:
        """Return the sections and buttons of the form."""
        is_draft = self.entry is None or self.entry.is_draft
        return Helper(
            self,
            Section("What", *self._visible(("direction", "organisation", "title", "theme", "statement"))),
            Section("How much and until when", *self._visible(("quantity", "unit", "available_until"))),
            Section("Who can see it", *self._visible(("audience", "partnership", "addressees"))),
            Fold("Where", "areas", "site", hint="areas, site"),
            Fold("More dates", "available_from", "closes_on", hint="from when, closing date"),
            Fold("Reasons and conditions", "rationale", "conditions", "standing", hint="why it matters, conditions"),
            Fold("Private note", "private_note", hint="for your organisation only"),
            submit="Share ask or offer" if is_draft else "Save changes",
            secondary=("draft", "Save draft") if is_draft else None,
            cancel=cancel,
        )

    def _visible(self, names: tuple[str, ...]) -> list[str]:
        """Return the names of the fields that the form has and shows, out of these."""
        return [name for name in names if name in self.fields and not self.fields[name].widget.is_hidden]

    def _remove_fixed_fields(self, entry: Entry) -> None:
        """Remove the fields whose values can no longer change."""
        fixed_names = ["direction", "organisation"]
        if not entry.is_draft:
            fixed_names += ["audience", "partnership", "addressees"]
        if entry.is_ask:
            fixed_names.append("standing")
        for name in fixed_names:
            del self.fields[name]

    def clean(self) -> dict[str, Any]:
        """Check fields that depend on each other, and drop values that the audience or direction does not use."""
        data = super().clean() or {}
        self._check_unit(data)
        self._check_audience(data)

        audience = data.get("audience")
        if audience == Audience.NETWORK:
            data["partnership"] = None
        if audience in (Audience.NETWORK, Audience.PARTNERSHIP):
            data["addressees"] = Organisation.objects.none()
        if data.get("direction") == Direction.ASK:
            data["standing"] = False
        return data

    def _check_unit(self, data: dict[str, Any]) -> None:
        """Require a unit for a quantity, and refuse a unit that the theme does not use.

        An entry may keep the unit that it already has.
        """
        unit = data.get("unit")
        if not unit:
            if data.get("quantity"):
                self.add_error("unit", "Choose a unit for the quantity.")
            return

        theme = Theme.by_code().get(data.get("theme", ""))
        units = _units_by_theme().get(theme.code) if theme else None
        if theme is None or not units or unit in units:
            return
        is_unchanged = self.entry is not None and unit == self.entry.unit and theme.code == self.entry.theme
        if not is_unchanged:
            labels = " or ".join(Unit.label_of(code) for code in units)
            self.add_error("unit", f"{theme.label} is counted in {labels}. Choose one of these units.")

    def _check_audience(self, data: dict[str, Any]) -> None:
        """Require the addressees or the partnership that the audience needs. A field with an error has its own."""
        audience = data.get("audience")
        if audience == Audience.NAMED and not data.get("addressees") and "addressees" not in self.errors:
            self.add_error("addressees", "Choose at least one organisation.")
        if audience == Audience.PARTNERSHIP and not data.get("partnership") and "partnership" not in self.errors:
            self.add_error("partnership", "Choose the partnership to share this ask or offer with.")


def _units_by_theme() -> dict[str, list[str]]:
    """Return the units of each theme that limits them, without retired units. Other themes allow every unit."""
    offered_units = dict(Unit.choices())
    units_by_theme = {}
    for code, theme in Theme.by_code().items():
        units = [unit for unit in theme.units if unit in offered_units]
        if units:
            units_by_theme[code] = units
    return units_by_theme


def _open_partnerships(user: User) -> QuerySet[Partnership]:
    """Return the live partnerships in which the person edits for a party that is not an observer."""
    own_organisations = Organisation.objects.of_person(user, *EDITING_ROLES)
    roles = [PartyRole.CHAIR, PartyRole.LEAD, PartyRole.MEMBER]
    return (
        Partnership.objects.live()
        .filter(
            parties__organisation__in=own_organisations, parties__status=PartyStatus.ACCEPTED, parties__role__in=roles
        )
        .distinct()
        .order_by("title", "pk")
    )


class AgreedForm(ReasonForm):
    """The form to mark an ask or offer as agreed outside this site."""

    part = forms.BooleanField(label="Only part of this is agreed, and we still need the rest", required=False)

    def __init__(self, *args: Any, entry: Entry, **kwargs: Any) -> None:
        super().__init__(
            *args, entry=entry, submit="Mark as agreed", label="How did you agree this, and who with?", **kwargs
        )
        kind = entry.get_direction_display().lower()
        self.fields["reason"].help_text = f"Everyone who can read this {kind} can read your text too."


class _CommitmentChoiceField(forms.ModelChoiceField):  # type: ignore[type-arg]  # generic in the stubs alone
    """A commitment, shown by its reference, text, quantity and due date."""

    def label_from_instance(self, obj: Commitment) -> str:
        """Return text such as `C-12 Land for 60 homes, 60 homes, due 1 January 2031`."""
        parts = [f"{obj.reference} {shorten(obj.text, 80)}"]
        if obj.quantity_words:
            parts.append(obj.quantity_words)
        if obj.due_on:
            parts.append(f"due {long_date(obj.due_on)}")
        return ", ".join(parts)


class MeetForm(Form):
    """The form to link a commitment that meets an ask or uses an offer, with the quantity."""

    commitment = _CommitmentChoiceField(
        label="Commitment", queryset=Commitment.objects.none(), empty_label="Choose a commitment"
    )
    quantity = quantity_field("How much of the commitment?")
    everything = forms.BooleanField(label="All that is left of the commitment", required=False)

    def __init__(self, *args: Any, entry: Entry, commitments: QuerySet[Commitment], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        set_choices(self, "commitment", commitments)
        if entry.quantity is None:
            del self.fields["quantity"], self.fields["everything"]
        else:
            self.fields["quantity"].help_text = f"Out of {entry.amount}."
        self.helper = Helper(self, submit="Link commitment", cancel=entry.get_absolute_url())

    def clean(self) -> dict[str, Any]:
        """Require a quantity, or a tick at “All that is left”."""
        return clean_all_of_it(self, super().clean() or {})
