"""The pages on which people edit and confirm terms, change the due date, and end a commitment."""

from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from partnerships.commitments import services
from partnerships.commitments.forms.terms import ConfirmForm, DueDateForm, EditTermsForm, EndForm
from partnerships.commitments.models import Commitment
from partnerships.commitments.rights import organisations_to_act
from partnerships.commitments.views.fetching import TERMS, open_commitment
from partnerships.kit.dates import long_date
from partnerships.kit.http import form_page, post_data, show_refusal
from partnerships.kit.rights import require
from partnerships.organisations.models import Organisation
from partnerships.people.recipients import collect_recipients


@require_http_methods(["GET", "HEAD", "POST"])
def edit_terms(request: HttpRequest, pk: int) -> HttpResponse:
    """Change the terms of a proposal. Giver and receiver then need to confirm the new terms."""
    user, commitment, rights = open_commitment(request, pk)
    require(rights.edits and commitment.giver_id is not None)
    initial = {name: getattr(commitment, name) for name in TERMS}
    form = EditTermsForm(post_data(request), commitment=commitment, initial=initial)

    if request.method == "POST" and form.is_valid():
        terms = {name: form.cleaned_data[name] for name in (*TERMS, "revision")}
        with show_refusal(form, services.UnableToEdit, services.UnableToPropose):
            with collect_recipients() as recipients:
                services.edit_proposal(commitment=commitment, **terms, author=user, now=timezone.now())
            message = f"The terms of {commitment.reference} have changed. Both organisations need to confirm them."
            messages.success(request, f"{message}{recipients.sentence()}")
            return redirect(commitment)

    return form_page(request, "commitments/edit.html", form, commitment=commitment)


@require_http_methods(["GET", "HEAD", "POST"])
def confirm_terms(request: HttpRequest, pk: int, side: str) -> HttpResponse:
    """Confirm a commitment for the giver (`side` is "giving") or the receiver ("receiving")."""
    if side not in ("giving", "receiving"):
        raise Http404
    user, commitment, rights = open_commitment(request, pk)
    giving = side == "giving"
    organisation = commitment.giver if giving else commitment.receiver
    if organisation is None:
        raise Http404
    require(rights.decides_for(giving=giving))
    form = ConfirmForm(post_data(request), commitment=commitment, organisation=organisation, giving=giving)

    if request.method == "POST" and form.is_valid():
        with show_refusal(form, services.UnableToConfirm):
            with collect_recipients() as recipients:
                confirmed = services.confirm_commitment(
                    commitment=commitment,
                    organisation=organisation,
                    revision=form.cleaned_data["revision"],
                    owner=form.cleaned_data.get("owner"),
                    author=user,
                    now=timezone.now(),
                )
            message = _confirmed_message(confirmed, organisation)
            messages.success(request, f"{message}{recipients.sentence()}")
            return redirect(commitment)

    return form_page(
        request, "commitments/confirm.html", form, commitment=commitment, organisation=organisation, giving=giving
    )


def _confirmed_message(commitment: Commitment, organisation: Organisation) -> str:
    """Return the message after a confirmation, which says who still has to confirm or that it is agreed."""
    if commitment.is_proposed:
        waiting = " and ".join(other.display_name for other in organisations_to_act(commitment))
        return f"You confirmed {commitment.reference} for {organisation.display_name}. It is now waiting for {waiting}."
    return f"{commitment.reference} has been agreed."


@require_http_methods(["GET", "HEAD", "POST"])
def edit_due_date(request: HttpRequest, pk: int) -> HttpResponse:
    """Change the due date of a commitment, for the organisation that delivers."""
    user, commitment, rights = open_commitment(request, pk)
    require(rights.edits_for_deliverer)
    form = DueDateForm(post_data(request), cancel=commitment.get_absolute_url())

    if request.method == "POST" and form.is_valid():
        with show_refusal(form, services.UnableToChangeDueDate):
            slippage = services.change_due_date(
                commitment=commitment, **form.cleaned_data, author=user, now=timezone.now()
            )
            messages.success(request, f"{commitment.reference} is now due on {long_date(slippage.now)}.")
            return redirect(commitment)

    return form_page(request, "commitments/due_date.html", form, commitment=commitment)


@require_http_methods(["GET", "HEAD", "POST"])
def end_early(request: HttpRequest, pk: int) -> HttpResponse:
    """Decline or withdraw a proposal, or cancel a commitment."""
    user, commitment, rights = open_commitment(request, pk)
    # If somebody has ended the commitment since a lead opened the form, the service refuses the form with the reason.
    require(rights.leads if commitment.is_over else rights.may_end)
    form = EndForm(post_data(request), commitment=commitment, rights=rights)

    if request.method == "POST" and form.is_valid():
        with show_refusal(form, services.UnableToEnd):
            with collect_recipients() as recipients:
                services.end_commitment(
                    commitment=commitment, reason=form.cleaned_data["reason"], author=user, now=timezone.now()
                )
            # `commitment` still has the status from before the change.
            ending = "is no longer proposed" if commitment.is_proposed else "has been cancelled"
            messages.success(request, f"{commitment.reference} {ending}.{recipients.sentence()}")
            return redirect(commitment)

    return form_page(request, "commitments/end.html", form, commitment=commitment, rights=rights)
