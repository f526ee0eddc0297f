"""The pages on which people sign terms, with an account or by the link in an email, or record a paper signature.

`require` answers 403 if its condition is false.
"""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from partnerships.agreements.forms.terms import PaperSignatureForm, SignTermsForm
from partnerships.agreements.links import TermsLink, read_terms_token
from partnerships.agreements.models import SigningMethod, TermsVersion
from partnerships.agreements.queries import acting_party
from partnerships.agreements.queries.signers import may_sign_for, signers_of
from partnerships.agreements.services.terms import (
    UnableToSignTerms,
    decline_to_sign,
    record_paper_signature,
    sign_terms,
)
from partnerships.agreements.views.terms.fetching import open_version, paper_of_version, signing_context
from partnerships.agreements.views.terms.reading import compared_with_base
from partnerships.kit.http import form_page, post_data, post_data_and_files, show_refusal
from partnerships.kit.rights import require
from partnerships.organisations.models import Organisation
from partnerships.people.models import User
from partnerships.people.recipients import collect_recipients
from partnerships.people.requests import signed_in


def _sign_or_decline(
    form: SignTermsForm, version: TermsVersion, organisation: Organisation, person: User, how: str
) -> str:
    """Record the decision in a valid form, and return the message to the reader."""
    data, now = form.cleaned_data, timezone.now()
    if form.declines:
        decline_to_sign(
            version=version,
            organisation=organisation,
            person=person,
            title=data["title"],
            reason=data["reason"],
            answers=form.answers(),
            how=how,
            now=now,
        )
        return f"You have declined to sign version {version.number} for {organisation.name}."
    sign_terms(
        version=version,
        organisation=organisation,
        person=person,
        name=data["name"],
        title=data["title"],
        answers=form.answers(),
        how=how,
        now=now,
    )
    return f"You have signed version {version.number} for {organisation.name}."


@require_http_methods(["GET", "HEAD", "POST"])
def terms_sign(request: HttpRequest, pk: int, number: int) -> HttpResponse:
    """Show a version of the terms to an organisation that is asked to sign. On POST, sign the terms or decline."""
    user = signed_in(request)
    access, version = open_version(user, pk, number)
    own_parties = may_sign_for(user, [version], timezone.localdate())[version.pk]
    if not own_parties and request.method == "POST":
        # Signing stopped after the person opened the form. Let the service refuse it, so that the page can show the
        # reason and the person's text.
        own_parties = _parties_asked_earlier(user, version)
    if not own_parties:
        messages.info(request, "You do not need to sign this version.")
        return redirect(version)

    is_joining = _have_joined_later(version, own_parties)
    form = SignTermsForm(
        post_data(request),
        parties=Organisation.objects.filter(pk__in=[party.pk for party in own_parties]).order_by("name", "pk"),
        version=version,
        questions=_questions(version, own_parties),
        cancel=version.get_absolute_url(),
        initial={"name": user.name},
    )
    if request.method == "POST" and form.is_valid():
        with show_refusal(form, UnableToSignTerms):
            with collect_recipients() as recipients:
                message = _sign_or_decline(form, version, form.cleaned_data["organisation"], user, SigningMethod.PAGE)
            messages.success(request, f"{message}{recipients.sentence()}")
            return redirect(version)

    return form_page(
        request,
        "agreements/terms/sign.html",
        form,
        partnership=access.partnership,
        version=version,
        paper=paper_of_version(version),
        compared=None if is_joining else compared_with_base(user, version),
        joining=is_joining,
        own_parties=own_parties,
        **signing_context(version, access.until),
    )


def _parties_asked_earlier(user: User, version: TermsVersion) -> list[Organisation]:
    """Return the parties that were asked to sign the version and for which the person may sign today."""
    today = timezone.localdate()
    signatories = version.signatories.select_related("organisation").order_by("pk")
    return [
        signatory.organisation
        for signatory in signatories
        if user in signers_of(signatory.organisation_id, version.partnership_id, today)
    ]


def _questions(version: TermsVersion, parties: list[Organisation]) -> dict[int, list[str]]:
    """Return the questions to each of these parties, by the id of the organisation."""
    signatories = version.signatories.filter(organisation__in=parties)
    return dict(signatories.values_list("organisation", "questions"))


def _have_joined_later(version: TermsVersion, parties: list[Organisation]) -> bool:
    """Return whether these parties joined after the version came into force."""
    return version.signatories.filter(organisation__in=parties, joins=True, removed_at=None).exists()


@login_not_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def sign_by_link(request: HttpRequest, token: str) -> HttpResponse:
    """Show the terms to a person who follows the link in an email. On POST, sign the terms or decline.

    The person does not sign in. If the organisation requires a second factor or its own sign-in, access to a mailbox is
    not enough, so the link leads to the sign-in page (docs/decisions/0031).
    """
    link = read_terms_token(token)
    if link is None:
        return render(request, "agreements/terms/link_over.html", {"typed": _typed_texts(request)}, status=404)
    version, organisation = link.signatory.version, link.signatory.organisation
    if organisation.asks_more_at_sign_in:
        messages.info(request, f"{organisation.name} wants you to sign in before you read or sign the terms.")
        return redirect("agreements:terms-sign", pk=version.partnership_id, number=version.number)
    signature = version.signatures.filter(organisation=organisation).order_by("-pk").first()
    if signature is not None:
        # Once the party has decided, the link alone no longer shows the terms.
        context = _link_context(link) | {"form": None, "signature": signature}
        # A form that was sent after the decision is not saved, so it is answered like any other refused form.
        status = 422 if request.method == "POST" else 200
        return render(request, "agreements/terms/sign_by_link.html", context, status=status)

    form = _link_form(request, link)
    if request.method == "POST" and form.is_valid():
        with show_refusal(form, UnableToSignTerms):
            _sign_or_decline(form, version, organisation, link.person, SigningMethod.LINK)
            if form.declines:
                return render(request, "agreements/terms/declined.html", _link_context(link))
            return redirect(request.path)

    return form_page(
        request,
        "agreements/terms/sign_by_link.html",
        form,
        signature=None,
        paper=paper_of_version(version),
        compared=None if link.signatory.joins else compared_with_base(link.person, version),
        joining=link.signatory.joins,
        **_link_context(link),
        **signing_context(version),
    )


def _typed_texts(request: HttpRequest) -> list[str]:
    """Return the reason and the answers that the person typed, so that the page can show them again."""
    names = [name for name in request.POST if name == "reason" or name.startswith("answer_")]
    texts = [request.POST[name].strip() for name in names]
    return [text for text in texts if text]


def _link_form(request: HttpRequest, link: TermsLink) -> SignTermsForm:
    """Return the form to sign for the party of the link, the only one that the person can choose."""
    parties = Organisation.objects.filter(pk=link.signatory.organisation_id)
    return SignTermsForm(
        post_data(request),
        parties=parties,
        version=link.signatory.version,
        questions={link.signatory.organisation_id: link.signatory.questions},
        initial={"name": link.person.name},
    )


def _link_context(link: TermsLink) -> dict[str, Any]:
    """Return the template context that the pages of a link have in common."""
    version = link.signatory.version
    return {
        "partnership": version.partnership,
        "version": version,
        "person": link.person,
        "organisation": link.signatory.organisation,
        "signatory": link.signatory,
    }


@require_http_methods(["GET", "HEAD", "POST"])
def terms_sign_on_paper(request: HttpRequest, pk: int, number: int, organisation: int) -> HttpResponse:
    """Record the signature that a party gave on paper, with its scan."""
    user = signed_in(request)
    access, version = open_version(user, pk, number)
    require(not access.is_former and access.rights.may_record_paper_for(organisation))
    signatory = get_object_or_404(version.signatories.select_related("organisation"), organisation=organisation)
    has_decided = version.signatures.filter(organisation=organisation).exists()
    # A form that was posted after the decision continues to the service, which refuses it with a reason.
    if request.method != "POST" and (signatory.removed_at is not None or has_decided):
        raise Http404

    form = PaperSignatureForm(
        *post_data_and_files(request),
        organisation=signatory.organisation,
        questions=signatory.questions,
        cancel=version.get_absolute_url(),
    )
    acting_for = acting_party(user, access.partnership, "lead")
    if request.method == "POST" and form.is_valid():
        with show_refusal(form, UnableToSignTerms):
            with collect_recipients() as recipients:
                record_paper_signature(
                    version=version,
                    organisation=signatory.organisation,
                    signature=form.signature(),
                    author=user,
                    acting=acting_for.organisation if acting_for else None,
                    now=timezone.now(),
                )
            message = f"The signature of {signatory.organisation.name} has been recorded."
            messages.success(request, f"{message}{recipients.sentence()}")
            return redirect(version)

    return form_page(
        request,
        "agreements/terms/paper_signature.html",
        form,
        partnership=access.partnership,
        version=version,
        signatory=signatory,
    )
