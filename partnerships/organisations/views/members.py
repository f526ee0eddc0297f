"""Pages on which an organisation's people are listed, invited, given roles and removed.

`require` answers 403 if its condition is false.
"""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from partnerships.kit.http import form_page, post_data, show_refusal
from partnerships.kit.rights import require
from partnerships.organisations.forms import AcceptForm, EndForm, InviteForm, MembershipForm
from partnerships.organisations.models import Membership, Organisation, Role
from partnerships.organisations.owned import owned_records_by_kind
from partnerships.organisations.queries import colleagues_of, contacts_of
from partnerships.organisations.rights import rights_over
from partnerships.organisations.services import (
    UnableToAcceptMembership,
    UnableToChangeRole,
    UnableToEndMembership,
    UnableToInviteMember,
    accept_membership,
    change_job_title,
    change_role,
    end_membership,
    invitation_for,
    invite_member,
    resend_invitation,
)
from partnerships.outbox.content import WE_WILL_EMAIL
from partnerships.people.models import User
from partnerships.people.recipients import collect_recipients
from partnerships.people.requests import signed_in
from partnerships.people.sessions import recheck_sign_in
from partnerships.people.sign_in import sign_in_new_account

#: The largest number of former members that the list shows.
FORMER_SHOWN = 100


def _managed_organisation(user: User, pk: int) -> Organisation:
    """Return the organisation if the person may manage its people.

    Raises 404 if the person cannot see the organisation, and 403 if they can see but not manage it.
    """
    organisation = get_object_or_404(Organisation.objects.visible_to(user), pk=pk)
    require(rights_over(organisation, user, timezone.now()).may_manage_people)
    return organisation


def _managed_membership(user: User, pk: int, membership_id: int) -> Membership:
    """Return a membership that has not ended if the person may manage the organisation's people."""
    memberships = Membership.objects.visible_to(user).select_related("person", "organisation")
    membership = get_object_or_404(memberships, pk=membership_id, organisation=pk, ends_on=None)
    require(rights_over(membership.organisation, user, timezone.now()).may_manage_people)
    return membership


@require_safe
def people(request: HttpRequest, pk: int) -> HttpResponse:
    """Show the people of an organisation.

    Only the organisation's own people and administrators see pending and former members.
    """
    user = signed_in(request)
    organisation = get_object_or_404(Organisation.objects.visible_to(user), pk=pk)
    rights = rights_over(organisation, user, timezone.now())
    memberships = Membership.objects.visible_to(user).filter(organisation=organisation).for_listing()
    if not rights.may_see_people:
        memberships = memberships.none()
    context = {
        "organisation": organisation,
        "contacts": contacts_of(organisation),
        "pending": memberships.filter(accepted_at=None, ends_on=None),
        "former": memberships.exclude(ends_on=None).exclude(accepted_at=None)[:FORMER_SHOWN],
        "mine": Membership.objects.current().of_person(user).filter(organisation=organisation).first(),
        # What the reader can see and do
        "may_see_people": rights.may_see_people,
        "may_manage": rights.may_manage_people,
        "leads": rights.roles.leads(pk),
        "may_see_records_without_owner": rights.roles.leads(pk)
        or (organisation.is_ended and rights.roles.may_change_directory),
    }
    return render(request, "organisations/people.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def member_invite(request: HttpRequest, pk: int) -> HttpResponse:
    """Show the form to invite a person to act for the organisation. On POST, email the invitation."""
    user = signed_in(request)
    organisation = _managed_organisation(user, pk)
    form = InviteForm(
        post_data(request),
        organisation=organisation,
        by_administrator=user.is_staff,
        role=request.GET.get("role", Role.EDITOR),
    )

    if request.method == "POST" and form.is_valid():
        with show_refusal(form, UnableToInviteMember, field="email"):
            with collect_recipients() as recipients:
                membership = invite_member(
                    organisation=organisation, author=user, now=timezone.now(), **form.cleaned_data
                )
            message = f"{WE_WILL_EMAIL} {membership.person.email} an invitation."
            other_recipients = recipients.sentence(besides=(membership.person_id, user.pk))
            messages.success(request, f"{message}{other_recipients}")
            return redirect("organisations:people", pk)

    return form_page(request, "organisations/invite.html", form, organisation=organisation)


@require_POST
def invite_again(request: HttpRequest, pk: int, membership: int) -> HttpResponse:
    """Send an invitation again with a new link, so that the old link stops working."""
    user = signed_in(request)
    pending_membership = _managed_membership(user, pk, membership)
    try:
        resend_invitation(membership=pending_membership, author=user, now=timezone.now())
    except UnableToInviteMember as error:
        messages.warning(request, str(error))
    else:
        email = pending_membership.person.email
        messages.success(request, f"{WE_WILL_EMAIL} {email} a new invitation. The old link no longer works.")
    return redirect("organisations:people", pk=pk)


@require_http_methods(["GET", "HEAD", "POST"])
def member_edit(request: HttpRequest, pk: int, membership: int) -> HttpResponse:
    """Change a person's role and job title, for leads and administrators.

    Administrators must give a reason if they change the role.
    """
    user = signed_in(request)
    edited_membership = _managed_membership(user, pk, membership)
    form = MembershipForm(post_data(request), membership=edited_membership, by_administrator=user.is_staff)

    if request.method == "POST" and form.is_valid():
        now = timezone.now()
        try:
            with collect_recipients() as recipients:
                change_role(
                    membership=edited_membership,
                    role=form.cleaned_data["role"],
                    reason=form.cleaned_data.get("reason", ""),
                    author=user,
                    now=now,
                )
        except UnableToChangeRole as error:
            # Show the error at the field that can mend it.
            lacks_reason = user.is_staff and not form.cleaned_data["reason"]
            form.add_error("reason" if lacks_reason else "role", str(error))
        else:
            change_job_title(
                membership=edited_membership, job_title=form.cleaned_data["job_title"], author=user, now=now
            )
            message = f"{edited_membership.person.display_name} is now {edited_membership.get_role_display().lower()}."
            messages.success(request, f"{message}{recipients.sentence()}")
            return redirect("organisations:people", pk=pk)

    return form_page(
        request,
        "organisations/member_edit.html",
        form,
        membership=edited_membership,
        organisation=edited_membership.organisation,
    )


@require_http_methods(["GET", "HEAD", "POST"])
def member_end(request: HttpRequest, pk: int, membership: int) -> HttpResponse:
    """End a person's membership, or withdraw their invitation."""
    user = signed_in(request)
    ended_membership = _managed_membership(user, pk, membership)
    button = "Withdraw invitation" if ended_membership.is_pending else "End membership"
    return _end_page(request, user, ended_membership, submit=button, template="organisations/member_end.html")


@require_http_methods(["GET", "HEAD", "POST"])
def member_leave(request: HttpRequest, pk: int) -> HttpResponse:
    """End the signed-in person's own membership of an organisation."""
    user = signed_in(request)
    own_membership = get_object_or_404(
        Membership.objects.current().of_person(user).select_related("person", "organisation"), organisation=pk
    )
    return _end_page(request, user, own_membership, submit="Stop acting", template="organisations/leave.html")


def _end_page(request: HttpRequest, user: User, membership: Membership, *, submit: str, template: str) -> HttpResponse:
    """Show the page that ends a membership, with the records for which the person is responsible. On POST, end it."""
    person, organisation = membership.person, membership.organisation
    people_url = reverse("organisations:people", args=[organisation.pk])
    form = EndForm(post_data(request), successors=colleagues_of(membership), submit=submit, cancel=people_url)

    if request.method == "POST" and form.is_valid():
        with show_refusal(form, UnableToEndMembership):
            with collect_recipients() as recipients:
                end_membership(membership=membership, author=user, now=timezone.now(), **form.cleaned_data)
            message = f"{person.display_name} no longer acts for {organisation.name}."
            messages.success(request, f"{message}{recipients.sentence()}")
            return redirect(people_url)

    return form_page(
        request,
        template,
        form,
        membership=membership,
        organisation=organisation,
        owned_groups=owned_records_by_kind(person, organisation, timezone.localdate()),
        shows_titles=not user.is_staff,
    )


@login_not_required
@never_cache
@sensitive_post_parameters("password")
@require_http_methods(["GET", "HEAD", "POST"])
def accept_invitation(request: HttpRequest, token: str) -> HttpResponse:
    """Show the page of an invitation link, and accept the invitation.

    Only a POST accepts, because mail scanners also open links.
    """
    now = timezone.now()
    membership = invitation_for(token=token, now=now)
    if membership is None:
        return render(request, "organisations/invitation_gone.html", status=404)
    if request.user.is_authenticated and request.user.pk != membership.person_id:
        return render(request, "organisations/invitation_for_another.html", {"membership": membership}, status=403)

    was_stakeholder = membership.person.is_stakeholder
    form = AcceptForm(post_data(request), membership=membership)
    if request.method == "POST" and form.is_valid():
        try:
            accepted_membership = accept_membership(
                token=token,
                now=now,
                name=form.cleaned_data.get("name", ""),
                password=form.cleaned_data.get("password") if was_stakeholder else None,
            )
        except ValidationError as error:
            form.add_error("password", error)
        except UnableToAcceptMembership as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, f"You now act for {accepted_membership.organisation.name}.")
            recheck_sign_in(request)
            if was_stakeholder:
                return sign_in_new_account(request, accepted_membership.person, password=form.cleaned_data["password"])
            return redirect("organisations:detail", pk=accepted_membership.organisation_id)

    return form_page(
        request,
        "organisations/accept_invitation.html",
        form,
        membership=membership,
        organisation=membership.organisation,
    )
