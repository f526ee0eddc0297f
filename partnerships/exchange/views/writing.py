"""Pages to write, change and share asks and offers, to mark them as agreed, and to withdraw them."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.views.decorators.http import require_http_methods, require_POST

from partnerships.agreements.models import Partnership
from partnerships.agreements.origin import OriginRecord, OriginSuggestion, record_named_in
from partnerships.commitments.models import FINAL_STATUSES as COMMITMENT_OVER
from partnerships.commitments.models import Commitment, CommitmentQuerySet, Kind
from partnerships.exchange import services
from partnerships.exchange.forms.entry import AgreedForm, EntryForm, MeetForm
from partnerships.exchange.forms.fields import ReasonForm
from partnerships.exchange.models import Audience, Entry
from partnerships.exchange.queries.candidates import BEST, best_for_reader
from partnerships.exchange.views.fetching import editable_entry
from partnerships.kit.forms import searching_form
from partnerships.kit.http import form_page, post_data, row_number, show_refusal
from partnerships.kit.rights import require
from partnerships.organisations.models import EDITING_ROLES
from partnerships.organisations.rights import roles_of
from partnerships.outbox.content import WILL_BE_SENT
from partnerships.people.models import User
from partnerships.people.recipients import collect_recipients
from partnerships.people.requests import signed_in

#: The fields of an entry that its form sets without further checks.
_FIELDS = (
    "title",
    "statement",
    "rationale",
    "theme",
    "quantity",
    "unit",
    "site",
    "available_from",
    "available_until",
    "closes_on",
    "conditions",
    "standing",
    "private_note",
)


def _details(data: dict[str, Any]) -> dict[str, Any]:
    """Return the form's values for the fields of an entry."""
    return {name: data[name] for name in _FIELDS if name in data}


def _shared_message(entry: Entry) -> str:
    """Return the message about who can now read the entry, and who gets an email."""
    noun = "ask" if entry.is_ask else "offer"
    if entry.audience == Audience.NETWORK:
        return f"Your {noun} has been shared with the whole network."
    if entry.audience == Audience.PARTNERSHIP and entry.partnership:
        title = entry.partnership.title
        return f"Your {noun} has been shared with {title}. {WILL_BE_SENT} the leads of its other parties."
    addressees = entry.addressees.select_related("organisation").order_by("pk")
    names = ", ".join(addressee.organisation.name for addressee in addressees)
    return f"Your {noun} has been shared with {names}. {WILL_BE_SENT} their leads."


def _report_sharing(request: HttpRequest, entry: Entry) -> None:
    """Show a message that the entry is saved or shared, and how many matches it already has."""
    if entry.is_draft:
        messages.success(request, "The draft has been saved.")
        return
    count = len(best_for_reader(entry, signed_in(request), timezone.localdate()))
    messages.success(request, format_html("{}{}", _shared_message(entry), _link_to_matches(entry, count)))


def _link_to_matches(entry: Entry, count: int) -> str:
    """Return a link to the matches of an entry, for the end of a message; "" if there are none."""
    if count == 0:
        return ""
    noun = "offer" if entry.is_ask else "ask"
    if count == 1:
        link_text = f"1 matching {noun}"
    elif count < BEST:
        link_text = f"{count} matching {noun}s"
    else:
        link_text = f"{BEST} or more matching {noun}s"
    address = reverse("exchange:entry-matches", args=[entry.pk])
    return format_html(' See <a class="govuk-link" href="{}">{}</a>.', address, link_text)


@require_http_methods(["GET", "HEAD", "POST"])
def new_entry(request: HttpRequest) -> HttpResponse:
    """Write an ask or an offer, and save it as a draft or share it at once.

    The URL `?from=result-12&partnership=3` names the record that the entry comes from, and its partnership.
    """
    user = signed_in(request)
    require(roles_of(user, timezone.now()).edits_somewhere)
    came_from = record_named_in(request.GET.get("from", ""), Entry)
    suggestion = _suggested(user, came_from, request.GET.get("partnership", ""))
    if request.GET.get("from") and suggestion is None:
        raise Http404

    initial = _initial(request, suggestion)
    form = searching_form(request, EntryForm, user=user, cancel=reverse("exchange:board"), initial=initial)

    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        try:
            entry = services.create_entry(
                organisation=data["organisation"],
                direction=data["direction"],
                audience=data["audience"],
                partnership=data["partnership"],
                addressees=data["addressees"],
                areas=data["areas"],
                key=data["key"],
                came_from=came_from,
                author=user,
                now=timezone.now(),
                **_details(data),
            )
            if "draft" not in request.POST and entry.is_draft:
                services.share_entry(entry=entry, author=user, now=timezone.now())
        except services.UnableToShareEntry as error:
            # The service has created the entry, so the person continues with the draft.
            messages.warning(request, f"We have saved the draft, but have not shared it yet. {error}")
            return redirect("exchange:edit", pk=entry.pk)
        except services.UnableToChangeEntry as error:
            form.add_error(None, str(error))
        else:
            _report_sharing(request, entry)
            return redirect(entry)

    return form_page(request, "exchange/new.html", form, suggested=suggestion)


def _initial(request: HttpRequest, suggestion: OriginSuggestion | None) -> dict[str, Any]:
    """Return the values of a new entry that the URL and the suggestion give."""
    query_fields = ("direction", "partnership", "theme", "standing")
    initial = {name: request.GET[name] for name in query_fields if name in request.GET}
    if suggestion is not None:
        initial["title"] = suggestion.text
    if "partnership" in initial:
        initial["audience"] = Audience.PARTNERSHIP
    return initial


def _suggested(user: User, came_from: OriginRecord | None, partnership_text: str) -> OriginSuggestion | None:
    """Return a record's suggestion for an ask or offer in a partnership; None if the person may not use it there."""
    partnerships = Partnership.objects.with_party_of(user, *EDITING_ROLES)
    partnership = partnerships.filter(pk=row_number(partnership_text) or 0).first()
    if came_from is None or partnership is None:
        return None
    return came_from.origin.suggest(user, partnership, came_from.record)


@require_http_methods(["GET", "HEAD", "POST"])
def edit_entry(request: HttpRequest, pk: int) -> HttpResponse:
    """Change an entry. Its audience can change only while the entry is a draft."""
    entry = editable_entry(request, pk)
    user = signed_in(request)
    if entry.is_over:
        messages.warning(request, services.refusal_of_change(entry))
        return redirect(entry)

    initial = _initial_of_entry(entry)
    form = searching_form(request, EntryForm, user=user, entry=entry, cancel=entry.get_absolute_url(), initial=initial)

    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        # The form of a shared entry has no fields for its audience.
        sharing = None
        if entry.is_draft:
            sharing = services.EntrySharing(data["audience"], data["partnership"], data["addressees"])
        with show_refusal(form, services.UnableToChangeEntry):
            services.edit_entry(
                entry=entry,
                author=user,
                now=timezone.now(),
                revision=data["revision"],
                sharing=sharing,
                areas=data["areas"],
                **_details(data),
            )
            # A colleague may have shared the draft meanwhile: the service has read the entry again under its lock.
            is_still_draft = entry.is_draft
            if is_still_draft and "draft" not in request.POST:
                services.share_entry(entry=entry, author=user, now=timezone.now())
            if is_still_draft:
                _report_sharing(request, entry)
            else:
                messages.success(request, "The changes have been saved.")
            return redirect(entry)

    return form_page(request, "exchange/edit.html", form, entry=entry)


def _initial_of_entry(entry: Entry) -> dict[str, Any]:
    """Return the present values of an entry for its form."""
    initial = {name: getattr(entry, name) for name in (*_FIELDS, "audience", "partnership", "revision")}
    initial["areas"] = list(entry.areas.values_list("pk", flat=True))
    initial["addressees"] = list(entry.addressees.values_list("organisation", flat=True))
    return initial


@require_POST
def share_with_audience(request: HttpRequest, pk: int) -> HttpResponse:
    """Share a draft without further changes."""
    entry = editable_entry(request, pk)

    try:
        services.share_entry(entry=entry, author=signed_in(request), now=timezone.now())
    except services.UnableToChangeEntry as error:
        messages.error(request, str(error))
    else:
        _report_sharing(request, entry)
    return redirect(entry)


@require_http_methods(["GET", "HEAD", "POST"])
def mark_entry_agreed(request: HttpRequest, pk: int) -> HttpResponse:
    """Record how and with whom an entry was agreed outside this site."""
    entry = editable_entry(request, pk)
    form = AgreedForm(post_data(request), entry=entry)

    if request.method == "POST" and form.is_valid():
        with show_refusal(form, services.UnableToChangeEntry):
            with collect_recipients() as recipients:
                services.mark_agreed(entry=entry, author=signed_in(request), now=timezone.now(), **form.cleaned_data)
            messages.success(request, f"“{entry.title}” has been marked as agreed.{recipients.sentence()}")
            return redirect(entry)

    return form_page(request, "exchange/act.html", form, entry=entry, title="Mark as agreed")


def _possible_commitments(entry: Entry, request: HttpRequest) -> CommitmentQuerySet:
    """Return the open commitments that the entry's organisation receives, or for an offer gives."""
    side = "receiver" if entry.is_ask else "giver"
    open_commitments = Commitment.objects.visible_to(signed_in(request)).exclude(status__in=COMMITMENT_OVER)
    return open_commitments.filter(kind=Kind.COMMITMENT, **{side: entry.organisation_id}).order_by("-pk")


@require_http_methods(["GET", "HEAD", "POST"])
def mark_entry_met(request: HttpRequest, pk: int) -> HttpResponse:
    """Link an existing commitment to an entry."""
    entry = editable_entry(request, pk)
    commitments = _possible_commitments(entry, request)
    form = MeetForm(post_data(request), entry=entry, commitments=commitments)

    if request.method == "POST" and form.is_valid():
        commitment = form.cleaned_data["commitment"]
        with show_refusal(form, services.UnableToChangeEntry):
            with collect_recipients() as recipients:
                services.meet_entry(
                    entry=entry,
                    commitment=commitment,
                    quantity=form.cleaned_data.get("quantity"),
                    author=signed_in(request),
                    now=timezone.now(),
                )
            messages.success(
                request, f"{commitment.reference} has been linked to “{entry.title}”.{recipients.sentence()}"
            )
            return redirect(entry)

    return form_page(
        request,
        "exchange/meet.html",
        form,
        entry=entry,
        title=f"Link a commitment to this {entry.get_direction_display().lower()}",
        has_commitments=commitments.exists(),
    )


@require_http_methods(["GET", "HEAD", "POST"])
def withdraw_with_reason(request: HttpRequest, pk: int) -> HttpResponse:
    """Withdraw an entry, with a reason."""
    entry = editable_entry(request, pk)
    kind = entry.get_direction_display().lower()
    label = f"Why are you withdrawing this {kind}?"
    form = ReasonForm(post_data(request), entry=entry, submit=f"Withdraw {kind}", label=label, danger=True)

    if request.method == "POST" and form.is_valid():
        reason = form.cleaned_data["reason"]
        with show_refusal(form, services.UnableToChangeEntry):
            with collect_recipients() as recipients:
                services.withdraw_entry(entry=entry, reason=reason, author=signed_in(request), now=timezone.now())
            messages.success(request, f"“{entry.title}” has been withdrawn.{recipients.sentence()}")
            return redirect(entry)

    return form_page(request, "exchange/act.html", form, entry=entry, title=f"Withdraw this {kind}")
