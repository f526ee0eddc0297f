"""Pages about terms: edit, confirm, change the due date, end.

A view with a form passes an inner function to `take_step`, which calls it once the posted form is valid, shows its
message and redirects. If the service refuses, the form is shown again with the reason. With `say_who_gets_emails`, the
message also names who gets an email. On GET, `posted(request)` is None, so that the form is empty.
"""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from partnerships.commitments import services
from partnerships.commitments.forms.terms import ConfirmForm, DueDateForm, EditTermsForm, EndForm
from partnerships.commitments.models import Commitment
from partnerships.commitments.rights import waits_for
from partnerships.commitments.views.steps import TERMS, open_commitment
from partnerships.kit.dates import long_date
from partnerships.kit.http import posted
from partnerships.kit.rights import require
from partnerships.organisations.models import Organisation
from partnerships.people.form_steps import ABOVE_FORM, take_step


@require_http_methods(["GET", "HEAD", "POST"])
def edit_terms(request: HttpRequest, pk: int) -> HttpResponse:
    """Change the terms of a proposal. Both sides then need to confirm the new terms."""
    user, commitment, rights = open_commitment(request, pk)
    require(rights.edits and commitment.giver_id is not None)
    initial = {name: getattr(commitment, name) for name in TERMS}
    form = EditTermsForm(posted(request), commitment=commitment, initial=initial)

    def save_terms() -> tuple[str, str]:
        terms = {name: form.cleaned_data[name] for name in (*TERMS, "revision")}
        services.edit_proposal(commitment=commitment, **terms, author=user, now=timezone.now())
        message = f"The terms of {commitment.reference} have changed. Both sides need to confirm them."
        return message, commitment.get_absolute_url()

    # `take_step` calls `save_terms` once the form is valid. If the service refuses, the form shows why.
    return take_step(
        request,
        "commitments/edit.html",
        form,
        save_terms,
        {services.UnableToEdit: ABOVE_FORM, services.UnableToPropose: ABOVE_FORM},
        say_who_gets_emails=True,
        commitment=commitment,
    )


@require_http_methods(["GET", "HEAD", "POST"])
def confirm_for_side(request: HttpRequest, pk: int, side: str) -> HttpResponse:
    """Confirm a commitment for the giver or the receiver. Only leads of that side can do this."""
    if side not in ("giving", "receiving"):
        raise Http404
    user, commitment, rights = open_commitment(request, pk)
    giving = side == "giving"
    organisation = commitment.giver if giving else commitment.receiver
    if organisation is None:
        raise Http404
    require(rights.leads_side(giving=giving))
    form = ConfirmForm(posted(request), commitment=commitment, organisation=organisation, giving=giving)

    def confirm_terms() -> tuple[str, str]:
        confirmed = services.confirm_commitment(
            commitment=commitment,
            organisation=organisation,
            revision=form.cleaned_data["revision"],
            owner=form.cleaned_data.get("owner"),
            author=user,
            now=timezone.now(),
        )
        return _confirmed_message(confirmed, organisation), commitment.get_absolute_url()

    return take_step(
        request,
        "commitments/confirm.html",
        form,
        confirm_terms,
        {services.UnableToConfirm: ABOVE_FORM},
        say_who_gets_emails=True,
        commitment=commitment,
        organisation=organisation,
        giving=giving,
    )


def _confirmed_message(commitment: Commitment, organisation: Organisation) -> str:
    """Return the message after a confirmation: who still has to confirm, or that the commitment is agreed."""
    if commitment.is_proposed:
        waiting = " and ".join(side.display_name for side in waits_for(commitment))
        return f"You confirmed {commitment.reference} for {organisation.display_name}. It is now waiting for {waiting}."
    return f"{commitment.reference} has been agreed."


@require_http_methods(["GET", "HEAD", "POST"])
def edit_due_date(request: HttpRequest, pk: int) -> HttpResponse:
    """Change the due date of a commitment, for the side that delivers."""
    user, commitment, rights = open_commitment(request, pk)
    require(rights.edits_for_deliverer)
    form = DueDateForm(posted(request), cancel=commitment.get_absolute_url())

    def change_due_date() -> tuple[str, str]:
        slippage = services.change_due_date(commitment=commitment, **form.cleaned_data, author=user, now=timezone.now())
        return f"{commitment.reference} is now due on {long_date(slippage.now)}.", commitment.get_absolute_url()

    return take_step(
        request,
        "commitments/due_date.html",
        form,
        change_due_date,
        {services.UnableToChangeDueDate: ABOVE_FORM},
        commitment=commitment,
    )


@require_http_methods(["GET", "HEAD", "POST"])
def end_early(request: HttpRequest, pk: int) -> HttpResponse:
    """Decline or withdraw a proposal, or cancel a commitment."""
    user, commitment, rights = open_commitment(request, pk)
    require(rights.may_end if not commitment.is_over else rights.leads)
    form = EndForm(posted(request), commitment=commitment, rights=rights)

    def end_commitment() -> tuple[str, str]:
        services.end_commitment(
            commitment=commitment, reason=form.cleaned_data["reason"], author=user, now=timezone.now()
        )
        return f"{commitment.reference} has been cancelled.", commitment.get_absolute_url()

    return take_step(
        request,
        "commitments/end.html",
        form,
        end_commitment,
        {services.UnableToEnd: ABOVE_FORM},
        say_who_gets_emails=True,
        commitment=commitment,
        rights=rights,
    )
