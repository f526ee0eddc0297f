"""Register this room's lists, events, emails, rules and hooks when the application starts."""

from __future__ import annotations

import datetime as dt

from django.utils import timezone

from partnerships.activity.event_kinds import register_events
from partnerships.activity.registry import register_kind
from partnerships.activity.subjects import SubjectKind
from partnerships.kit.lists import register_list
from partnerships.organisations import emails, follower_notices, own_obligations, restoring
from partnerships.organisations.departures import register_departure
from partnerships.organisations.event_kinds import EventKind
from partnerships.organisations.listing import LIST
from partnerships.organisations.models import AccessRequest, Membership, Organisation, Role
from partnerships.organisations.queries import leads_of
from partnerships.organisations.services import end_membership, recheck_own_sign_in
from partnerships.organisations.services.handing_over import hand_over_to_colleague
from partnerships.outbox.groups import FOR_SECURITY, NoticeGroup
from partnerships.outbox.kinds import EmailKind
from partnerships.outbox.kinds import register_kind as register_email_kind
from partnerships.outbox.models import Lane
from partnerships.people.administrators import register_obstacle
from partnerships.people.composing import PersonEmail, register_emails
from partnerships.people.identity_providers import ReliantOrganisation, register_recheck, register_reliant_organisations
from partnerships.people.leaving import Leaving, register_leaving
from partnerships.people.models import User
from partnerships.people.personal import ErasureAction, Rule, register_personal
from partnerships.people.retention import delete_in_batches, register_retention
from partnerships.people.second_factor import register_requirement
from partnerships.people.sign_in_policy import register_sign_in_policy

#: How long leads can still use their passwords after their organisation starts to require its own sign-in.
WAY_BACK = dt.timedelta(days=1)
#: How long requests for access are stored, whether answered or not.
REQUESTS_KEPT = dt.timedelta(days=90)


def end_memberships(leaving: Leaving) -> int:
    """End all memberships of a person, and return their number.

    Even the last lead's membership ends, because people must always be able to close their account.
    """
    memberships = Membership.objects.filter(person=leaving.person, ends_on=None).select_related("organisation")
    for membership in memberships.order_by("pk"):
        end_membership(
            membership=membership,
            author=leaving.author,
            now=leaving.now,
            reason=leaving.reason,
            successor=_successor(leaving, membership),
            even_last_lead=True,
        )
    return len(memberships)


def _successor(leaving: Leaving, membership: Membership) -> User | None:
    """Return the person who takes over, if that person acts for this organisation, too; None if not."""
    if leaving.successor is None:
        return None
    memberships = (
        Membership.objects.current().of_person(leaving.successor).filter(organisation=membership.organisation_id)
    )
    return leaving.successor if memberships.exists() else None


def leads_somewhere(user: User) -> bool:
    """Return True if the person leads an organisation today."""
    return Membership.objects.current().of_person(user, Role.LEAD).exists()


def organisation_requires_second_factor(user: User) -> bool:
    """Return True if one of the person's organisations requires a second factor."""
    return Membership.objects.current().of_person(user).filter(organisation__second_factor_required=True).exists()


def why_not_administrator(user: User) -> str:
    """Return why a person with memberships, even pending ones, cannot be an administrator; "" without memberships."""
    open_memberships = Membership.objects.filter(person=user, ends_on=None)
    names = list(open_memberships.order_by("organisation__name").values_list("organisation__name", flat=True))
    if not names:
        return ""
    return (
        f"Administrators cannot act for an organisation, and {user.display_name} acts for {' and '.join(names)}."
        " End those memberships first."
    )


def offered_providers(user: User, now: dt.datetime) -> set[str]:
    """Return the keys of the sign-in providers that the person's organisations offer."""
    memberships = Membership.objects.current(timezone.localdate(now)).of_person(user)
    return set(
        memberships.exclude(organisation__sign_in_provider="").values_list("organisation__sign_in_provider", flat=True)
    )


def required_providers(user: User, now: dt.datetime) -> set[str]:
    """Return the keys of the sign-in providers that the person must use.

    Leads can use their passwords for one more day, so that nobody is locked out if the provider fails.
    """
    memberships = Membership.objects.current(timezone.localdate(now)).of_person(user)
    memberships = memberships.filter(organisation__own_sign_in_required_at__isnull=False)
    memberships = memberships.exclude(role=Role.LEAD, organisation__own_sign_in_required_at__gt=now - WAY_BACK)
    return set(memberships.values_list("organisation__sign_in_provider", flat=True))


def organisations_using(provider: str) -> list[ReliantOrganisation]:
    """Return the organisations that use a sign-in provider, each with its leads."""
    organisations = Organisation.objects.filter(sign_in_provider=provider).order_by("name", "pk")
    return [ReliantOrganisation(organisation.name, tuple(leads_of(organisation))) for organisation in organisations]


def register() -> None:
    """Register everything. Called once, when the application starts."""
    register_list(LIST)
    own_obligations.register()
    restoring.register()
    _register_events()
    _register_emails()
    _register_sign_in_rules()

    # What happens to memberships when a person leaves an organisation, or the network.
    register_departure(hand_over_to_colleague)
    register_leaving(
        "memberships ended and commitments transferred",
        end_memberships,
        consequence="end their roles, and pass their commitments to the colleague you choose below",
    )
    register_obstacle(why_not_administrator)

    _register_personal_data()


def _register_events() -> None:
    """Register the events of this room, and the kinds of record that events are about."""
    register_events(EventKind)
    follower_notices.register()
    register_kind(
        name="organisation",
        visible_ids=lambda user: Organisation.objects.visible_to(user).values("pk"),
        subject=SubjectKind.ORGANISATION,
    )
    register_kind(name="membership", visible_ids=lambda user: Membership.objects.visible_to(user).values("pk"))


def _register_sign_in_rules() -> None:
    """Register who needs a second factor, and who must sign in through an organisation's own provider."""
    register_requirement("leads an organisation", leads_somewhere)
    register_requirement("policy of an organisation", organisation_requires_second_factor, always=True)
    register_sign_in_policy(offered=offered_providers, required=required_providers)
    register_reliant_organisations(organisations_using)
    register_recheck(recheck_own_sign_in)


def _register_personal_data() -> None:
    """Register what this room stores about people, for how long, and what an erasure does with each field."""
    register_retention(
        "access requests",
        what="Requests to act for an organisation",
        purpose="so that an administrator can answer them",
        basis="public task and legitimate interests (UK GDPR, Article 6(1)(e) and (f))",
        kept_for="90 days after the request",
        apply=_delete_old_requests,
    )
    register_personal(
        [
            Rule(
                "organisations.Membership",
                "person",
                ErasureAction.KEEP,
                "which organisation a person acted for, and when",
                ("organisation", "role", "job_title", "starts_on", "ends_on"),
            ),
            Rule(
                "organisations.Membership",
                "job_title",
                ErasureAction.CLEAR,
                "so that partners know who they are working with",
                person_field="person",
            ),
            Rule(
                "organisations.AccessRequest",
                "email",
                ErasureAction.DELETE,
                "so that an administrator can answer a request for access",
                ("organisation_name", "name", "email", "job_title", "message", "asked_at", "answer"),
                person_field="email",
            ),
            Rule(
                "organisations.AccessRequest",
                "job_title",
                ErasureAction.DELETE,
                "so that an administrator knows who is asking",
                person_field="email",
            ),
            Rule("organisations.AccessRequest", "asked_by", ErasureAction.DELETE, "who asked", ("organisation_name",)),
            Rule("organisations.AccessRequest", "answered_by", ErasureAction.KEEP, "which administrator answered"),
            Rule("organisations.Membership", "created_by", ErasureAction.KEEP, "who added the person", ("starts_on",)),
            Rule("organisations.Merge", "merged_by", ErasureAction.KEEP, "who merged two records", ("merged_at",)),
            Rule("organisations.Merge", "undone_by", ErasureAction.KEEP, "who undid a merge", ("undone_at",)),
            Rule(
                "organisations.Handover", "proposed_by", ErasureAction.KEEP, "who proposed a handover", ("proposed_at",)
            ),
            Rule(
                "organisations.Handover", "answered_by", ErasureAction.KEEP, "who answered a handover", ("answered_at",)
            ),
            Rule(
                "organisations.Handover",
                "consent_recorded_by",
                ErasureAction.KEEP,
                "who recorded the consent to a handover",
                ("consent_recorded_at",),
            ),
            Rule(
                "organisations.AcceptedPart", "accepted_by", ErasureAction.KEEP, "who accepted a part", ("accepted_at",)
            ),
            Rule("organisations.NotSame", "said_by", ErasureAction.KEEP, "who kept two records apart", ("said_at",)),
        ]
    )


def _delete_old_requests(now: dt.datetime, dry_run: bool) -> int:
    """Delete requests older than `REQUESTS_KEPT`, and return their number; with `dry_run`, only count them."""
    cutoff = now - REQUESTS_KEPT
    return delete_in_batches(AccessRequest.objects.filter(asked_at__lte=cutoff), dry_run=dry_run)


def _register_emails() -> None:
    """Register this room's kinds of email. Nobody can turn off the emails about access."""
    for code, label, write in (
        ("let_in", "Member added by an administrator", emails.write_membership),
        ("invited_by_administrator", "Invitation by an administrator", emails.write_invited_by_administrator),
        ("role_by_administrator", "Role changed by an administrator", emails.write_role),
        ("access_requested", "Request for access", emails.write_access_requested),
        ("ways_in", "Sign-in settings changed", emails.write_sign_in_rules_changed),
    ):
        register_emails(
            PersonEmail(
                f"organisations.{code}",
                label,
                write,
                group=NoticeGroup.ACCOUNT,
                always=FOR_SECURITY,
                lane=Lane.ACCOUNT,
            )
        )
    register_emails(
        PersonEmail(
            "organisations.handed_over",
            "What a succession handed over",
            emails.write_succession,
            group=NoticeGroup.PARTNERSHIPS,
        ),
        PersonEmail(
            "organisations.handover_proposed",
            "Handover lines to answer",
            emails.write_handover_proposed,
            group=NoticeGroup.PARTNERSHIPS,
        ),
        PersonEmail(
            "organisations.invitation",
            "Invitation",
            emails.write_invitation,
            group=NoticeGroup.ACCOUNT,
            always=FOR_SECURITY,
            lane=Lane.ACCOUNT,
            is_secret=True,
        ),
    )
    register_email_kind(
        EmailKind(
            code=emails.ACCESS_DECLINED,
            label="Request for access declined",
            lane=Lane.ACCOUNT,
            composer=emails.DeclinedComposer(),
            group=NoticeGroup.ACCOUNT,
            always=FOR_SECURITY,
            is_secret=True,
            keeps_its_link=True,
        )
    )
