"""Sign the terms: on the page, by the link in an email, on paper."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from partnerships.agreements.forms.terms import PaperForm, SignTermsForm
from partnerships.agreements.links import TermsLink, read_terms_token
from partnerships.agreements.models import How, TermsVersion
from partnerships.agreements.queries import acting_party
from partnerships.agreements.queries.terms import may_sign_for, signers_of
from partnerships.agreements.services.terms import (
    UnableToSignTerms,
    decline_to_sign,
    record_paper_signature,
    sign_terms,
)
from partnerships.agreements.views.terms.fetching import open_version, paper_of_version, signing_context
from partnerships.agreements.views.terms.reading import compared_with_base
from partnerships.kit.http import posted, posted_with_files
from partnerships.kit.rights import require
from partnerships.organisations.models import Organisation
from partnerships.people.form_steps import take_step
from partnerships.people.models import User
from partnerships.people.requests import signed_in


def _decide(form: SignTermsForm, version: TermsVersion, organisation: Organisation, person: User, how: str) -> str:
    """Record what a valid form decides; what happened, in words."""
    chosen, now = form.cleaned_data, timezone.now()
    if form.declines:
        decline_to_sign(
            version=version,
            organisation=organisation,
            person=person,
            title=chosen["title"],
            reason=chosen["reason"],
            answers=form.answers(),
            how=how,
            now=now,
        )
        return f"You have declined to sign version {version.number} for {organisation.name}."
    sign_terms(
        version=version,
        organisation=organisation,
        person=person,
        name=chosen["name"],
        title=chosen["title"],
        answers=form.answers(),
        how=how,
        now=now,
    )
    return f"You have signed version {version.number} for {organisation.name}."


@require_http_methods(["GET", "HEAD", "POST"])
def sign(request: HttpRequest, pk: int, number: int) -> HttpResponse:
    """Read a version and sign it, or decline."""
    user = signed_in(request)
    opened, version = open_version(user, pk, number)
    may_sign_as = may_sign_for(user, [version], timezone.localdate())[version.pk]
    if not may_sign_as and request.method == "POST":
        # Sent after signing stopped: the service says why, and what was typed is shown again.
        may_sign_as = _asked_earlier(user, version)
    if not may_sign_as:
        messages.info(request, "There is nothing for you to sign in this version.")
        return redirect(version.get_absolute_url())
    parties = Organisation.objects.filter(pk__in=[one.pk for one in may_sign_as]).order_by("name", "pk")
    joining = _joining(version, may_sign_as)
    form = SignTermsForm(
        posted(request),
        parties=parties,
        version=version,
        questions=_questions(version, may_sign_as),
        cancel=version.get_absolute_url(),
        initial={"name": user.name},
    )

    def step() -> tuple[str, str]:
        words = _decide(form, version, form.cleaned_data["organisation"], user, How.PAGE)
        return words, version.get_absolute_url()

    return take_step(
        request,
        "agreements/terms/sign.html",
        form,
        step,
        {UnableToSignTerms: None},
        names_emailed=True,
        partnership=opened.partnership,
        version=version,
        paper=paper_of_version(version),
        compared=None if joining else compared_with_base(user, version),
        joining=joining,
        mine=may_sign_as,
        **signing_context(version, opened.until),
    )


def _asked_earlier(user: User, version: TermsVersion) -> list[Organisation]:
    """Parties for which the person signs, and which were asked to sign the version but no longer are."""
    day, signatories = timezone.localdate(), version.signatories.select_related("organisation").order_by("pk")
    return [
        signatory.organisation
        for signatory in signatories
        if user in signers_of(signatory.organisation_id, version.partnership_id, day)
    ]


def _questions(version: TermsVersion, parties: list[Organisation]) -> dict[int, list[str]]:
    """The questions to each of these parties, by organisation id."""
    signatories = version.signatories.filter(organisation__in=parties)
    return dict(signatories.values_list("organisation", "questions"))


def _joining(version: TermsVersion, parties: list[Organisation]) -> bool:
    """Whether these parties joined later, and sign what is in force."""
    return version.signatories.filter(organisation__in=parties, joins=True, removed_at=None).exists()


@login_not_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def sign_by_link(request: HttpRequest, token: str) -> HttpResponse:
    """The page behind the link in an email: reading shows, sending signs.

    If the organisation asks for a second factor or its own sign-in, access to a mailbox is not enough: the link leads
    to the sign-in page (docs/decisions/0031).
    """
    link = read_terms_token(token)
    if link is None:
        return render(request, "agreements/terms/link_over.html", {"typed": _typed(request)}, status=404)
    version, organisation = link.signatory.version, link.signatory.organisation
    if organisation.asks_more_at_sign_in:
        messages.info(request, f"{organisation.name} asks its people to sign in before they read or sign.")
        return redirect("agreements:terms-sign", pk=version.partnership_id, number=version.number)
    signature = version.signatures.filter(organisation=organisation).order_by("-pk").first()
    form = _link_form(request, link) if signature is None else None
    if form is not None and form.is_valid():
        try:
            _decide(form, version, organisation, link.person, How.LINK)
        except UnableToSignTerms as error:
            form.add_error(None, str(error))
        else:
            if form.declines:
                return render(request, "agreements/terms/declined.html", _about(link))
            return redirect(request.path)
    context = _about(link) | {"form": form, "signature": signature}
    if form is not None:  # afterwards, the link alone no longer shows the terms
        context |= {
            "paper": paper_of_version(version),
            "compared": None if link.signatory.joins else compared_with_base(link.person, version),
            "joining": link.signatory.joins,
            **signing_context(version),
        }
    return render(
        request,
        "agreements/terms/sign_by_link.html",
        context,
        status=422 if form is not None and form.errors else 200,
    )


def _typed(request: HttpRequest) -> list[str]:
    """The reason and answers in a form that was sent."""
    names = [name for name in request.POST if name == "reason" or name.startswith("answer_")]
    return [text for name in names if (text := request.POST[name].strip())]


def _link_form(request: HttpRequest, link: TermsLink) -> SignTermsForm:
    parties = Organisation.objects.filter(pk=link.signatory.organisation_id)
    return SignTermsForm(
        posted(request),
        parties=parties,
        version=link.signatory.version,
        questions={link.signatory.organisation_id: link.signatory.questions},
        initial={"name": link.person.name},
    )


def _about(link: TermsLink) -> dict[str, Any]:
    version = link.signatory.version
    return {
        "partnership": version.partnership,
        "version": version,
        "person": link.person,
        "organisation": link.signatory.organisation,
        "signatory": link.signatory,
    }


@require_http_methods(["GET", "HEAD", "POST"])
def paper(request: HttpRequest, pk: int, number: int, organisation: int) -> HttpResponse:
    """Record a signature on paper, with its scan."""
    user = signed_in(request)
    opened, version = open_version(user, pk, number)
    require(not opened.is_former and opened.rights.may_record_paper_for(organisation))
    signatory = get_object_or_404(version.signatories.select_related("organisation"), organisation=organisation)
    waits = signatory.removed_at is None and not version.signatures.filter(organisation=organisation).exists()
    if request.method != "POST" and not waits:
        raise Http404
    page = reverse("agreements:terms-version", args=[pk, number])
    form = PaperForm(
        *posted_with_files(request),
        organisation=signatory.organisation,
        questions=signatory.questions,
        cancel=page,
    )
    acting = acting_party(user, opened.partnership, "lead")

    def step() -> tuple[str, str]:
        record_paper_signature(
            version=version,
            organisation=signatory.organisation,
            signature=form.signature(),
            author=user,
            acting=acting.organisation if acting else None,
            now=timezone.now(),
        )
        return f"The signature of {signatory.organisation.name} has been recorded.", page

    return take_step(
        request,
        "agreements/terms/paper_signature.html",
        form,
        step,
        {UnableToSignTerms: None},
        names_emailed=True,
        partnership=opened.partnership,
        version=version,
        signatory=signatory,
    )
