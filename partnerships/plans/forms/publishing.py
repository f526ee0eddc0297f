"""Forms to publish a version, and to update one milestone."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

from django import forms
from django.urls import reverse
from django.utils import timezone

from partnerships.kit.forms import DayField, Form, Helper, PartialDateField, Section
from partnerships.plans.content import COLLECTION_BY_CODE, Item
from partnerships.plans.models import Plan, Share
from partnerships.plans.services.opening import moment_in_words
from partnerships.plans.services.publishing import DraftChoices


class PublishForm(Form):
    """Publish the draft, with a note and an optional embargo."""

    note = forms.CharField(
        label="What changed, and why?",
        widget=forms.Textarea(attrs={"rows": 4}),
        max_length=2_000,
        help_text="Everyone who hears about this version will see this note.",
    )
    minor = forms.BooleanField(label="This is a minor version (a correction that keeps all signatures)", required=False)
    embargo_day = DayField(
        label="Embargo until",
        required=False,
        help_text="Until then, only the owners can see this version. Leave this empty to publish now.",
    )
    embargo_time = forms.TimeField(
        label="Time",
        required=False,
        initial="09:00",
        widget=forms.TimeInput(attrs={"class": "govuk-input--width-5"}, format="%H:%M"),
        help_text="For example, 09:00.",
    )
    end_shares = forms.BooleanField(
        required=False,
        initial=True,
        help_text="If you do not tick this, they will also see the next draft.",
    )
    draft_revision = forms.IntegerField(widget=forms.HiddenInput)

    def __init__(
        self,
        *args: Any,
        plan: Plan,
        shares: Sequence[Share] = (),
        may_be_minor: bool = True,
        untouched: Mapping[str, str] = MappingProxyType({}),
        **kwargs: Any,
    ) -> None:
        """Build the form. `untouched` are the titles of starter parts that nobody has changed, by piece.

        `shares` are the active shares of the draft. Without `may_be_minor`, the form does not show the box "minor".
        """
        super().__init__(*args, **kwargs)
        self.piece_by_field = self._add_untouched_fields(untouched)
        number = plan.current_number + 1
        if number == 1:
            del self.fields["minor"]
        if shares:
            names = ", ".join(share.person.display_name for share in shares)
            self.fields["end_shares"].label = f"Stop sharing the draft with {names}"
        else:
            del self.fields["end_shares"]
        if plan.is_embargoed and plan.embargoed_until is not None:
            self._explain_present_embargo(plan.current_number, plan.embargoed_until)
        self.helper = Helper(
            self,
            *self._layout(number, may_be_minor=may_be_minor),
            submit=f"Publish version {number}",
            cancel=reverse("plans:draft", kwargs={"pk": plan.pk}),
        )

    def _explain_present_embargo(self, number: int, ends_at: dt.datetime) -> None:
        """Explain at the field what an embargo on the present version means for the new version."""
        self.fields["embargo_day"].help_text = (
            f"Version {number} is under embargo until {moment_in_words(ends_at)}. The new version includes its "
            "changes, so both become visible then. Choose a later time to keep the new version back for longer."
        )

    def _layout(self, number: int, *, may_be_minor: bool) -> list[str | Section]:
        """Return the fields and sections of the form to publish the version with this number."""
        layout: list[str | Section] = [name for name in ("note", "minor", "end_shares") if name in self.fields]
        if "minor" in layout and not may_be_minor:
            # The form still has the field. If a request ticks the box all the same, the service refuses it with the
            # reason, instead of publishing an ordinary version.
            layout.remove("minor")
        if self.piece_by_field:
            hint = (
                "Plans of this kind usually have these parts. Nobody has changed them yet, so choose which of them to "
                f"keep in version {number}."
            )
            layout.append(Section("From the template", *self.piece_by_field, hint=hint))
        layout.append(Section("Embargo", "embargo_day", "embargo_time"))
        return layout

    def _add_untouched_fields(self, untouched: Mapping[str, str]) -> dict[str, str]:
        """Add a field for each untouched part that asks whether to keep it, and return the pieces by field name.

        A field has the name of its piece and not a number, because a colleague may remove a part before the form is
        sent. The answer must not apply to another part.
        """
        piece_by_field = {f"part_{piece.replace('/', '_')}": piece for piece in untouched}
        for name, piece in piece_by_field.items():
            title = untouched[piece]
            collection = COLLECTION_BY_CODE[piece.partition("/")[0]]
            self.fields[name] = forms.ChoiceField(
                label=f"{collection.label}: {title}",
                choices=[("keep", "Keep it"), ("out", "Remove it")],
                widget=forms.RadioSelect(attrs={"class": "govuk-radios--inline"}),
                error_messages={"required": f"Choose whether to keep or remove “{title}”."},
            )
        return piece_by_field

    def draft_choices(self) -> DraftChoices:
        """Return what the author decided about the draft."""
        return DraftChoices(
            revision=self.cleaned_data["draft_revision"],
            leave_out=self._pieces_answered("out"),
            keep=self._pieces_answered("keep"),
            end_shares=self.cleaned_data.get("end_shares", False),
        )

    def _pieces_answered(self, answer: str) -> list[str]:
        """Return the pieces of the template for which this answer was chosen."""
        return [piece for name, piece in self.piece_by_field.items() if self.cleaned_data.get(name) == answer]

    def embargo(self) -> dt.datetime | None:
        """Return when the embargo ends, in the site's time zone; None without an embargo."""
        day = self.cleaned_data.get("embargo_day")
        if day is None:
            return None
        time = self.cleaned_data.get("embargo_time") or dt.time(9)
        return timezone.make_aware(dt.datetime.combine(day, time))


class MilestoneForm(Form):
    """Update one milestone and publish the change.

    `based_on` is the number of the version that the author saw.
    """

    happened = forms.ChoiceField(
        choices=[
            ("achieved", "It was achieved"),
            ("moved", "Its forecast date changed"),
            ("cancelled", "It was cancelled"),
        ],
        widget=forms.RadioSelect,
        label="What happened?",
    )
    date = PartialDateField(
        required=False,
        label="When",
        help_text="Enter when the milestone was achieved, or the new forecast: a day, a month, a quarter or a year.",
    )
    note = forms.CharField(label="Reason", widget=forms.Textarea(attrs={"rows": 3}), max_length=2_000)
    minor = forms.BooleanField(
        label="This is a minor version (it keeps all signatures)",
        required=False,
        help_text="A new forecast cannot be a minor version, because signatories agreed to the date.",
    )
    based_on = forms.IntegerField(widget=forms.HiddenInput, min_value=1)

    def __init__(self, *args: Any, cancel: str, newest: int, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["based_on"].initial = newest
        self.helper = Helper(self, submit=f"Publish version {newest + 1}", cancel=cancel)

    def clean(self) -> dict[str, Any]:
        """Require a date for a milestone that was achieved or moved."""
        data = super().clean() or {}
        if data.get("happened") in ("achieved", "moved") and not data.get("date") and "date" not in self.errors:
            self.add_error("date", "Enter when the milestone was achieved, or the new forecast.")
        return data

    def apply_to(self, item: Item) -> Item:
        """Return the milestone with the changes in the form."""
        happened, date = self.cleaned_data["happened"], self.cleaned_data["date"]
        if happened == "achieved":
            return {**item, "actual": date, "status": "achieved"}
        if happened == "cancelled":
            return {**item, "status": "cancelled"}
        # A milestone that was reported as achieved, and now has a new forecast, is late.
        status = "late" if item["status"] == "achieved" else item["status"]
        return {**item, "forecast": date, "actual": "", "status": status}
