"""The pages to propose an amendment, and to send terms for signature, return them to draft or withdraw them.

`require` answers 403 if its condition is false.
"""

from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from partnerships.agreements.forms import ReasonForm
from partnerships.agreements.forms.terms import ProposeAmendmentForm, SendForSignatureForm
from partnerships.agreements.models import TermsProposal
from partnerships.agreements.queries import acting_party
from partnerships.agreements.queries.signers import signers_by_party
from partnerships.agreements.queries.terms import base_content_of, content_of_proposal, required_party_ids, schema_of
from partnerships.agreements.services.terms import (
    UnableToPropose,
    UnableToSendForSignature,
    UnableToWithdraw,
    propose_amendment,
    send_for_signature,
    take_back_terms,
    withdraw_proposal,
)
from partnerships.agreements.views.terms.fetching import TermsAccess, open_proposal, open_terms
from partnerships.documents.comparisons import compare
from partnerships.kit.http import form_page, post_data, show_refusal
from partnerships.kit.rights import require
from partnerships.organisations.models import Organisation
from partnerships.people.models import User
from partnerships.people.recipients import collect_recipients
from partnerships.people.requests import signed_in


@require_http_methods(["GET", "HEAD", "POST"])
def amendment_propose(request: HttpRequest, pk: int) -> HttpResponse:
    """Propose an amendment, with a reason and a first day."""
    user = signed_in(request)
    access = open_terms(user, pk)
    require(bool(access.rights.proposes_for))
    parties = Organisation.objects.filter(pk__in=access.rights.proposes_for).order_by("name", "pk")
    form = ProposeAmendmentForm(post_data(request), parties=parties, cancel=reverse("agreements:terms", args=[pk]))

    if request.method == "POST" and form.is_valid():
        with show_refusal(form, UnableToPropose, field="reason"):
            with collect_recipients() as recipients:
                proposal = propose_amendment(
                    partnership=access.partnership,
                    organisation=form.cleaned_data["organisation"],
                    reason=form.cleaned_data["reason"],
                    from_day=form.cleaned_data["from_day"],
                    author=user,
                    now=timezone.now(),
                )
            message = f"{proposal.name} has been started. Now make your changes."
            messages.success(request, f"{message}{recipients.sentence()}")
            return redirect(proposal)

    return form_page(request, "agreements/terms/propose.html", form, partnership=access.partnership)


def _open_led_proposal(user: User, pk: int, number: int) -> tuple[TermsAccess, TermsProposal]:
    """Return a proposal that the person may send for signature, take back or withdraw, or raise 403."""
    access, proposal = open_proposal(user, pk, number)
    require(not access.is_former and access.rights.may_send_for_signature(proposal))
    return access, proposal


def _acting_organisation(user: User, access: TermsAccess) -> Organisation | None:
    """Return the organisation for which the person acts as a lead in this partnership, or None."""
    party = acting_party(user, access.partnership, "lead")
    return party.organisation if party else None


@require_http_methods(["GET", "HEAD", "POST"])
def proposal_send(request: HttpRequest, pk: int, number: int) -> HttpResponse:
    """Send a draft for signature. The page shows the changes and the people who sign."""
    user = signed_in(request)
    access, proposal = _open_led_proposal(user, pk, number)
    # A form that was posted too late continues to the service, which refuses it with a reason.
    if request.method != "POST" and not proposal.is_drafting:
        raise Http404
    sender = _acting_organisation(user, access)
    parties = Organisation.objects.filter(pk__in=required_party_ids(access.partnership)).order_by("name", "pk")
    other_parties = parties.exclude(pk=sender.pk) if sender else parties
    form = SendForSignatureForm(post_data(request), proposal=proposal, parties=other_parties)
    schema, content = schema_of(proposal), content_of_proposal(proposal)

    if request.method == "POST" and form.is_valid():
        with show_refusal(form, UnableToSendForSignature):
            with collect_recipients() as recipients:
                version = send_for_signature(
                    proposal=proposal, request=form.request(), author=user, organisation=sender, now=timezone.now()
                )
            messages.success(request, f"Version {version.number} has been sent for signature.{recipients.sentence()}")
            return redirect(version)

    signers = signers_by_party([party.pk for party in parties], access.partnership, timezone.localdate())
    return form_page(
        request,
        "agreements/terms/send_for_signature.html",
        form,
        partnership=access.partnership,
        proposal=proposal,
        signers=[(party, signers[party.pk]) for party in parties],
        compared=None if proposal.is_first else compare(schema, base_content_of(proposal), content),
    )


@require_http_methods(["GET", "HEAD", "POST"])
def proposal_take_back(request: HttpRequest, pk: int, number: int) -> HttpResponse:
    """Return terms that are awaiting signatures to draft."""
    user = signed_in(request)
    access, proposal = _open_led_proposal(user, pk, number)
    # A form that was posted too late continues to the service, which refuses it with a reason.
    if request.method != "POST" and not proposal.is_awaiting_signatures:
        raise Http404
    form = ReasonForm(post_data(request), submit="Return terms to draft", cancel=proposal.get_absolute_url())

    if request.method == "POST" and form.is_valid():
        with show_refusal(form, UnableToWithdraw):
            with collect_recipients() as recipients:
                take_back_terms(
                    proposal=proposal,
                    reason=form.cleaned_data["reason"],
                    author=user,
                    organisation=_acting_organisation(user, access),
                    now=timezone.now(),
                )
            message = "The terms are a draft again. Nobody is being asked to sign them."
            messages.success(request, f"{message}{recipients.sentence()}")
            return redirect(proposal)

    return form_page(
        request, "agreements/terms/take_back.html", form, partnership=access.partnership, proposal=proposal
    )


@require_http_methods(["GET", "HEAD", "POST"])
def proposal_withdraw(request: HttpRequest, pk: int, number: int) -> HttpResponse:
    """Withdraw an amendment that is still open, with a reason."""
    user = signed_in(request)
    access, proposal = _open_led_proposal(user, pk, number)
    # A form that was posted too late continues to the service, which refuses it with a reason.
    if request.method != "POST" and (proposal.is_first or not proposal.is_open):
        raise Http404
    form = ReasonForm(post_data(request), submit="Withdraw proposal", cancel=proposal.get_absolute_url())

    if request.method == "POST" and form.is_valid():
        with show_refusal(form, UnableToWithdraw):
            with collect_recipients() as recipients:
                withdraw_proposal(
                    proposal=proposal,
                    reason=form.cleaned_data["reason"],
                    author=user,
                    organisation=_acting_organisation(user, access),
                    now=timezone.now(),
                )
            messages.success(request, f"{proposal.name} has been withdrawn.{recipients.sentence()}")
            return redirect("agreements:terms", pk)

    return form_page(request, "agreements/terms/withdraw.html", form, partnership=access.partnership, proposal=proposal)
