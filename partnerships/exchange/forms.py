"""The forms of asking, offering and answering: they check shape; services check truth."""

from __future__ import annotations

import uuid
from decimal import Decimal
from typing import Any

from django import forms
from django.db.models import QuerySet
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe
from django.utils.text import Truncator

from partnerships.agreements.models import Partnership, PartyRole, PartyStatus
from partnerships.commitments.models import Commitment
from partnerships.exchange.models import Audience, Direction, Entry, SavedFilter, Status, Theme, Unit
from partnerships.exchange.queries.board import CAP, Filters
from partnerships.kit import forms as kit
from partnerships.kit.dates import long_date
from partnerships.kit.forms import AutocompleteSelect, AutocompleteSelectMultiple, DayField, Form, Helper, Section
from partnerships.organisations.models import EDITING_ROLES, Area, Membership, Organisation, OrganisationQuerySet
from partnerships.people.models import User

_LONG = forms.Textarea(attrs={"rows": 5})
_SHORT = forms.Textarea(attrs={"rows": 3})


def _quantity(label: str) -> forms.DecimalField:
    """How much of something that is counted, where anybody says."""
    return forms.DecimalField(
        label=label,
        required=False,
        max_digits=14,
        decimal_places=2,
        min_value=Decimal("0.01"),
        widget=forms.TextInput(attrs={"class": "govuk-input--width-10", "inputmode": "decimal"}),
    )


class EntryForm(Form):
    """An ask or an offer: what, how much, where, when, and who may read it."""

    direction = forms.ChoiceField(label="Is it an ask or an offer?", choices=Direction, widget=forms.RadioSelect)
    organisation = forms.ModelChoiceField(
        label="For which organisation?", queryset=Organisation.objects.none(), empty_label="Choose one"
    )
    title = forms.CharField(label="In one line", max_length=200, help_text="For example: Land for 60 modular homes.")
    statement = forms.CharField(label="Say more", required=False, widget=_LONG, max_length=5000)
    rationale = forms.CharField(label="Why it matters", required=False, widget=_SHORT, max_length=5000)
    theme = forms.ChoiceField(label="Theme", choices=[("", "Choose a theme"), *Theme.choices])
    quantity = _quantity("How much")
    unit = forms.ChoiceField(label="Of what", required=False, choices=[("", "Nothing counted"), *Unit.choices])
    areas = forms.ModelMultipleChoiceField(
        label="Areas",
        required=False,
        queryset=Area.objects.none(),
        widget=AutocompleteSelectMultiple,
        help_text="A county stands for its districts. Leave empty for the areas your organisation serves.",
    )
    site = forms.CharField(label="Site or address", required=False, max_length=200)
    available_from = DayField(label="Needed or available from", required=False)
    available_until = DayField(label="Needed or available until", required=False)
    closes_on = DayField(
        label="Answers wanted by",
        required=False,
        help_text="After this day it lapses if nobody has answered. Without one: the end of the period above.",
    )
    conditions = forms.CharField(label="Conditions", required=False, widget=_SHORT, max_length=5000)
    standing = forms.BooleanField(
        label="A standing offer: skills or resources we can always bring",
        required=False,
        help_text="It stands on your organisation’s page and stays open however often it is taken up. Offers only.",
    )
    audience = forms.ChoiceField(label="Who may read and answer it?", choices=Audience, widget=forms.RadioSelect)
    partnership = forms.ModelChoiceField(
        label="Partnership",
        required=False,
        queryset=Partnership.objects.none(),
        empty_label="None",
        help_text="For a partnership, or for named partners within one.",
    )
    addressees = forms.ModelMultipleChoiceField(
        label="Named partners",
        required=False,
        queryset=Organisation.objects.none(),
        widget=AutocompleteSelectMultiple,
    )
    private_note = forms.CharField(
        label="Private note",
        required=False,
        widget=_SHORT,
        max_length=5000,
        help_text="Read by your own organisation only; never sent to anyone.",
    )
    key = forms.UUIDField(widget=forms.HiddenInput, required=False)
    revision = forms.IntegerField(widget=forms.HiddenInput, required=False)

    def __init__(self, *args: Any, user: User, entry: Entry | None = None, cancel: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.entry = entry
        own = Organisation.objects.of_person(user, *EDITING_ROLES).current().order_by("name", "pk")
        _choices(self, "organisation", own)
        _choices(self, "partnership", _open_partnerships(user))
        _choices(self, "areas", Area.objects.filter(valid_to=None).order_by("name", "pk"))
        _choices(self, "addressees", Organisation.objects.current().only("name").order_by("name", "pk"))
        bodies = list(own)
        if len(bodies) == 1:
            self.fields["organisation"].initial = bodies[0]
            self.fields["organisation"].widget = forms.HiddenInput()
        if entry is None:
            self.fields["key"].initial = uuid.uuid4()
        else:
            self._settle(entry)
        is_draft = entry is None or entry.is_draft
        what = ("direction", "organisation", "title", "theme", "statement", "rationale")
        when = ("available_from", "available_until", "closes_on")
        self.helper = Helper(
            self,
            Section("What", *self._kept(what)),
            Section("How much, and where", *self._kept(("quantity", "unit", "areas", "site"))),
            Section("When", *self._kept((*when, "conditions", "standing"))),
            Section("Who sees it", *self._kept(("audience", "partnership", "addressees", "private_note"))),
            submit="Share it" if is_draft else "Save changes",
            secondary=("draft", "Save as a draft") if is_draft else None,
            cancel=cancel,
        )

    def _kept(self, names: tuple[str, ...]) -> list[str]:
        return [name for name in names if name in self.fields and not self.fields[name].widget.is_hidden]

    def _settle(self, entry: Entry) -> None:
        """Take away what can no longer change."""
        gone = ["direction", "organisation"]
        if not entry.is_draft:
            gone += ["audience", "partnership", "addressees"]
        if entry.is_ask:
            gone.append("standing")
        for name in gone:
            del self.fields[name]

    def clean(self) -> dict[str, Any]:
        """Tie what belongs together to the field that wants it."""
        data = super().clean() or {}
        if data.get("quantity") and not data.get("unit"):
            self.add_error("unit", "Say what the quantity counts.")
        if data.get("audience") == Audience.NAMED and not data.get("addressees") and "addressees" not in self.errors:
            self.add_error("addressees", "Name at least one organisation.")
        chosen = data.get("partnership") or "partnership" in self.errors
        if data.get("audience") == Audience.PARTNERSHIP and not chosen:
            self.add_error("partnership", "Choose the partnership it is for.")
        if data.get("audience") == Audience.NETWORK:
            data["partnership"], data["addressees"] = None, Organisation.objects.none()
        if data.get("audience") == Audience.PARTNERSHIP:
            data["addressees"] = Organisation.objects.none()
        if data.get("direction") == Direction.ASK:
            data["standing"] = False
        return data


def _choices(form: forms.Form, name: str, rows: QuerySet[Any]) -> None:
    chosen = form.fields.get(name)
    if isinstance(chosen, forms.ModelChoiceField):
        chosen.queryset = rows


def _open_partnerships(user: User) -> QuerySet[Partnership]:
    """Those in which an organisation the person edits for takes part, and does not only observe."""
    mine = Organisation.objects.of_person(user, *EDITING_ROLES)
    parts = [PartyRole.CHAIR, PartyRole.LEAD, PartyRole.MEMBER]
    return (
        Partnership.objects.live()
        .filter(parties__organisation__in=mine, parties__status=PartyStatus.ACCEPTED, parties__role__in=parts)
        .distinct()
        .order_by("title", "pk")
    )


class _ForOrganisation(Form):
    """A form of somebody who may answer for one organisation or for several."""

    organisation = forms.ModelChoiceField(
        label="For which organisation?", queryset=Organisation.objects.none(), empty_label="Choose one"
    )

    def _offer(self, organisations: OrganisationQuerySet) -> None:
        _choices(self, "organisation", organisations)
        bodies = list(organisations[:2])
        if len(bodies) == 1:
            self.fields["organisation"].initial = bodies[0]
            self.fields["organisation"].widget = forms.HiddenInput()


class _EntryChoice(forms.ModelChoiceField):  # type: ignore[type-arg]  # generic in the stubs alone
    """One of a person's own entries, by its title."""

    def label_from_instance(self, obj: Entry) -> str:
        """The title."""
        return obj.title


class RespondForm(_ForOrganisation):
    """An answer to an ask or offer, of the whole or a part."""

    text = forms.CharField(label="Your answer", widget=_LONG, max_length=5000)
    quantity = _quantity("How much of it")
    everything = forms.BooleanField(required=False)
    counterpart = _EntryChoice(
        label="One of your own that fits",
        required=False,
        queryset=Entry.objects.none(),
        empty_label="None",
        widget=AutocompleteSelect,
    )

    def __init__(self, *args: Any, entry: Entry, organisations: OrganisationQuerySet, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._offer(organisations)
        self.fields["text"].label = "What can you do?" if entry.is_ask else "What do you need?"
        if entry.quantity is None:
            del self.fields["quantity"], self.fields["everything"]
        else:
            left = entry.amount if entry.standing else entry.amount_left
            self.fields["quantity"].help_text = f"Of {left}."
            self.fields["everything"].label = f"All of it: {left}"
        other = Direction.OFFER if entry.is_ask else Direction.ASK
        own = Entry.objects.filter(organisation__in=organisations, direction=other, is_open=True)
        _choices(self, "counterpart", own.order_by("title", "pk"))
        if not own.exists():
            del self.fields["counterpart"]
        self.helper = Helper(self, submit="Send this answer", cancel=entry.get_absolute_url())

    def clean(self) -> dict[str, Any]:
        """An empty box does not stand for all of it: that needs its tick."""
        data = super().clean() or {}
        everything = data.pop("everything", False)
        if "everything" in self.fields and "quantity" not in self.errors:
            if everything and data.get("quantity") is not None:
                self.add_error("everything", "Enter how much, or tick that it is all of it, but not both")
            elif not everything and data.get("quantity") is None:
                self.add_error("quantity", f"Enter how much, or tick “{self.fields['everything'].label}”")
        return data


class ReasonForm(kit.ReasonForm):
    """One sentence that says why."""

    reason = forms.CharField(label="Why?", widget=_SHORT, max_length=2000)

    def __init__(self, *args: Any, entry: Entry, label: str = "Why?", **kwargs: Any) -> None:
        super().__init__(*args, cancel=entry.get_absolute_url(), **kwargs)
        self.fields["reason"].label = label


class DeclineForm(_ForOrganisation, ReasonForm):
    """No, for one organisation, with the reason."""

    field_order = ("organisation", "reason")

    def __init__(self, *args: Any, entry: Entry, organisations: OrganisationQuerySet, **kwargs: Any) -> None:
        super().__init__(*args, entry=entry, submit="Decline", label="Why do you decline?", **kwargs)
        self._offer(organisations)


class DismissForm(_ForOrganisation, ReasonForm):
    """Why a pair is no match; read by one's own organisation only."""

    field_order = ("organisation", "reason")

    def __init__(self, *args: Any, entry: Entry, organisations: OrganisationQuerySet, **kwargs: Any) -> None:
        super().__init__(*args, entry=entry, submit="Put it aside", label="Why is it no match?", **kwargs)
        self._offer(organisations)
        self.fields["reason"].help_text = "Read by your own organisation only."


class IntroduceForm(_ForOrganisation):
    """A word with which one brings two organisations together."""

    text = forms.CharField(
        label="A word to both",
        required=False,
        widget=_SHORT,
        max_length=2000,
        help_text="Why they should talk. The two organisations and yours read it.",
    )

    def __init__(self, *args: Any, entry: Entry, organisations: OrganisationQuerySet, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._offer(organisations)
        self.helper = Helper(
            self,
            submit="Suggest this introduction",
            cancel=reverse("exchange:entry-matches", args=[entry.pk]),
        )


class _CommitmentChoice(forms.ModelChoiceField):  # type: ignore[type-arg]  # generic in the stubs alone
    """A commitment, by its reference and the beginning of its words."""

    def label_from_instance(self, obj: Commitment) -> str:
        """`C-12 Land for 60 homes, 60 homes, due 1 January 2031`."""
        return f"{obj.reference} {Truncator(obj.text).chars(80)}" + "".join(
            f", {words}"
            for words in (obj.quantity_words, f"due {long_date(obj.due_on)}" if obj.due_on else "")
            if words
        )


class MeetForm(Form):
    """A commitment that meets an ask or uses an offer, and how much of it."""

    commitment = _CommitmentChoice(
        label="Which commitment?", queryset=Commitment.objects.none(), empty_label="Choose one"
    )
    quantity = _quantity("How much of it")

    def __init__(self, *args: Any, entry: Entry, commitments: QuerySet[Commitment], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _choices(self, "commitment", commitments)
        if entry.quantity is None:
            del self.fields["quantity"]
        else:
            self.fields["quantity"].help_text = f"Of the {entry.amount}. Leave empty for all that it has to spare."
        self.helper = Helper(self, submit="It meets this", cancel=entry.get_absolute_url())


class AgreedForm(ReasonForm):
    """Agreement reached elsewhere."""

    part = forms.BooleanField(label="Only a part is agreed: more is still wanted", required=False)

    def __init__(self, *args: Any, entry: Entry, **kwargs: Any) -> None:
        super().__init__(*args, entry=entry, submit="Mark as agreed", label="How, and with whom?", **kwargs)
        what = "ask" if entry.is_ask else "offer"
        self.fields["reason"].help_text = f"Everybody who can read the {what} reads this too."


class AskBackForm(_ForOrganisation):
    """A question before the answer."""

    text = forms.CharField(label="Your question", widget=_SHORT, max_length=2000)

    def __init__(self, *args: Any, entry: Entry, organisations: OrganisationQuerySet, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._offer(organisations)
        self.helper = Helper(self, submit="Send this question", cancel=entry.get_absolute_url())


class AnswerForm(Form):
    """The answer to a question that came back."""

    text = forms.CharField(label="Your answer", widget=_SHORT, max_length=2000)

    def __init__(self, *args: Any, entry: Entry, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.helper = Helper(self, submit="Send this answer", cancel=entry.get_absolute_url())


class ReferForm(_ForOrganisation):
    """A colleague to give it to."""

    person = forms.ModelChoiceField(label="Colleague", queryset=User.objects.none(), empty_label="Choose a colleague")
    note = forms.CharField(
        label="A word to them",
        required=False,
        widget=_SHORT,
        max_length=2000,
        help_text="Read by your organisation only.",
    )

    def __init__(
        self, *args: Any, entry: Entry, user: User, organisations: OrganisationQuerySet, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self._offer(organisations)
        able = Membership.objects.current().filter(organisation__in=organisations, role__in=EDITING_ROLES)
        colleagues = User.objects.filter(pk__in=able.values("person")).exclude(pk=user.pk)
        _choices(self, "person", colleagues.order_by("name", "pk"))
        self.helper = Helper(self, submit="Refer it", cancel=entry.get_absolute_url())


class DecideForm(Form):
    """Yes or no to an answer."""

    decision = forms.ChoiceField(
        label="Do you accept it?",
        choices=[("accept", "Accept"), ("part", "Accept, and go on asking for more"), ("decline", "Decline")],
        widget=forms.RadioSelect,
    )
    reason = forms.CharField(label="A word to them", required=False, widget=_SHORT, max_length=2000)

    def __init__(self, *args: Any, entry: Entry, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["reason"].help_text = "Needed if you decline."
        if not entry.is_open:
            # It agreed with others meanwhile; whoever answered still gets a word.
            self.fields["decision"] = forms.ChoiceField(
                label="Nothing is left to agree to",
                choices=[("decline", "Decline")],
                initial="decline",
                widget=forms.RadioSelect,
            )
        elif entry.quantity is not None or entry.standing:
            # The quantity says by itself whether more is wanted.
            decision = self.fields["decision"]
            if isinstance(decision, forms.ChoiceField):
                decision.choices = [("accept", "Accept"), ("decline", "Decline")]
        self.helper = Helper(self, submit="Send the decision", cancel=entry.get_absolute_url())

    def clean(self) -> dict[str, Any]:
        """A decline says why."""
        data = super().clean() or {}
        if data.get("decision") == "decline" and not data.get("reason", "").strip():
            self.add_error("reason", "Say why you decline.")
        return data


class ConfirmForm(Form):
    """A page that only asks whether one means it."""

    def __init__(self, *args: Any, submit: str, cancel: str, danger: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.helper = Helper(self, submit=submit, danger=danger, cancel=cancel)


class _AreaSelect(forms.Select):
    """Some 350 areas: written out at once, since a template for each option costs more than the page's queries."""

    def render(self, name: str, value: Any, attrs: dict[str, Any] | None = None, renderer: Any = None) -> SafeString:
        """The select with its options."""
        given = self.build_attrs(self.attrs, attrs)
        chosen = str(value or "")
        options = format_html_join(
            "",
            '<option value="{}"{}>{}</option>',
            ((key, mark_safe(" selected") if str(key) == chosen else "", label) for key, label in self.choices),
        )
        written = format_html_join("", ' {}="{}"', given.items())
        return format_html('<select name="{}"{}>{}</select>', name, written, options)


#: Stands for the number beside a choice until that is known.
COUNT_MARK = "⟦{name}:{code}⟧"


class FilterForm(Form):
    """What to show on the board."""

    q = forms.CharField(label="Words", required=False, max_length=200)
    direction = forms.MultipleChoiceField(
        label="Asks and offers", required=False, choices=Direction, widget=forms.CheckboxSelectMultiple
    )
    theme = forms.MultipleChoiceField(label="Theme", required=False, choices=Theme, widget=forms.CheckboxSelectMultiple)
    organisation = forms.CharField(label="Organisation", required=False, max_length=200)
    area = forms.TypedChoiceField(label="Area", required=False, coerce=int, empty_value=None, widget=_AreaSelect)
    standing = forms.BooleanField(label="Standing offers: skills and resources", required=False)
    status = forms.MultipleChoiceField(
        label="Status",
        required=False,
        choices=[(code, label) for code, label in Status.choices if code != Status.DRAFT],
        widget=forms.CheckboxSelectMultiple,
        help_text="Choose none to see what still wants an answer.",
    )
    oldest = forms.BooleanField(label="Waiting for a first answer, longest first", required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        area = self.fields["area"]
        if isinstance(area, forms.ChoiceField):
            # Read only where somebody chooses or writes them.
            area.choices = _areas_to_choose

    def filters(self) -> Filters:
        """What the reader asks for; nothing where the form does not hold."""
        if not self.is_valid():
            return Filters()
        data = self.cleaned_data
        return Filters(
            words=data["q"].strip(),
            directions=tuple(data["direction"]),
            themes=tuple(data["theme"]),
            statuses=tuple(data["status"]),
            organisation=data["organisation"].strip(),
            area=data["area"],
            standing=data["standing"],
            oldest=data["oldest"],
        )

    def mark_counts(self) -> None:
        """Leave a mark beside each choice, for the number of what it would show."""
        statuses = [(code, label) for code, label in Status.choices if code != Status.DRAFT]
        for name, choices in (("direction", Direction.choices), ("theme", Theme.choices), ("status", statuses)):
            field = self.fields[name]
            if isinstance(field, forms.MultipleChoiceField):
                field.choices = [
                    (
                        code,
                        format_html(
                            '{} (<span id="count-{}-{}">{}</span>)',
                            label,
                            name,
                            code,
                            COUNT_MARK.format(name=name, code=code),
                        ),
                    )
                    for code, label in choices
                ]


def _areas_to_choose() -> list[tuple[Any, str]]:
    areas = Area.objects.filter(valid_to=None).order_by("name", "pk").values_list("pk", "name")
    return [("", "Anywhere"), *areas]


class SavedFilterForm(forms.ModelForm[SavedFilter]):
    """A name for the filter on the board, and whether to be told."""

    class Meta:
        model = SavedFilter
        fields = ("name", "tells")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.helper = Helper(self, submit="Save this filter", cancel=reverse("exchange:saved"))


#: Said when counting stopped.
MORE_THAN_CAP = f"more than {CAP:,}"
