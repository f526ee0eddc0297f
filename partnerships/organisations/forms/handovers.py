"""Forms to propose, answer and consent to handover lines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django import forms
from django.db.models import QuerySet
from django.template.defaultfilters import pluralize
from django.utils.html import format_html, format_html_join

from partnerships.kit import forms as kit
from partnerships.kit.choice_fields import choice_field, model_choice_field
from partnerships.kit.dates import long_date
from partnerships.kit.forms import Form, Helper
from partnerships.organisations.models import Handover, Organisation, Sharing
from partnerships.organisations.obligations import HeldRecord
from partnerships.organisations.presenting import steps_in_words


class _TickingForm(Form):
    """A form with records or lines to tick, and one box that selects all of them."""

    def _is_everything_ticked(self) -> bool:
        """Return True if the box for everything is ticked. No other box must then be ticked."""
        return bool(self.is_bound and self.data.get(self.add_prefix("everything")))


class ProposeHandoversForm(_TickingForm):
    """The form that proposes who takes over the ticked records, why, and by when to answer.

    `count` is the number of records that match, and `held_records` are those on the page. If there is only one possible
    successor, the form selects it and does not ask how the records are shared.
    """

    records = forms.MultipleChoiceField(
        label="Records",
        widget=forms.CheckboxSelectMultiple,
        error_messages={
            "invalid_choice": "Some of the records you ticked already have a handover line. Reload the page to see "
            "what is left.",
            "required": "Tick what to hand over, or tick the box for all that match.",
        },
    )
    everything = forms.BooleanField(required=False)
    successor = forms.ModelChoiceField(
        label="Who takes over?", queryset=Organisation.objects.none(), empty_label="Choose an organisation"
    )
    sharing = forms.ChoiceField(
        label="How many organisations take over?", choices=Sharing.choices, initial=Sharing.ALONE
    )
    others = forms.ModelMultipleChoiceField(
        label="Which other organisations take over?",
        queryset=Organisation.objects.none(),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text="Choose these only if several organisations take over together. The record will belong to the "
        "organisation you chose above.",
    )
    basis = forms.CharField(
        label="Basis",
        required=False,
        max_length=300,
        help_text="For example, an article of the order, or an agreement.",
    )
    consent = forms.CharField(
        label="Consent needed",
        required=False,
        max_length=300,
        help_text="Enter whose consent is needed, for example the lender’s. Nothing is handed over until the consent "
        "is recorded. Leave this empty if no consent is needed.",
    )
    evidence = forms.CharField(
        label="Evidence",
        required=False,
        max_length=300,
        help_text="Enter where people can read the consent or agreement.",
    )
    due_on = kit.DayField(label="Answer by", required=False)

    def __init__(
        self,
        *args: Any,
        held_records: Sequence[HeldRecord],
        successors: QuerySet[Organisation],
        count: int,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        records = choice_field(self, "records")
        records.required = not self._is_everything_ticked()
        choices = []
        for record in held_records:
            label = f"{record.title} ({record.what})" if record.what else record.title
            choices.append((str(record.pk), label))
        records.choices = choices
        self.fields["everything"].label = f"All {count} that match"

        possible_successors = list(successors)
        model_choice_field(self, "successor").queryset = successors
        if len(possible_successors) == 1:
            self.initial.setdefault("successor", possible_successors[0])
        if len(possible_successors) > 1:
            model_choice_field(self, "others").queryset = successors
        else:
            del self.fields["sharing"], self.fields["others"]
        self.helper = Helper(self, submit="Propose to successor")

    def clean(self) -> dict[str, Any]:
        """Check that the successor is not also one of the organisations that share the record."""
        data = super().clean() or {}
        if data.get("successor") in (data.get("others") or ()):
            self.add_error(
                "others", "You have already chosen this organisation above. Choose only the other organisations."
            )
        return data


class _LinesForm(_TickingForm):
    """A form with handover lines to tick."""

    lines = forms.MultipleChoiceField(
        label="Handover lines",
        widget=forms.CheckboxSelectMultiple,
        error_messages={
            "invalid_choice": "Another person has already answered some of the lines you ticked. Reload the page to "
            "see what is left.",
            "required": "Tick at least one line.",
        },
        help_text="If you cannot read a record yet, you see its number instead of its title.",
    )
    everything = forms.BooleanField(required=False)

    def __init__(
        self, *args: Any, lines: Sequence[Handover], titles: Mapping[int, str], count: int, **kwargs: Any
    ) -> None:
        kwargs.setdefault("initial", {"lines": [str(line.pk) for line in self.initially_ticked(lines)]})
        super().__init__(*args, **kwargs)
        if count > len(lines):
            self.fields["everything"].label = f"All {count}, including those that are not shown"
        else:
            del self.fields["everything"]
        field = choice_field(self, "lines")
        field.required = not self._is_everything_ticked()
        field.choices = [(str(line.pk), _line_label(line, titles[line.pk])) for line in lines]

    def initially_ticked(self, lines: Sequence[Handover]) -> Sequence[Handover]:
        """Return the lines that are ticked when the form is first shown."""
        return lines


class AnswerHandoversForm(_LinesForm):
    """The form with which a successor accepts or disputes handover lines."""

    answer = forms.ChoiceField(
        label="Will your organisation take over?",
        choices=[("accept", "Yes, we will take over"), ("dispute", "No, we dispute the handover")],
        widget=forms.RadioSelect,
    )
    reason = forms.CharField(
        label="Why does your organisation dispute the handover?",
        required=False,
        max_length=1_000,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="Answer this only if you dispute the handover. The predecessor reads your answer and makes a new "
        "proposal.",
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.helper = Helper(self, submit="Send answer")


class ConsentForm(_LinesForm):
    """The form that records whether the consent to handovers was given or refused.

    For a consent, it asks who gave it, when, and where people can read it. For a refusal, it asks who refused, and why.
    """

    answer = forms.ChoiceField(
        label="Was the consent given?",
        choices=[("given", "Yes, the consent was given"), ("refused", "No, the consent was refused")],
        widget=forms.RadioSelect,
    )
    given_by = forms.CharField(
        label="Who gave the consent?", required=False, max_length=200, help_text="For example, the lender."
    )
    given_on = kit.DayField(label="When?", required=False)
    evidence = forms.CharField(
        label="Evidence",
        required=False,
        max_length=300,
        help_text="Enter where people can read the consent, for example the minutes of a meeting and its date.",
    )
    reason = forms.CharField(
        label="Who refused the consent, and why?",
        required=False,
        max_length=1_000,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="Answer this only if the consent was refused. The predecessor reads your answer and makes a new "
        "proposal.",
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.helper = Helper(self, submit="Record consent")

    def initially_ticked(self, lines: Sequence[Handover]) -> Sequence[Handover]:
        """Return the lines that need the same consent as the first line."""
        return [line for line in lines if line.consent == lines[0].consent]

    def clean(self) -> dict[str, Any]:
        """Check that the details of a consent or the reason for a refusal are filled in."""
        data = super().clean() or {}
        required_fields = {"given": ("given_by", "given_on", "evidence"), "refused": ("reason",)}
        for name in required_fields.get(data.get("answer", ""), ()):
            if name not in self.errors and not data.get(name):
                self.add_error(name, _MISSING[name])
        return data


#: The error message for each required field that is empty.
_MISSING = {
    "given_by": "Enter who gave the consent.",
    "given_on": "Enter when the consent was given.",
    "evidence": "Enter where people can read the consent.",
    "reason": "Enter who refused the consent, and why.",
}


def _line_label(line: Handover, title: str) -> str:
    """Return the label of a line to tick, as HTML.

    The label shows the record, its homes and money, the terms, and who proposed and answered the line.
    """
    main_facts = [
        f"From {line.predecessor.name} to {line.successor.name}",
        f"{line.homes:,.0f} home{pluralize(line.homes)}" if line.homes else "",
        f"£{line.money:,.0f}" if line.money else "",
    ]
    detail_lines = [" · ".join(filter(None, facts)) for facts in (main_facts, _terms(line), steps_in_words(line))]
    spans = format_html_join(
        "", '<span class="cg-choices__detail">{}</span>', ((detail,) for detail in detail_lines if detail)
    )
    return format_html("{}{}", title, spans)


def _terms(line: Handover) -> list[str]:
    """Return the terms of a line in words."""
    terms = []
    if line.sharing != Sharing.ALONE:
        names = ", ".join(organisation.display_name for organisation in (line.successor, *line.others.all()))
        terms.append(f"{line.get_sharing_display()}: {names}")
    if line.basis:
        terms.append(f"Basis: {line.basis}")
    if line.consent:
        terms.append(f"Consent needed: {line.consent_in_words}")
    if line.evidence:
        terms.append(f"Evidence: {line.evidence}")
    if line.due_on:
        terms.append(f"Answer by {long_date(line.due_on)}")
    return terms
