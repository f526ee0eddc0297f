"""Writing, changing, sharing, agreeing and withdrawing one's own asks and offers."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.forms import BaseForm
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.views.decorators.http import require_http_methods, require_POST

from partnerships.commitments.models import OVER as COMMITMENT_OVER
from partnerships.commitments.models import Commitment, CommitmentQuerySet, Kind
from partnerships.exchange import services
from partnerships.exchange.forms import AgreedForm, EntryForm, MeetForm, ReasonForm
from partnerships.exchange.models import Audience, Entry
from partnerships.exchange.queries.candidates import BEST, best_for_reader
from partnerships.exchange.rights import rights_over
from partnerships.kit.http import posted
from partnerships.kit.rights import require
from partnerships.organisations.rights import roles_of
from partnerships.people.requests import signed_in
from partnerships.people.told import noting_told

_KEPT = (
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


def own_entry(request: HttpRequest, pk: int) -> Entry:
    """The entry of one's own organisation; 404 where it cannot be seen, 403 where it is only read."""
    user = signed_in(request)
    entry = get_object_or_404(Entry.objects.visible_to(user).select_related("organisation", "partnership"), pk=pk)
    require(rights_over(entry, user, timezone.now()).may_edit)
    return entry


def answer(request: HttpRequest, template: str, form: BaseForm, **context: Any) -> HttpResponse:
    """The form's page; 422 where what was sent does not hold."""
    status = 422 if form.is_bound and (form.errors or form.non_field_errors()) else 200
    return render(request, template, {"form": form, **context}, status=status)


def _details(data: dict[str, Any]) -> dict[str, Any]:
    return {name: data[name] for name in _KEPT if name in data}


def _shared_message(entry: Entry) -> str:
    what = "ask" if entry.is_ask else "offer"
    if entry.audience == Audience.NETWORK:
        return f"Your {what} is shared with the whole network."
    if entry.audience == Audience.PARTNERSHIP and entry.partnership:
        told = "The leads of its other parties will be told by email."
        return f"Your {what} is shared with {entry.partnership.title}. {told}"
    names = [row.organisation.name for row in entry.addressees.select_related("organisation").order_by("pk")]
    return f"Your {what} is shared with {', '.join(names)}. Their leads will be told by email."


def _say_what_became(request: HttpRequest, entry: Entry) -> None:
    """That it is saved or shared; and, since partners who fit are found at once, how many there are."""
    if entry.is_draft:
        messages.success(request, "The draft is saved.")
        return
    found = len(best_for_reader(entry, signed_in(request), timezone.localdate()))
    address = reverse("exchange:entry-matches", args=[entry.pk])
    fits = (
        format_html(
            ' <a class="govuk-link" href="{}">{} {} {} it.</a>',
            address,
            f"{BEST} or more" if found >= BEST else found,
            ("offer" if entry.is_ask else "ask") + ("s" if found > 1 else ""),
            "fit" if found > 1 else "fits",
        )
        if found
        else ""
    )
    messages.success(request, format_html("{}{}", _shared_message(entry), fits))


@require_http_methods(["GET", "HEAD", "POST"])
def new(request: HttpRequest) -> HttpResponse:
    """Write an ask or an offer; save it as a draft, or share it at once."""
    user = signed_in(request)
    require(roles_of(user, timezone.now()).edits_somewhere)
    suggested = ("direction", "partnership", "theme", "standing")
    initial = {name: request.GET[name] for name in suggested if name in request.GET}
    if "partnership" in initial:
        initial["audience"] = Audience.PARTNERSHIP
    data = posted(request)
    form = EntryForm(data, user=user, cancel=reverse("exchange:board"), initial=initial)
    if form.is_valid():
        chosen = form.cleaned_data
        try:
            entry = services.create_entry(
                organisation=chosen["organisation"],
                direction=chosen["direction"],
                audience=chosen["audience"],
                partnership=chosen["partnership"],
                addressees=chosen["addressees"],
                areas=chosen["areas"],
                key=chosen["key"],
                author=user,
                now=timezone.now(),
                **_details(chosen),
            )
            if "draft" not in request.POST and entry.is_draft:
                services.share_entry(entry=entry, author=user, now=timezone.now())
        except services.UnableToShareEntry as error:
            messages.warning(request, f"It is saved as a draft, and not shared yet: {error}")
            return redirect("exchange:edit", pk=entry.pk)
        except services.UnableToChangeEntry as error:
            form.add_error(None, str(error))
        else:
            _say_what_became(request, entry)
            return redirect(entry)
    return answer(request, "exchange/new.html", form)


@require_http_methods(["GET", "HEAD", "POST"])
def edit(request: HttpRequest, pk: int) -> HttpResponse:
    """Change an entry; to whom it is addressed only while it is a draft."""
    entry = own_entry(request, pk)
    user = signed_in(request)
    if entry.is_over:
        messages.warning(request, f"It is {entry.get_status_display().lower()}: it can no longer be changed.")
        return redirect(entry)
    initial = {name: getattr(entry, name) for name in (*_KEPT, "audience", "partnership", "revision")}
    initial["areas"] = list(entry.areas.values_list("pk", flat=True))
    initial["addressees"] = list(entry.addressees.values_list("organisation", flat=True))
    data = posted(request)
    form = EntryForm(data, user=user, entry=entry, cancel=entry.get_absolute_url(), initial=initial)
    if form.is_valid():
        chosen = form.cleaned_data
        addressing = {
            name: chosen[name]
            for name in ("audience", "partnership", "addressees")
            if name in chosen and entry.is_draft
        }
        try:
            services.edit_entry(
                entry=entry,
                author=user,
                now=timezone.now(),
                revision=chosen["revision"],
                areas=chosen["areas"],
                **addressing,
                **_details(chosen),
            )
            if entry.is_draft and "draft" not in request.POST:
                services.share_entry(entry=entry, author=user, now=timezone.now())
                _say_what_became(request, entry)
            else:
                messages.success(request, "The draft is saved." if entry.is_draft else "The changes are saved.")
        except services.UnableToChangeEntry as error:
            form.add_error(None, str(error))
        else:
            return redirect(entry)
    return answer(request, "exchange/edit.html", form, entry=entry)


@require_POST
def share(request: HttpRequest, pk: int) -> HttpResponse:
    """Share a draft as it stands."""
    entry = own_entry(request, pk)
    try:
        services.share_entry(entry=entry, author=signed_in(request), now=timezone.now())
    except services.UnableToChangeEntry as error:
        messages.error(request, str(error))
    else:
        _say_what_became(request, entry)
    return redirect(entry)


@require_http_methods(["GET", "HEAD", "POST"])
def agreed(request: HttpRequest, pk: int) -> HttpResponse:
    """Mark an entry as agreed elsewhere, saying how."""
    entry = own_entry(request, pk)
    form = AgreedForm(posted(request), entry=entry)
    if form.is_valid():
        try:
            services.mark_agreed(entry=entry, author=signed_in(request), now=timezone.now(), **form.cleaned_data)
        except services.UnableToChangeEntry as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, f"“{entry.title}” is marked as agreed.")
            return redirect(entry)
    return answer(request, "exchange/act.html", form, entry=entry, title="Mark as agreed")


def _able_to_meet(entry: Entry, request: HttpRequest) -> CommitmentQuerySet:
    """The commitments that may meet it: those its organisation receives (for an offer: gives) and that are not over."""
    side = "receiver" if entry.is_ask else "giver"
    seen = Commitment.objects.visible_to(signed_in(request)).exclude(status__in=COMMITMENT_OVER)
    return seen.filter(kind=Kind.COMMITMENT, **{side: entry.organisation_id}).order_by("-pk")


@require_http_methods(["GET", "HEAD", "POST"])
def meet(request: HttpRequest, pk: int) -> HttpResponse:
    """Say which commitment meets an entry, where it was made from none or from another."""
    entry = own_entry(request, pk)
    able = _able_to_meet(entry, request)
    form = MeetForm(posted(request), entry=entry, commitments=able)
    if form.is_valid():
        chosen = form.cleaned_data
        try:
            services.meet_with(
                entry=entry,
                commitment=chosen["commitment"],
                quantity=chosen.get("quantity"),
                author=signed_in(request),
                now=timezone.now(),
            )
        except services.UnableToChangeEntry as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, f"{chosen['commitment'].reference} meets “{entry.title}”.")
            return redirect(entry)
    title = "Which commitment meets it?" if entry.is_ask else "Which commitment uses it?"
    return answer(request, "exchange/meet.html", form, entry=entry, title=title, able=able.exists())


@require_http_methods(["GET", "HEAD", "POST"])
def withdraw(request: HttpRequest, pk: int) -> HttpResponse:
    """Withdraw an entry, saying why."""
    entry = own_entry(request, pk)
    what = "ask" if entry.is_ask else "offer"
    data = posted(request)
    form = ReasonForm(data, entry=entry, submit=f"Withdraw this {what}", label="Why is it withdrawn?", danger=True)
    if form.is_valid():
        try:
            with noting_told() as told:
                services.withdraw_entry(
                    entry=entry, reason=form.cleaned_data["reason"], author=signed_in(request), now=timezone.now()
                )
        except services.UnableToChangeEntry as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, f"“{entry.title}” is withdrawn.{told.words()}")
            return redirect(entry)
    return answer(request, "exchange/act.html", form, entry=entry, title=f"Withdraw this {what}")
