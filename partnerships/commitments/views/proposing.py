"""The page to propose a commitment: from scratch, from a record, or to replace another."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from partnerships.agreements.models import Partnership
from partnerships.commitments import services
from partnerships.commitments.forms.terms import ProposeForm
from partnerships.commitments.models import Commitment
from partnerships.commitments.origins import Suggestion, read_from
from partnerships.commitments.rights import rights_over, waits_for
from partnerships.commitments.views.steps import TERMS, commitment_for
from partnerships.kit.forms import searching_form
from partnerships.kit.http import row_number
from partnerships.kit.rights import require
from partnerships.organisations.models import EDITING_ROLES, Organisation
from partnerships.people.form_steps import take_step
from partnerships.people.models import User
from partnerships.people.requests import signed_in


@require_http_methods(["GET", "HEAD", "POST"])
def new(request: HttpRequest) -> HttpResponse:
    """Propose a commitment.

    `?from=response-12` names the record that it is made from; `?replaces=12` the commitment that it replaces.
    """
    user = signed_in(request)
    if not Organisation.objects.of_person(user, *EDITING_ROLES).exists():
        raise PermissionDenied
    came_from = read_from(request.GET.get("from", ""))
    suggestion = came_from.origin.suggest(user=user, record_id=came_from.record_id) if came_from else None
    if request.GET.get("from") and (came_from is None or suggestion is None):
        raise Http404
    replaces = _replaced(request, user)
    form_kwargs: dict[str, Any] = {
        "user": user,
        "extra": _organisations_of(suggestion, replaces),
        "pair": _pair_of(suggestion, replaces),
        "initial": _initial(request, user, suggestion, replaces),
    }
    form = searching_form(request, lambda data: ProposeForm(data, **form_kwargs))

    def step() -> tuple[str, str]:
        """Propose the commitment, and say who must confirm it."""
        terms = {name: form.cleaned_data[name] for name in TERMS}
        commitment = services.propose_commitment(
            **terms,
            giver=form.cleaned_data["giver"],
            receiver=form.cleaned_data["receiver"],
            partnership=form.cleaned_data["partnership"],
            confirm=form.cleaned_data.get("confirm", False),
            key=form.cleaned_data["key"],
            replaces=replaces,
            came_from=came_from,
            author=user,
            now=timezone.now(),
        )
        waiting = " and ".join(side.display_name for side in waits_for(commitment))
        words = f"{commitment.reference} has been proposed. It is waiting for {waiting} to confirm it."
        return words, commitment.get_absolute_url()

    back = suggestion.href if suggestion else replaces.get_absolute_url() if replaces else reverse("commitments:list")
    return take_step(
        request,
        "commitments/new.html",
        form,
        step,
        {services.UnableToPropose: None, services.UnableToConfirm: None},
        say_who_gets_emails=True,
        suggestion=suggestion,
        replaces=replaces,
        back=back,
    )


def _replaced(request: HttpRequest, user: User) -> Commitment | None:
    """The commitment to replace, if the URL names one. 404 unless the person may see it."""
    text = request.GET.get("replaces", "")
    if not text:
        return None
    pk = row_number(text)
    if pk is None:
        raise Http404
    commitment = commitment_for(user, pk)
    require(rights_over(commitment, user, timezone.now()).may_replace)
    return commitment


def _organisations_of(suggestion: Suggestion | None, replaces: Commitment | None) -> tuple[Organisation, ...]:
    """The sides that the record or the replaced commitment names."""
    organisations = [
        *((suggestion.giver, suggestion.receiver) if suggestion else ()),
        *((replaces.giver, replaces.receiver) if replaces else ()),
    ]
    return tuple(organisation for organisation in organisations if organisation is not None)


def _pair_of(suggestion: Suggestion | None, replaces: Commitment | None) -> tuple[Organisation, ...]:
    """The two sides, if the record or the replaced commitment fixes both; else none."""
    if replaces is not None:
        return _organisations_of(None, replaces)
    return suggestion.pair if suggestion else ()


def _initial(
    request: HttpRequest, user: User, suggestion: Suggestion | None, replaces: Commitment | None
) -> dict[str, Any]:
    """Initial values of the form."""
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
        initial["partnership"] = Partnership.objects.present_for(user, *EDITING_ROLES).filter(pk=partnership).first()
    return initial
