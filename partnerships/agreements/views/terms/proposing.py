"""Propose an amendment, send terms for signature, return them to draft, or withdraw them.

A view with a form passes an inner function to `take_step`, which calls it if the posted form is valid, shows its
message and redirects. If the service refuses, the form shows why. `posted` returns the data for a form: None on GET.
`require` answers 403 if its condition is false.
"""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from partnerships.agreements.forms import ReasonForm
from partnerships.agreements.forms.terms import ProposeForm, SendForSignatureForm
from partnerships.agreements.models import TermsProposal
from partnerships.agreements.queries import acting_party
from partnerships.agreements.queries.terms import (
    base_content_of,
    content_of_proposal,
    required_party_ids,
    schema_of,
    signers_of,
)
from partnerships.agreements.services.terms import (
    UnableToPropose,
    UnableToSendForSignature,
    UnableToWithdraw,
    propose_amendment,
    send_for_signature,
    take_back_terms,
    withdraw_proposal,
)
from partnerships.agreements.views.terms.fetching import OpenedTerms, open_proposal, open_terms
from partnerships.documents.comparisons import compare
from partnerships.kit.http import posted
from partnerships.kit.rights import require
from partnerships.organisations.models import Organisation
from partnerships.people.form_steps import ABOVE_FORM, take_step
from partnerships.people.models import User
from partnerships.people.requests import signed_in


@require_http_methods(["GET", "HEAD", "POST"])
def amendment_propose(request: HttpRequest, pk: int) -> HttpResponse:
    """Propose an amendment, with a reason and a first day."""
    user = signed_in(request)
    opened = open_terms(user, pk)
    require(bool(opened.rights.proposes_for))
    parties = Organisation.objects.filter(pk__in=opened.rights.proposes_for).order_by("name", "pk")
    form = ProposeForm(posted(request), parties=parties, cancel=reverse("agreements:terms", args=[pk]))

    def start_amendment() -> tuple[str, str]:
        proposal = propose_amendment(
            partnership=opened.partnership,
            organisation=form.cleaned_data["organisation"],
            reason=form.cleaned_data["reason"],
            from_day=form.cleaned_data["from_day"],
            author=user,
            now=timezone.now(),
        )
        return f"{proposal.name} has been started. Now make your changes.", proposal.get_absolute_url()

    return take_step(
        request,
        "agreements/terms/propose.html",
        form,
        start_amendment,
        {UnableToPropose: "reason"},
        say_who_gets_emails=True,
        partnership=opened.partnership,
    )


def _open_led_proposal(user: User, pk: int, number: int) -> tuple[OpenedTerms, TermsProposal]:
    """Return a proposal that the person may send for signature, take back or withdraw, or raise 403."""
    opened, proposal = open_proposal(user, pk, number)
    require(not opened.is_former and opened.rights.may_send_for_signature(proposal))
    return opened, proposal


def _acting_organisation(user: User, opened: OpenedTerms) -> Organisation | None:
    """Return the organisation for which the person acts as a lead in this partnership, or None."""
    party = acting_party(user, opened.partnership, "lead")
    return party.organisation if party else None


@require_http_methods(["GET", "HEAD", "POST"])
def proposal_send(request: HttpRequest, pk: int, number: int) -> HttpResponse:
    """Send a draft for signature. The page shows the changes and the people who sign."""
    user = signed_in(request)
    opened, proposal = _open_led_proposal(user, pk, number)
    if request.method != "POST" and not proposal.is_drafting:
        raise Http404
    sender = _acting_organisation(user, opened)
    parties = Organisation.objects.filter(pk__in=required_party_ids(opened.partnership)).order_by("name", "pk")
    other_parties = parties.exclude(pk=sender.pk) if sender else parties
    form = SendForSignatureForm(posted(request), proposal=proposal, parties=other_parties)

    def ask_for_signatures() -> tuple[str, str]:
        version = send_for_signature(
            proposal=proposal, request=form.request(), author=user, organisation=sender, now=timezone.now()
        )
        return f"Version {version.number} has been sent for signature.", version.get_absolute_url()

    schema, content = schema_of(proposal), content_of_proposal(proposal)
    return take_step(
        request,
        "agreements/terms/send_for_signature.html",
        form,
        ask_for_signatures,
        {UnableToSendForSignature: ABOVE_FORM},
        say_who_gets_emails=True,
        partnership=opened.partnership,
        proposal=proposal,
        signers=[(party, signers_of(party, opened.partnership, timezone.localdate())) for party in parties],
        compared=None if proposal.is_first else compare(schema, base_content_of(proposal), content),
    )


@require_http_methods(["GET", "HEAD", "POST"])
def proposal_take_back(request: HttpRequest, pk: int, number: int) -> HttpResponse:
    """Return terms that are awaiting signatures to draft."""
    user = signed_in(request)
    opened, proposal = _open_led_proposal(user, pk, number)
    if request.method != "POST" and not proposal.is_awaiting:
        raise Http404
    form = ReasonForm(posted(request), submit="Return terms to draft", cancel=proposal.get_absolute_url())

    def return_to_draft() -> tuple[str, str]:
        take_back_terms(
            proposal=proposal,
            reason=form.cleaned_data["reason"],
            author=user,
            organisation=_acting_organisation(user, opened),
            now=timezone.now(),
        )
        return "The terms are a draft again. Nobody is being asked to sign them.", proposal.get_absolute_url()

    return take_step(
        request,
        "agreements/terms/take_back.html",
        form,
        return_to_draft,
        {UnableToWithdraw: ABOVE_FORM},
        say_who_gets_emails=True,
        partnership=opened.partnership,
        proposal=proposal,
    )


@require_http_methods(["GET", "HEAD", "POST"])
def proposal_withdraw(request: HttpRequest, pk: int, number: int) -> HttpResponse:
    """Withdraw an amendment that is still open, with a reason."""
    user = signed_in(request)
    opened, proposal = _open_led_proposal(user, pk, number)
    if request.method != "POST" and (proposal.is_first or not proposal.is_open):
        raise Http404
    form = ReasonForm(posted(request), submit="Withdraw proposal", cancel=proposal.get_absolute_url())

    def save_withdrawal() -> tuple[str, str]:
        withdraw_proposal(
            proposal=proposal,
            reason=form.cleaned_data["reason"],
            author=user,
            organisation=_acting_organisation(user, opened),
            now=timezone.now(),
        )
        return f"{proposal.name} has been withdrawn.", reverse("agreements:terms", args=[pk])

    return take_step(
        request,
        "agreements/terms/withdraw.html",
        form,
        save_withdrawal,
        {UnableToWithdraw: ABOVE_FORM},
        say_who_gets_emails=True,
        partnership=opened.partnership,
        proposal=proposal,
    )
