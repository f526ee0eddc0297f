"""The page to propose a commitment, which may come from a record or replace another commitment."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from partnerships.agreements.models import Partnership
from partnerships.commitments import services
from partnerships.commitments.forms.terms import ProposeForm
from partnerships.commitments.models import Commitment
from partnerships.commitments.origins import CommitmentSuggestion, OriginRecord, parse_origin_record
from partnerships.commitments.rights import organisations_to_act, rights_over
from partnerships.commitments.views.fetching import TERMS, commitment_for
from partnerships.kit.forms import searching_form
from partnerships.kit.http import form_page, row_number, show_refusal
from partnerships.kit.rights import require
from partnerships.organisations.models import EDITING_ROLES, Organisation
from partnerships.people.models import User
from partnerships.people.recipients import collect_recipients
from partnerships.people.requests import signed_in


@require_http_methods(["GET", "HEAD", "POST"])
def propose_commitment(request: HttpRequest) -> HttpResponse:
    """Propose a commitment.

    For example, `?from=response-12` opens the form with the values of a response, and `?replaces=12` opens it with the
    terms of the commitment that the new one replaces.
    """
    user = signed_in(request)
    if not Organisation.objects.of_person(user, *EDITING_ROLES).exists():
        raise PermissionDenied
    came_from, suggestion = _origin_and_suggestion(request, user)
    replaces = _commitment_to_replace(request, user)
    form = searching_form(
        request,
        ProposeForm,
        user=user,
        also_offered=_organisations_named_by(suggestion, replaces),
        only_offered=_giver_and_receiver(suggestion, replaces),
        initial=_initial_values(request, user, suggestion, replaces),
    )

    if request.method == "POST" and form.is_valid():
        with show_refusal(form, services.UnableToPropose, services.UnableToConfirm):
            with collect_recipients() as recipients:
                commitment = _propose(form, came_from, replaces, author=user)
            waiting = " and ".join(organisation.display_name for organisation in organisations_to_act(commitment))
            message = f"{commitment.reference} has been proposed. It is waiting for {waiting} to confirm it."
            messages.success(request, f"{message}{recipients.sentence()}")
            return redirect(commitment)

    return form_page(
        request,
        "commitments/new.html",
        form,
        suggestion=suggestion,
        replaces=replaces,
        back=_back_link(suggestion, replaces),
    )


def _propose(
    form: ProposeForm, came_from: OriginRecord | None, replaces: Commitment | None, *, author: User
) -> Commitment:
    """Propose the commitment of a valid form. Raises `UnableToPropose` and `UnableToConfirm`."""
    terms = {name: form.cleaned_data[name] for name in TERMS}
    return services.propose_commitment(
        **terms,
        giver=form.cleaned_data["giver"],
        receiver=form.cleaned_data["receiver"],
        partnership=form.cleaned_data["partnership"],
        confirm=form.cleaned_data.get("confirm", False),
        key=form.cleaned_data["key"],
        replaces=replaces,
        came_from=came_from,
        author=author,
        now=timezone.now(),
    )


def _origin_and_suggestion(request: HttpRequest, user: User) -> tuple[OriginRecord | None, CommitmentSuggestion | None]:
    """Return the record named by `?from=` and what it suggests, or None and None without `?from=`.

    Raises Http404 if no record has this name, or the person may not use the record.
    """
    text = request.GET.get("from", "")
    if not text:
        return None, None
    came_from = parse_origin_record(text)
    if came_from is None:
        raise Http404
    suggestion = came_from.origin.suggest(user=user, record_id=came_from.record_id)
    if suggestion is None:
        raise Http404
    return came_from, suggestion


def _back_link(suggestion: CommitmentSuggestion | None, replaces: Commitment | None) -> str:
    """Return the URL of the record or commitment from which the person came, or else of the list of commitments."""
    if suggestion is not None:
        return suggestion.href
    if replaces is not None:
        return replaces.get_absolute_url()
    return reverse("commitments:list")


def _commitment_to_replace(request: HttpRequest, user: User) -> Commitment | None:
    """Return the commitment named by `?replaces=`, or None without `?replaces=`.

    Raises Http404 unless the person may see the commitment, and PermissionDenied unless the person may replace it.
    """
    text = request.GET.get("replaces", "")
    if not text:
        return None
    pk = row_number(text)
    if pk is None:
        raise Http404
    commitment = commitment_for(user, pk)
    require(rights_over(commitment, user, timezone.now()).may_replace)
    return commitment


def _organisations_named_by(
    suggestion: CommitmentSuggestion | None, replaces: Commitment | None
) -> tuple[Organisation, ...]:
    """Return the givers and receivers that the record and the replaced commitment name."""
    organisations: list[Organisation | None] = []
    if suggestion is not None:
        organisations += [suggestion.giver, suggestion.receiver]
    if replaces is not None:
        organisations += [replaces.giver, replaces.receiver]
    return tuple(organisation for organisation in organisations if organisation is not None)


def _giver_and_receiver(
    suggestion: CommitmentSuggestion | None, replaces: Commitment | None
) -> tuple[Organisation, ...]:
    """Return giver and receiver if the person cannot choose others, or else an empty tuple.

    They are those of the replaced commitment, or those of the record if it names both.
    """
    if replaces is not None:
        return _organisations_named_by(None, replaces)
    return suggestion.pair if suggestion else ()


def _initial_values(
    request: HttpRequest, user: User, suggestion: CommitmentSuggestion | None, replaces: Commitment | None
) -> dict[str, Any]:
    """Return the initial values of the form.

    They come from the replaced commitment, or else from the record, or else from the person and `?partnership=`.
    """
    if replaces is not None:
        return {name: getattr(replaces, name) for name in (*TERMS, "giver", "receiver", "partnership")}
    if suggestion is not None:
        names = ("giver", "receiver", "partnership", "text", "quantity", "unit", "due_on")
        return {name: getattr(suggestion, name) for name in names}
    initial: dict[str, Any] = {}
    own_organisations = Organisation.objects.of_person(user, *EDITING_ROLES)
    if own_organisations.count() == 1:
        initial["giver"] = own_organisations.get()
    partnership = row_number(request.GET.get("partnership", ""))
    if partnership is not None:
        initial["partnership"] = Partnership.objects.with_party_of(user, *EDITING_ROLES).filter(pk=partnership).first()
    return initial
