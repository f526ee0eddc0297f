"""The forms of plans: one for each sort of piece, made from the fields that `content` describes, and the others."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db.models import Q
from django.urls import reverse
from django.utils import timezone

from partnerships.agreements.models import Partnership, Party, PartyRole, PartyStatus
from partnerships.kit.dates import MONTHS, PartialDate
from partnerships.kit.forms import AutocompleteSelect, DayField, DayInput, Form, Helper, ReasonForm, Section
from partnerships.kit.uploads import ACCEPT
from partnerships.organisations.models import Area, AreaKind, Organisation
from partnerships.people.models import User
from partnerships.plans.content import ABOUT, NEEDS, SITES, TENURES, Collection, Content, Field, Item
from partnerships.plans.models import Audience, Decision, Kind, Plan, Share, Status
from partnerships.plans.queries import taking_part
from partnerships.plans.services.publishing import moment_in_words
from partnerships.plans.starters import hint_for

BLANK_LINES = 4
MAX_LINES = 400
_NOTHING = ("", "Not given")
HINTS = {
    "body": "Headings with ##, lists with - and links work.",
    "summary": "What this plan is for, in a paragraph.",
    "notes": "For the owners and partners only, whatever the audience.",
    "confidential": "Confidential: only the owners and the partners see that this site exists",
    "restricted": "Only the owners and the partners see this",
    "planning_reference": "The reference the planning authority gave, such as 26/01234/FUL.",
    "measure": "A figure or a fact that says it has been reached.",
    "source": "Where it comes from: a document, or a web address.",
    "period_start": "The year alone is enough.",
    "baseline": "What was first promised. The month or the year alone is enough.",
    "forecast_start": "The month or the year alone is enough.",
    "area": "Start typing a district's name.",
}


class PartialDateInput(DayInput):
    """Day, month and year in three boxes, of which the day, or the day and the month, may stay empty."""

    def decompress(self, value: dt.date | str | None) -> list[Any]:
        """The boxes' contents for a partial date as plans keep it: "2027", "2027-04", "2027-04-11"."""
        if not isinstance(value, str) or not value:
            return [None, None, None]
        partial = PartialDate.parse(value)
        return [partial.day, partial.month, partial.year]


class PartialDateField(forms.MultiValueField):
    """A date as precise as it is known; cleans to "2027", "2027-04", "2027-04-11" or ""."""

    widget = PartialDateInput

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(
            fields=[forms.CharField(required=False, max_length=20) for _ in range(3)],
            require_all_fields=False,
            **kwargs,
        )

    def clean(self, value: Any) -> str:
        """The partial date; a problem is said in words that name the field."""
        day, month, year = (str(part or "").strip() for part in (value or ("", "", "")))
        if not day and not month and not year:
            return ""
        names = {name.lower(): number for number, name in enumerate(MONTHS, 1)}
        names |= {name[:3].lower(): number for number, name in enumerate(MONTHS, 1)}
        number = str(names.get(month.lower(), month))
        if not year or (day and not month):
            missing = "a year" if not year else "a month"
            raise ValidationError(f"{self.label} must include {missing}", code="incomplete")
        try:
            text = "-".join(part.zfill(width) for part, width in ((year, 4), (number, 2), (day, 2)) if part)
            return str(PartialDate.parse(text))
        except ValueError as error:
            raise ValidationError(f"{self.label} must be a real date, like 27 3 2027", code="invalid") from error

    def has_changed(self, initial: Any, data: Any) -> bool:
        """Whether the boxes say another date than before."""
        before = [str(part or "") for part in self.widget().decompress(initial)]
        return [str(part or "").strip() for part in (data or ("", "", ""))] != before


def _form_field(spec: Field, content: Content | None) -> forms.Field:
    """The form field for one field of a piece."""
    hint = HINTS.get(spec.code, "")
    common: dict[str, Any] = {"label": spec.label, "required": spec.required}
    if spec.shape == "site":
        sites = [(site["key"], site["name"]) for site in (content or {"sites": []})["sites"]]
        return forms.ChoiceField(choices=[("", "The whole plan"), *sites], help_text=hint, **common)
    if spec.shape == "text":
        rows = 16 if spec.code == "body" else 5
        return forms.CharField(
            widget=forms.Textarea(attrs={"rows": rows}), max_length=spec.max_length, help_text=hint, **common
        )
    if spec.shape == "date":
        return PartialDateField(help_text=hint, **common)
    if spec.shape == "choice":
        blank = [] if spec.default else [_NOTHING]
        return forms.ChoiceField(choices=[*blank, *spec.choices.items()], help_text=hint, **common)
    if spec.shape == "scale":
        return forms.TypedChoiceField(choices=list(spec.choices.items()), coerce=int, **common)
    if spec.shape == "flag":
        return forms.BooleanField(label=HINTS.get(spec.code, spec.label), required=False)
    if spec.shape == "area":
        areas = Area.objects.filter(kind__in=[AreaKind.DISTRICT, AreaKind.COUNTY]).order_by("name", "code")
        choices = [(code, f"{name} ({code})") for code, name in areas.values_list("code", "name")]
        return forms.ChoiceField(choices=[_NOTHING, *choices], widget=AutocompleteSelect, help_text=hint, **common)
    if spec.shape in ("latitude", "longitude"):
        limit = 90 if spec.shape == "latitude" else 180
        widget = forms.TextInput(attrs={"class": "govuk-input--width-10", "inputmode": "decimal"})
        return forms.FloatField(min_value=-limit, max_value=limit, widget=widget, **common)
    return forms.CharField(max_length=spec.max_length, help_text=hint, **common)


SITE_LAYOUT = (
    ("The site", ("name", "reference", "area", "planning_authority", "lat", "lng", "confidential")),
    ("Who and how", ("landowner", "lead", "planning_status", "planning_reference", "grant_programme")),
    (
        "When",
        ("forecast_start", "actual_start", "forecast_completion", "actual_completion", "confidence"),
    ),
    ("For the partners", ("notes",)),
)


class PieceForm(Form):
    """One piece of a plan; `based_on` is the revision that its author saw."""

    based_on = forms.IntegerField(widget=forms.HiddenInput, min_value=0, initial=0)

    def __init__(
        self, *args: Any, collection: Collection | None, content: Content | None = None, cancel: str = "", **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.collection = collection
        self.specs = [spec for spec in (collection.fields if collection else ABOUT) if spec.shape != "number"]
        if collection is not None and collection.code == "documents":
            self.specs = [spec for spec in self.specs if spec.code in ("title", "restricted")]
        for spec in self.specs:
            self.fields[spec.code] = _form_field(spec, content)
        if collection is None:
            self.fields["title"].required = True
        hint = hint_for(str(self.initial.get("title", ""))) if "body" in self.fields else ""
        if hint:
            self.fields["body"].help_text = f"{hint} {HINTS['body']}"
        if collection is SITES:
            layout: list[object] = [Section(heading, *names) for heading, names in SITE_LAYOUT]
        else:
            layout = [spec.code for spec in self.specs]
        # The buttons stand below what follows the form: the homes of a site.
        self.helper = Helper(self, *layout, submit="", cancel=cancel, tag=False)

    def value(self) -> Item:
        """The piece as `content` takes it."""
        return {spec.code: self.cleaned_data.get(spec.code) for spec in self.specs}


class HomesLineForm(Form):
    """One line of homes: a combination and how many."""

    tenure = forms.ChoiceField(
        choices=[(code, label[0].upper() + label[1:]) for code, label in TENURES.items()], required=False
    )
    bedrooms = forms.TypedChoiceField(
        choices=[("", "Not known"), ("0", "Studio"), *((str(count), str(count)) for count in range(1, 9))],
        coerce=int,
        empty_value=None,
        required=False,
    )
    needs = forms.ChoiceField(
        choices=[(code, label.removesuffix(" needs").capitalize()) for code, label in NEEDS.items()], required=False
    )
    year = forms.RegexField(
        r"^\d{4}([-/–]\d{2})?$",
        required=False,
        error_messages={"invalid": "Write the year as 2027, or 2027-28 for a financial year"},
    )
    count = forms.IntegerField(min_value=0, max_value=100_000, required=False, label="Homes")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        number = str(self.prefix or "0").rpartition("-")[2]
        place = int(number) + 1 if number.isdecimal() else 1
        labels = {"tenure": "Tenure", "bedrooms": "Bedrooms", "needs": "Needs type", "year": "Year", "count": "Homes"}
        for name, field in self.fields.items():
            select = isinstance(field, forms.ChoiceField)
            attributes = {
                "class": "govuk-select" if select else "govuk-input govuk-input--width-5",
                "aria-label": f"{labels[name]}, line {place}",
            }
            if name == "count":
                attributes |= {"inputmode": "numeric", "data-homes-count": ""}
            if self.is_bound and self.errors.get(name):
                attributes["class"] += " govuk-select--error" if select else " govuk-input--error"
            field.widget.attrs.update(attributes)


HomesFormSet = forms.formset_factory(HomesLineForm, extra=0, max_num=MAX_LINES, absolute_max=MAX_LINES)


def homes_lines(formset: Any) -> list[Item]:
    """The lines of a valid formset that have homes."""
    return [line for line in formset.cleaned_data if line.get("count")]


class PlanForm(Form):
    """Begin a plan."""

    title = forms.CharField(max_length=200)
    kind = forms.ChoiceField(
        choices=Kind.choices,
        widget=forms.RadioSelect,
        help_text="The draft begins with the sections and milestones that such a plan usually has.",
    )
    owners = forms.ModelMultipleChoiceField(
        queryset=Organisation.objects.none(),
        widget=forms.CheckboxSelectMultiple,
        label="Which of your organisations own it?",
    )
    partnership = forms.ModelChoiceField(
        queryset=Partnership.objects.none(), required=False, empty_label="None: it is ours alone"
    )
    partners = forms.BooleanField(
        label="Its other members own it too: their editors draft with us, and any lead may publish", required=False
    )
    audience = forms.ChoiceField(
        choices=Audience.choices,
        widget=forms.RadioSelect,
        label="Who may read it once it is published?",
        initial=Audience.PARTNERSHIP,
    )

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        mine = Organisation.objects.of_person(user, "editor", "lead").order_by("name", "pk")
        self.fields["owners"].queryset = mine  # type: ignore[attr-defined]  # a ModelMultipleChoiceField
        self.fields["partnership"].queryset = (  # type: ignore[attr-defined]  # a ModelChoiceField
            Partnership.objects.present_for(user, "editor", "lead")
            .live()
            .filter(pk__in=taking_part(mine).values("partnership"))
            .order_by("title", "pk")
        )
        owners = list(mine[:2])
        if len(owners) == 1:
            self.fields["owners"].initial = owners
        self.helper = Helper(
            self,
            Section("The plan", "title", "kind"),
            Section("Whose it is", "owners", "partnership", "partners"),
            Section("Who reads it", "audience"),
            submit="Begin the draft",
            cancel=reverse("plans:list"),
        )

    def clean(self) -> dict[str, Any]:
        """A partnership is needed where the partnership reads it."""
        data = super().clean() or {}
        if data.get("audience") == Audience.PARTNERSHIP and not data.get("partnership"):
            self.add_error("partnership", "Choose the partnership it belongs to, or another audience")
        return data

    def all_owners(self) -> list[Organisation]:
        """The chosen organisations, and the partnership's other members where they own it too."""
        owners = list(self.cleaned_data["owners"])
        partnership = self.cleaned_data["partnership"]
        if partnership is not None and self.cleaned_data["partners"]:
            others = taking_part().filter(partnership=partnership).select_related("organisation").order_by("pk")
            owners += [party.organisation for party in others if party.organisation not in owners]
        return owners


class PublishForm(Form):
    """Publish the draft: why, and how."""

    note = forms.CharField(
        label="What changed, and why?",
        widget=forms.Textarea(attrs={"rows": 4}),
        max_length=2_000,
        help_text="Everybody who is told of this version reads these words.",
    )
    minor = forms.BooleanField(
        label="This is a minor version: a correction that leaves every signature as it is", required=False
    )
    embargo_day = DayField(
        label="Hold back until", required=False, help_text="Until then only the owners see it. Leave empty to tell now."
    )
    embargo_time = forms.TimeField(
        label="At",
        required=False,
        initial="09:00",
        widget=forms.TimeInput(attrs={"class": "govuk-input--width-5"}, format="%H:%M"),
        help_text="For example 09:00",
    )
    end_shares = forms.BooleanField(
        required=False,
        initial=True,
        help_text="It was shown to them early. Left as it is, they go on seeing what you draft for the next version.",
    )
    draft_revision = forms.IntegerField(widget=forms.HiddenInput)

    def __init__(self, *args: Any, plan: Plan, shares: Sequence[Share] = (), **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        first = plan.current_number == 0
        if first:
            del self.fields["minor"]
        shown = [share.person.display_name for share in shares]
        if shown:
            self.fields["end_shares"].label = f"Stop showing the draft to {', '.join(shown)}"
        else:
            del self.fields["end_shares"]
        if plan.is_embargoed and plan.embargoed_until is not None:
            self.fields["embargo_day"].help_text = (
                f"Version {plan.current_number} is held back until {moment_in_words(plan.embargoed_until)}. This "
                "version holds what it says, and comes out with it. Choose a later moment to hold this one back longer."
            )
        names = [name for name in ("note", "minor", "end_shares") if name in self.fields]
        self.helper = Helper(
            self,
            *names,
            Section("Embargo", "embargo_day", "embargo_time"),
            submit=f"Publish version {plan.current_number + 1}",
            cancel=reverse("plans:draft", kwargs={"pk": plan.pk}),
        )

    def embargo(self) -> dt.datetime | None:
        """The moment until which only owners read it, in the site's zone."""
        day = self.cleaned_data.get("embargo_day")
        if day is None:
            return None
        at = self.cleaned_data.get("embargo_time") or dt.time(9)
        return timezone.make_aware(dt.datetime.combine(day, at))


class StatusForm(ReasonForm):
    """Take a plan on by hand."""

    status = forms.ChoiceField(widget=forms.RadioSelect, label="Make it")
    successor = forms.ModelChoiceField(
        queryset=Plan.objects.none(), required=False, label="Superseded by", empty_label="No plan"
    )

    field_order = ("status", "successor", "reason")

    def __init__(self, *args: Any, choices: Sequence[Status], successors: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["status"].choices = [(status.value, status.label) for status in choices]  # type: ignore[attr-defined]  # a ChoiceField
        if Status.SUPERSEDED in choices:
            self.fields["successor"].queryset = successors  # type: ignore[attr-defined]  # a ModelChoiceField
        else:
            del self.fields["successor"]
        self.helper.layout.fields = list(self.fields)


class AudienceForm(ReasonForm):
    """Choose who reads the published versions."""

    audience = forms.ChoiceField(choices=Audience.choices, widget=forms.RadioSelect, label="Who may read it?")

    field_order = ("audience", "reason")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.helper.layout.fields = list(self.fields)


class ShareForm(Form):
    """Show the draft to somebody by name."""

    email = forms.CharField(label="Their email address", max_length=254, validators=[validate_email])
    may_comment = forms.BooleanField(label="They may comment", required=False, initial=True)
    message = forms.CharField(
        label="Message", widget=forms.Textarea(attrs={"rows": 3}), required=False, max_length=1_000
    )
    ends_on = DayField(label="Last day", required=False, help_text="After it their link finds nothing.")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.helper = Helper(self, submit="Show them the draft")


class AnswerForm(Form):
    """Answer somebody who asks to see the draft: show it, on what terms, or not now."""

    answer = forms.ChoiceField(
        choices=[("grant", "Show them the draft"), ("decline", "Not now")],
        widget=forms.RadioSelect,
        label="Your answer",
    )
    may_comment = forms.BooleanField(label="They may comment", required=False, initial=True)
    ends_on = DayField(label="Last day", required=False, help_text="After it their link finds nothing.")
    message = forms.CharField(
        label="Message",
        widget=forms.Textarea(attrs={"rows": 3}),
        required=False,
        max_length=1_000,
        help_text="They read it in the email that tells them your answer.",
    )

    def __init__(self, *args: Any, cancel: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.helper = Helper(
            self,
            "answer",
            Section("If you show it", "may_comment", "ends_on"),
            Section("What you tell them", "message"),
            submit="Send the answer",
            cancel=cancel,
        )


class AskForm(Form):
    """Ask to see what is being prepared."""

    partnership = forms.ModelChoiceField(queryset=Partnership.objects.none(), empty_label=None)
    about = forms.CharField(
        label="Which plan?", max_length=300, help_text="Its title as you know it, or the address somebody gave you."
    )
    message = forms.CharField(
        label="Why would you like to see it?",
        widget=forms.Textarea(attrs={"rows": 3}),
        required=False,
        max_length=1_000,
    )

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["partnership"].queryset = (  # type: ignore[attr-defined]  # a ModelChoiceField
            Partnership.objects.present_for(user).order_by("title", "pk")
        )
        self.helper = Helper(self, submit="Ask its owners", cancel=reverse("plans:list"))


class CommentForm(Form):
    """Say something."""

    text = forms.CharField(
        label="Your comment",
        widget=forms.Textarea(attrs={"rows": 4}),
        max_length=5_000,
        help_text="Call on somebody with @ and their name, as in @Ben West.",
    )
    anchor = forms.ChoiceField(label="About", required=False)

    def __init__(self, *args: Any, anchors: Iterable[tuple[str, str]] = (), reply: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if reply:
            del self.fields["anchor"]
        else:
            self.fields["anchor"].choices = [("", "The whole plan"), *anchors]  # type: ignore[attr-defined]  # a ChoiceField
        self.order_fields(["anchor", "text"])
        self.helper = Helper(self, submit="Answer" if reply else "Comment")


class SignForm(Form):
    """Decide on a version."""

    decision = forms.ChoiceField(choices=Decision.choices, widget=forms.RadioSelect, label="Your decision")
    reason = forms.CharField(
        label="The condition, or why you reject it",
        widget=forms.Textarea(attrs={"rows": 3}),
        required=False,
        max_length=2_000,
        help_text="Leave empty when you approve.",
    )
    organisation = forms.ModelChoiceField(queryset=Organisation.objects.none(), empty_label=None, label="For")
    number = forms.IntegerField(widget=forms.HiddenInput)

    def __init__(self, data: Any = None, *, organisations: Sequence[Organisation], number: int) -> None:
        super().__init__(data, initial={"number": number})
        pks = [organisation.pk for organisation in organisations]
        field = self.fields["organisation"]
        field.queryset = Organisation.objects.filter(pk__in=pks).order_by("name", "pk")  # type: ignore[attr-defined]  # a ModelChoiceField
        field.initial = organisations[0] if organisations else None
        if len(pks) == 1:
            field.widget = forms.HiddenInput()
        self.helper = Helper(self, "organisation", "decision", "reason", "number", submit=f"Sign version {number}")

    def clean(self) -> dict[str, Any]:
        """A condition and a rejection have their words."""
        data = super().clean() or {}
        wants = {
            Decision.CONDITIONAL.value: "Say what the condition is",
            Decision.REJECTED.value: "Say why you reject it",
        }
        problem = wants.get(data.get("decision", ""))
        if problem and not data.get("reason", "").strip():
            self.add_error("reason", problem)
        return data


class SignatoriesForm(Form):
    """Choose who must sign, in which role, by when: one box for the role of each organisation that may."""

    due_on = DayField(label="Decide by", required=False, help_text="They are reminded from a week before.")

    def __init__(self, *args: Any, plan: Plan, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        asked = plan.signatories.filter(removed_at=None).values("organisation")
        parties = Party.objects.filter(
            partnership=plan.partnership_id, status=PartyStatus.ACCEPTED, partnership__isnull=False
        ).exclude(role=PartyRole.OBSERVER)
        owners = Q(pk__in=plan.owners.values("organisation"))
        partners = Q(pk__in=parties.values("organisation")) if plan.audience != Audience.OWNERS else Q(pk__in=[])
        self.organisations = list(
            Organisation.objects.filter(owners | partners).exclude(pk__in=asked).order_by("name", "pk")
        )
        names = []
        for organisation in self.organisations:
            name = f"role_{organisation.pk}"
            names.append(name)
            self.fields[name] = forms.CharField(
                label=organisation.name,
                required=False,
                max_length=150,
                help_text="Who signs for it, such as chief executive. Leave empty if it need not sign.",
            )
        self.helper = Helper(self, *names, "due_on", submit="Ask for sign-off")

    def chosen(self) -> list[tuple[Organisation, str]]:
        """The organisations for which a role was given."""
        return [
            (organisation, role)
            for organisation in self.organisations
            if (role := self.cleaned_data.get(f"role_{organisation.pk}", "").strip())
        ]


class DueDayForm(ReasonForm):
    """Give a signatory another day by which to decide."""

    due_on = DayField(label="Decide by", required=False, help_text="Leave empty for no day.")

    field_order = ("due_on", "reason")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.helper.layout.fields = list(self.fields)


class ConditionForm(Form):
    """Say that a condition is met."""

    note = forms.CharField(
        label="How was it met?", widget=forms.Textarea(attrs={"rows": 3}), required=False, max_length=1_000
    )

    def __init__(self, *args: Any, cancel: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.helper = Helper(self, submit="The condition is met", cancel=cancel)


class MilestoneForm(Form):
    """One short form: a milestone achieved, or moved; it publishes a version.

    `based_on` is the number of the version that its author saw.
    """

    happened = forms.ChoiceField(
        choices=[("achieved", "It is achieved"), ("moved", "Its forecast moved"), ("cancelled", "It is cancelled")],
        widget=forms.RadioSelect,
        label="What happened?",
    )
    date = PartialDateField(
        required=False,
        label="When",
        help_text="The day it was achieved, or the new forecast. A month or a year will do.",
    )
    note = forms.CharField(label="Why?", widget=forms.Textarea(attrs={"rows": 3}), max_length=2_000)
    minor = forms.BooleanField(label="This is a minor version: signatures stay as they are", required=False)
    based_on = forms.IntegerField(widget=forms.HiddenInput, min_value=1)

    def __init__(self, *args: Any, cancel: str, newest: int, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["based_on"].initial = newest
        self.helper = Helper(self, submit=f"Publish version {newest + 1}", cancel=cancel)

    def clean(self) -> dict[str, Any]:
        """What is achieved or moved has a date."""
        data = super().clean() or {}
        if data.get("happened") in ("achieved", "moved") and not data.get("date") and "date" not in self.errors:
            self.add_error("date", "Enter when it was achieved, or the new forecast")
        return data

    def applied(self, item: Item) -> Item:
        """The milestone with what happened."""
        happened, date = self.cleaned_data["happened"], self.cleaned_data["date"]
        if happened == "achieved":
            return {**item, "actual": date, "status": "achieved"}
        if happened == "moved":
            return {
                **item,
                "forecast": date,
                "actual": "",
                "status": "late" if item["status"] == "achieved" else item["status"],
            }
        return {**item, "status": "cancelled"}


class DocumentForm(Form):
    """Attach a file to the draft."""

    title = forms.CharField(max_length=200, required=False, help_text="Leave empty to use the file's name.")
    file = forms.FileField(widget=forms.FileInput(attrs={"accept": ACCEPT}))
    restricted = forms.BooleanField(label=HINTS["restricted"], required=False)

    def __init__(self, *args: Any, cancel: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.helper = Helper(self, submit="Attach to the draft", cancel=cancel)


class PlanFilter(Form):
    """Narrow the list of plans."""

    q = forms.CharField(label="Title", required=False, max_length=200)
    kind = forms.ChoiceField(choices=[("", "Any kind"), *Kind.choices], required=False)
    status = forms.ChoiceField(choices=[("", "Any status"), *Status.choices], required=False)
    mine = forms.BooleanField(label="Owned by my organisations", required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.helper = Helper(self, submit="Show", method="get")
