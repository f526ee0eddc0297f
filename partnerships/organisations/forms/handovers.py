"""Forms of handover lines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django import forms
from django.db.models import QuerySet
from django.template.defaultfilters import pluralize
from django.utils.html import format_html, format_html_join

from partnerships.kit import forms as kit
from partnerships.kit.choice_fields import model_choice_field
from partnerships.kit.dates import long_date
from partnerships.kit.forms import Form, Helper
from partnerships.organisations.models import Handover, Organisation, Sharing
from partnerships.organisations.obligations import Held
from partnerships.organisations.presenting import steps_in_words


class _TickingForm(Form):
    """A form with things to tick, or all of them at once."""

    def _is_everything(self) -> bool:
        """Whether all were asked for, so that none needs a tick."""
        return bool(self.is_bound and self.data.get(self.add_prefix("everything")))


class ProposeHandoversForm(_TickingForm):
    """Who takes over the ticked things, on what basis, and by when the successor answers."""

    records = forms.MultipleChoiceField(
        label="What",
        widget=forms.CheckboxSelectMultiple,
        error_messages={
            "invalid_choice": "Some of these already have a handover line. Look at the list again.",
            "required": "Tick what is handed over, or tick all that the filter found.",
        },
    )
    everything = forms.BooleanField(required=False)
    successor = forms.ModelChoiceField(
        label="Who takes over?", queryset=Organisation.objects.none(), empty_label="Choose an organisation"
    )
    sharing = forms.ChoiceField(label="How?", choices=Sharing.choices, initial=Sharing.ALONE)
    others = forms.ModelMultipleChoiceField(
        label="Who shares it?",
        queryset=Organisation.objects.none(),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text="Only if several take it over. The organisation chosen above keeps the record.",
    )
    basis = forms.CharField(
        label="Basis", required=False, max_length=300, help_text="Such as an article of the order, or an agreement."
    )
    consent = forms.CharField(
        label="Consent needed",
        required=False,
        max_length=300,
        help_text="Whose consent is needed, such as a lender’s. It is handed over only once that is recorded. Leave "
        "this "
        "empty if no consent is needed.",
    )
    evidence = forms.CharField(
        label="Evidence", required=False, max_length=300, help_text="Where the consent or agreement can be read."
    )
    due_on = kit.DayField(label="Answer by", required=False)

    def __init__(
        self, *args: Any, things: Sequence[Held], successors: QuerySet[Organisation], count: int, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        records, everything = self.fields["records"], self.fields["everything"]
        assert isinstance(records, forms.MultipleChoiceField)
        records.required = not self._is_everything()
        records.choices = [
            (str(thing.pk), f"{thing.title} ({thing.what})" if thing.what else thing.title) for thing in things
        ]
        everything.label = f"All {count} that the filter found"
        bodies = list(successors)
        if len(bodies) < 2:  # Nobody to share with.
            del self.fields["sharing"], self.fields["others"]
        if len(bodies) == 1:
            self.initial.setdefault("successor", bodies[0])
        for name in {"successor", "others"} & set(self.fields):
            model_choice_field(self, name).queryset = successors
        self.helper = Helper(self, submit="Propose to successor")

    def clean(self) -> dict[str, Any]:
        """Nobody shares with themselves."""
        data = super().clean() or {}
        if data.get("successor") in (data.get("others") or ()):
            self.add_error("others", "It already takes over. Choose the other organisations.")
        return data


class _LinesForm(_TickingForm):
    """A form about handover lines to tick."""

    lines = forms.MultipleChoiceField(
        label="What",
        widget=forms.CheckboxSelectMultiple,
        error_messages={
            "invalid_choice": "Some of these have already been answered. Look at the list again.",
            "required": "Tick at least one.",
        },
        help_text="Records that you cannot read yet have a number instead of a title.",
    )
    everything = forms.BooleanField(required=False)

    def __init__(
        self, *args: Any, lines: Sequence[Handover], titles: Mapping[int, str], count: int, **kwargs: Any
    ) -> None:
        kwargs.setdefault("initial", {"lines": [str(line.pk) for line in self.ticked(lines)]})
        super().__init__(*args, **kwargs)
        if count > len(lines):
            self.fields["everything"].label = f"All {count}, including those that are not shown"
        else:
            del self.fields["everything"]
        field = self.fields["lines"]
        assert isinstance(field, forms.MultipleChoiceField)
        field.required = not self._is_everything()
        field.choices = [(str(line.pk), _in_words(line, titles[line.pk])) for line in lines]

    def ticked(self, lines: Sequence[Handover]) -> Sequence[Handover]:
        """What is ticked at first."""
        return lines


class AnswerHandoversForm(_LinesForm):
    """A successor's answer to handover lines."""

    answer = forms.ChoiceField(
        label="Does your organisation take over?",
        choices=[("accept", "Yes, we take it over"), ("dispute", "No, we dispute it")],
        widget=forms.RadioSelect,
    )
    reason = forms.CharField(
        label="Why not?",
        required=False,
        max_length=1_000,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="Only if you dispute it. The predecessor reads this and proposes again.",
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.helper = Helper(self, submit="Send answer")


class ConsentForm(_LinesForm):
    """Who consented to these handovers, when, and where that can be read; or why the consent was refused."""

    answer = forms.ChoiceField(
        label="Was the consent given?",
        choices=[("given", "Yes, it was given"), ("refused", "No, it was refused")],
        widget=forms.RadioSelect,
    )
    given_by = forms.CharField(
        label="Who gave the consent?", required=False, max_length=200, help_text="Such as the lender."
    )
    given_on = kit.DayField(label="When?", required=False)
    evidence = forms.CharField(
        label="Evidence",
        required=False,
        max_length=300,
        help_text="Where the consent can be read, such as minutes with their date.",
    )
    reason = forms.CharField(
        label="Who refused it, and why?",
        required=False,
        max_length=1_000,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="Only if it was refused. The predecessor reads this and proposes again.",
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.helper = Helper(self, submit="Record consent")

    def ticked(self, lines: Sequence[Handover]) -> Sequence[Handover]:
        """Only what needs the same consent as the first."""
        return [line for line in lines if line.consent == lines[0].consent]

    def clean(self) -> dict[str, Any]:
        """A consent needs its day, giver and evidence; a refusal its reason."""
        data = super().clean() or {}
        needed = {"given": ("given_by", "given_on", "evidence"), "refused": ("reason",)}
        for name in needed.get(data.get("answer", ""), ()):
            if name not in self.errors and not data.get(name):
                self.add_error(name, _MISSING[name])
        return data


_MISSING = {
    "given_by": "Say who gave the consent.",
    "given_on": "Say when it was given.",
    "evidence": "Say where the consent can be read.",
    "reason": "Say who refused it, and why.",
}


def _in_words(line: Handover, title: str) -> str:
    """What passes on, how much it is, on what terms, and who said so."""
    amounts = [
        f"{line.homes:,.0f} home{pluralize(line.homes)}" if line.homes else "",
        f"£{line.money:,.0f}" if line.money else "",
    ]
    sharing = ", ".join(organisation.display_name for organisation in (line.successor, *line.others.all()))
    what = [f"From {line.predecessor.name} to {line.successor.name}", *amounts]
    terms = [
        f"{line.get_sharing_display()}: {sharing}" if line.sharing != Sharing.ALONE else "",
        f"Basis: {line.basis}" if line.basis else "",
        f"Consent needed: {line.consent_in_words}" if line.consent else "",
        f"Evidence: {line.evidence}" if line.evidence else "",
        f"Answer by {long_date(line.due_on)}" if line.due_on else "",
    ]
    details = filter(None, (" · ".join(filter(None, parts)) for parts in (what, terms, steps_in_words(line))))
    spans = format_html_join("", '<span class="cg-choices__detail">{}</span>', ((detail,) for detail in details))
    return format_html("{}{}", title, spans)
