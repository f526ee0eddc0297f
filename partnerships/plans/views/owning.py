"""Pages to see the owners of plans, offer plans to other organisations, and give up ownership."""

from __future__ import annotations

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from partnerships.kit.forms import ReasonForm
from partnerships.kit.http import form_page, keyset_page, post_data, show_refusal
from partnerships.organisations.models import Organisation, Role
from partnerships.organisations.naming import show_names_of_day
from partnerships.people.recipients import collect_recipients
from partnerships.people.requests import signed_in
from partnerships.plans.forms import OfferAnswerForm, OfferForm
from partnerships.plans.models import OwnershipOffer, PlanOwner
from partnerships.plans.queries import (
    acceptable_offers,
    ended_ownerships,
    ownerships_led_by,
    ownerships_of_observers_alone,
    with_titles,
)
from partnerships.plans.services import (
    UnableToChangeOwners,
    answer_offer,
    give_up_ownership,
    offer_ownership,
    withdraw_offer,
)
from partnerships.plans.views.fetching import open_plan, open_to_publish


@require_safe
def ownership(request: HttpRequest) -> HttpResponse:
    """Show the open offers and ended ownerships of the person's organisations.

    The page also lists the plans that these organisations must offer because they have become observers.
    """
    user = signed_in(request)
    page = keyset_page(request, ended_ownerships(user), order=("-ended_at", "-pk"))
    return render(
        request,
        "plans/ownership.html",
        {
            "offers": list(acceptable_offers(user)),
            "ownerships_to_offer": ownerships_of_observers_alone(user),
            "page": page,
            "ended_ownerships": with_titles(user, page.rows),
        },
    )


@require_safe
def owners(request: HttpRequest, pk: int) -> HttpResponse:
    """Show the present and former owners of a plan, and its open offers."""
    access = open_plan(request, pk)
    if not access.is_inside:
        raise PermissionDenied
    plan, user = access.plan, signed_in(request)
    ended_ownerships_of_plan = PlanOwner.ever.filter(plan=plan, ended_at__isnull=False)
    former_owners = list(ended_ownerships_of_plan.select_related("organisation").order_by("-ended_at", "-pk"))
    # Former owners are shown under the names that they had when their ownership ended.
    show_names_of_day(
        (timezone.localdate(owner.ended_at), owner.organisation) for owner in former_owners if owner.ended_at
    )
    return render(
        request,
        "plans/owners.html",
        {
            "plan": plan,
            "access": access,
            "owners": list(plan.owners.select_related("organisation").order_by("pk")),
            "former_owners": former_owners,
            "offers": [offer for offer in acceptable_offers(user) if offer.plan_id == plan.pk],
            "ownerships_led": ownerships_led_by(user, plan) if access.may_publish else [],
        },
    )


@require_http_methods(["GET", "HEAD", "POST"])
def plan_offer(request: HttpRequest, pk: int, owner: int) -> HttpResponse:
    """Offer a plan to another organisation, as a lead of an owner."""
    plan = open_to_publish(request, pk).plan
    plan_owner = _owner_led_by_user(request, pk, owner)
    form = OfferForm(post_data(request), plan=plan, owner=plan_owner)

    if request.method == "POST" and form.is_valid():
        with show_refusal(form, UnableToChangeOwners, field="organisation"):
            with collect_recipients() as recipients:
                offer = offer_ownership(
                    plan=plan,
                    organisation=form.cleaned_data["organisation"],
                    offered_for=plan_owner.organisation,
                    hands_over=form.cleaned_data["hands_over"],
                    message=form.cleaned_data["message"],
                    author=signed_in(request),
                    now=timezone.now(),
                )
            name = offer.organisation.name
            message = f"You have offered the plan to {name}. Its leads can accept or decline the offer."
            messages.success(request, f"{message}{recipients.sentence()}")
            return redirect("plans:owners", pk)

    return form_page(request, "plans/offer.html", form, plan=plan, owner=plan_owner)


def _owner_led_by_user(request: HttpRequest, plan_id: int, owner_id: int) -> PlanOwner:
    """Return a present owner of the plan if the person leads that organisation; else 404 or 403."""
    plan_owner = get_object_or_404(PlanOwner.objects.select_related("organisation"), plan=plan_id, pk=owner_id)
    if not Organisation.objects.of_person(request.user, Role.LEAD).filter(pk=plan_owner.organisation_id).exists():
        raise PermissionDenied
    return plan_owner


@require_http_methods(["GET", "HEAD", "POST"])
def owner_give_up(request: HttpRequest, pk: int, owner: int) -> HttpResponse:
    """Give up the ownership of an organisation that the person leads. Another owner must remain."""
    access = open_to_publish(request, pk)
    plan_owner = _owner_led_by_user(request, pk, owner)
    owners_url = reverse("plans:owners", kwargs={"pk": pk})
    form = ReasonForm(post_data(request), submit="Give up ownership", cancel=owners_url, danger=True)

    if request.method == "POST" and form.is_valid():
        with show_refusal(form, UnableToChangeOwners):
            give_up_ownership(
                plan=access.plan,
                organisation=plan_owner.organisation,
                reason=form.cleaned_data["reason"],
                author=signed_in(request),
                now=timezone.now(),
            )
            messages.success(request, f"{plan_owner.organisation.name} no longer owns “{access.plan.title}”.")
            return redirect("plans:ownership")

    return form_page(request, "plans/give_up.html", form, plan=access.plan, owner=plan_owner, back=owners_url)


def _offer_or_404(request: HttpRequest, pk: int) -> OwnershipOffer:
    """Return an offer of ownership that the person may see; else 404."""
    offers = OwnershipOffer.objects.visible_to(request.user)
    return get_object_or_404(offers.select_related("plan", "organisation", "offered_for", "offered_by"), pk=pk)


@require_http_methods(["GET", "HEAD", "POST"])
def answer_ownership(request: HttpRequest, pk: int) -> HttpResponse:
    """Show an offer, and accept or decline it for a receiver that the person leads.

    Leads of owners can see the page, but cannot answer. If the offer is no longer open, `answer_offer` refuses the
    answer and the form shows the reason.
    """
    user = signed_in(request)
    offer = _offer_or_404(request, pk)
    led_organisations = Organisation.objects.of_person(user, Role.LEAD)
    leads_receiver = led_organisations.filter(pk=offer.organisation_id).exists()
    if request.method == "POST" and not leads_receiver:
        raise PermissionDenied

    form = OfferAnswerForm(post_data(request), cancel=reverse("plans:ownership"))
    if request.method == "POST" and form.is_valid():
        is_accepted = form.cleaned_data["answer"] == "accept"
        with show_refusal(form, UnableToChangeOwners, field="reason"):
            with collect_recipients() as recipients:
                answer_offer(
                    offer=offer,
                    accept=is_accepted,
                    reason=form.cleaned_data["reason"],
                    author=user,
                    now=timezone.now(),
                )
            name = offer.organisation.name
            if is_accepted:
                messages.success(request, f"{name} now owns “{offer.plan.title}”.{recipients.sentence()}")
                return redirect("plans:owners", offer.plan_id)
            # The receiver may not see the plan that it declined.
            messages.success(request, f"{name} has declined ownership of the plan.{recipients.sentence()}")
            return redirect("plans:ownership")

    is_open = OwnershipOffer.objects.acceptable().filter(pk=pk).exists()
    return form_page(
        request,
        "plans/answer_ownership.html",
        form,
        offer=offer,
        may_answer=leads_receiver and is_open,
        is_open=is_open,
    )


@require_POST
def withdraw_ownership(request: HttpRequest, pk: int) -> HttpResponse:
    """Withdraw an offer, as a lead of any owner."""
    user = signed_in(request)
    offer = _offer_or_404(request, pk)
    if not ownerships_led_by(user, offer.plan):
        raise PermissionDenied

    try:
        withdraw_offer(offer=offer, author=user, now=timezone.now())
    except UnableToChangeOwners as error:
        messages.error(request, str(error))
    else:
        messages.success(request, f"The offer to {offer.organisation.name} has been withdrawn.")
    return redirect("plans:ownership")
