"""Pages to propose a commitment: from scratch, a record or a replacement."""

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
    """Propose a commitment: from scratch, from a record, or as a replacement.

    `?from=response-12` names the record.
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
        """Propose it, and name who must confirm."""
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
    """The commitment to be replaced."""
    number = request.GET.get("replaces", "")
    if not number:
        return None
    if not number.isascii() or not number.isdecimal() or len(number) > 18:
        raise Http404
    commitment = commitment_for(user, int(number))
    require(rights_over(commitment, user, timezone.now()).may_replace)
    return commitment


def _organisations_of(suggestion: Suggestion | None, replaces: Commitment | None) -> tuple[Organisation, ...]:
    organisations = [
        *((suggestion.giver, suggestion.receiver) if suggestion else ()),
        *((replaces.giver, replaces.receiver) if replaces else ()),
    ]
    return tuple(organisation for organisation in organisations if organisation is not None)


def _pair_of(suggestion: Suggestion | None, replaces: Commitment | None) -> tuple[Organisation, ...]:
    """The two sides, if the origin or the replaced commitment fixes them."""
    if replaces is not None:
        return _organisations_of(None, replaces)
    return suggestion.pair if suggestion else ()


def _initial(
    request: HttpRequest, user: User, suggestion: Suggestion | None, replaces: Commitment | None
) -> dict[str, Any]:
    """Initial values of the form."""
    if replaces is not None:
        named = {name: getattr(replaces, name) for name in (*TERMS, "giver", "receiver", "partnership")}
        return named | {"quantity": replaces.quantity}
    if suggestion is not None:
        named = {
            name: getattr(suggestion, name) for name in ("giver", "receiver", "partnership", "text", "unit", "due_on")
        }
        return named | {"quantity": suggestion.quantity}
    initial: dict[str, Any] = {}
    own_organisations = Organisation.objects.of_person(user, *EDITING_ROLES)
    if own_organisations.count() == 1:
        initial["giver"] = own_organisations.get()
    partnership = row_number(request.GET.get("partnership", ""))
    if partnership is not None:
        initial["partnership"] = Partnership.objects.present_for(user, *EDITING_ROLES).filter(pk=partnership).first()
    return initial
