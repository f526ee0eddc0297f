"""Calendar entries for milestones of plans, deadlines for signatures, and ends of embargoes.

`SOURCES` lists the queries and the entries that are made from their rows.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable

from django.db.models import F, OuterRef, Q, QuerySet, Subquery
from django.utils import timezone

from partnerships.activity.queries import Revision, revisions_of
from partnerships.kit.calendars import CalendarEntry, CalendarKind, CalendarSource
from partnerships.kit.dates import NotADate, PartialDate
from partnerships.organisations.models import Organisation
from partnerships.people.models import User
from partnerships.plans.models import (
    Milestone,
    MilestoneQuerySet,
    Plan,
    PlanQuerySet,
    Signatory,
    SignOff,
    Site,
    Version,
    VersionQuerySet,
    milestones_in,
)


def _plans(user: User, partnership_ids: list[int]) -> PlanQuerySet:
    """Return the plans that the person's organisations own or take part in.

    With `partnership_ids` (ids), only their plans are returned.
    """
    plans = Plan.objects.with_insider(user).order_by()
    return plans.filter(partnership__in=partnership_ids) if partnership_ids else plans


def _milestones(user: User, partnership_ids: list[int]) -> MilestoneQuerySet:
    """Return the milestones of the person's plans that have a day, for all or for some partnerships (ids)."""
    return _milestones_with_dates(user).filter(plan__in=_plans(user, partnership_ids).values("pk"))


def _entries_of_milestones(milestones: Iterable[Milestone]) -> list[CalendarEntry]:
    """Return the calendar entries of milestones from `_milestones_with_dates`."""
    entries = (
        _entry_of_milestone(
            milestone,
            site_reference=milestone.site_reference or "",  # type: ignore[attr-defined]  # annotated
            version_number=milestone.plan.current_number,
        )
        for milestone in milestones
    )
    return [entry for entry in entries if entry is not None]


def _embargoed_versions(user: User, partnership_ids: list[int]) -> VersionQuerySet:
    """Return the versions that the person sees of such plans, while a later version is under embargo."""
    return _versions_during_embargo(user, _plans(user, partnership_ids))


def _entries_of_versions(versions: Iterable[Version]) -> list[CalendarEntry]:
    """Return the calendar entries of the milestones in versions from `_versions_during_embargo`.

    Their milestones are read from the content, because the table contains those of the version under embargo.
    """
    entries: list[CalendarEntry | None] = []
    for version in versions:
        reference_by_key = {site["key"]: site["reference"] for site in version.content["sites"]}
        entries += [
            _entry_of_milestone(
                milestone,
                site_reference=reference_by_key.get(milestone.site_key, ""),
                version_number=version.number,
            )
            for milestone in milestones_in(version.plan, version.content).values()
        ]
    return [entry for entry in entries if entry is not None]


def entries_of_milestones(user: User, milestones: Collection[int]) -> list[CalendarEntry]:
    """Return the calendar entries of the milestones (ids) that the person may see."""
    return _entries_of_milestones(_milestones_with_dates(user).filter(pk__in=milestones))


def entries_of_plans(user: User, plan_ids: Collection[int]) -> list[CalendarEntry]:
    """Return the calendar entries for the milestones and the signatures of these plans."""
    milestones = _milestones_with_dates(user).filter(plan__in=plan_ids)
    versions = _versions_during_embargo(user, Plan.objects.filter(pk__in=plan_ids))
    signatories = list(_signatories_with_deadline(user).filter(plan__in=plan_ids))
    return [
        *_entries_of_milestones(milestones),
        *_entries_of_versions(versions),
        *entries_of_signatories(signatories),
    ]


def _milestones_with_dates(user: User) -> MilestoneQuerySet:
    """Return the milestones that the person may see and that are due or were achieved on a day.

    If the site of a milestone is confidential, `site_reference` is its reference. The calendar entry then contains the
    reference and not the name, because people copy their calendars to providers outside the network.
    """
    site = Site.objects.filter(plan=OuterRef("plan"), key=OuterRef("site_key"), confidential=True)
    milestones = Milestone.objects.visible_to(user).filter(Q(due_by__isnull=False) | ~Q(actual=""))
    milestones = milestones.annotate(site_reference=Subquery(site.values("reference")[:1]))
    return milestones.select_related("plan__partnership").order_by("pk")


def _versions_during_embargo(user: User, plans: PlanQuerySet) -> VersionQuerySet:
    """Return the versions that readers inside see while a later version is under embargo.

    The table of milestones contains only milestones of newest versions. Without these versions, the dates would
    disappear from calendars during an embargo, which would reveal the embargo. Plans of the person's own organisations
    are left out, because owners see the newest version.
    """
    embargoed_plans = Plan.objects.fully_readable_by(user).filter(
        embargoed_until__gt=timezone.now(), pk__in=plans.order_by().values("pk")
    )
    embargoed_plans = embargoed_plans.exclude(
        pk__in=Plan.objects.owned_by_organisations_of(user).order_by().values("pk")
    )
    versions = Version.objects.filter(plan__in=embargoed_plans.order_by().values("pk"), number=F("plan__open_number"))
    return versions.select_related("plan__partnership").order_by("plan")


def _entry_of_milestone(milestone: Milestone, *, site_reference: str, version_number: int) -> CalendarEntry | None:
    """Return the calendar entry of a milestone in this version of its plan, or None if it has no day."""
    actual = _partial_date(milestone.actual)
    day = actual.latest if actual else milestone.due_by
    if day is None:
        return None
    plan = milestone.plan
    return CalendarEntry(
        kind=CalendarKind.MILESTONE,
        key=f"milestone-{plan.pk}-{milestone.key}",
        title=f"{_public_name(milestone, site_reference)}: {plan.title}",
        path=plan.get_absolute_url(),
        starts=day,
        note=_note_on_milestone(milestone),
        within=plan.partnership.title if plan.partnership else "",
        partnership=plan.partnership_id,
        changed_at=plan.last_published_at or plan.created_at,
        sequence=max(0, version_number - 1) + plan.is_over,
        # Nobody works towards the open milestones of a plan that is over. Its successor has its own milestones.
        is_cancelled=milestone.status == "cancelled" or (plan.is_over and milestone.status != "achieved"),
    )


def _public_name(milestone: Milestone, site_reference: str) -> str:
    """Return the name of a milestone, without what is confidential."""
    if not milestone.restricted:
        return milestone.name
    if not milestone.site_key:
        return "Confidential milestone"
    return f"Milestone of the confidential site {site_reference}".strip()


def _note_on_milestone(milestone: Milestone) -> str:
    """Return the status and date of a milestone, for example "Planned. Forecast: June 2028"."""
    status = milestone.status.replace("_", " ").capitalize()
    actual = _partial_date(milestone.actual)
    if actual is not None:
        return f"{status}. Took place: {actual.words}"
    forecast = _partial_date(milestone.forecast)
    return f"{status}. Forecast: {forecast.words if forecast else 'not known'}"


def _partial_date(text: str) -> PartialDate | None:
    """Return the partial date in a text, or None if the text is empty or not a date."""
    try:
        return PartialDate.parse(text) if text else None
    except NotADate:
        return None


def _signatories(user: User, partnership_ids: list[int]) -> QuerySet[Signatory]:
    """Return the signatories with a deadline in plans of these partnerships.

    Without `partnership_ids`, only the signatories that are the person's own organisations are returned.
    """
    signatories = _signatories_with_deadline(user)
    if partnership_ids:
        return signatories.filter(plan__partnership__in=partnership_ids)
    return signatories.filter(organisation__in=Organisation.objects.of_person(user))


def _signatories_with_deadline(user: User) -> QuerySet[Signatory]:
    """Return the signatories with a deadline, of plans that the person may read in full."""
    signatories = Signatory.objects.filter(
        due_on__isnull=False, plan__in=Plan.objects.fully_readable_by(user).order_by()
    )
    return signatories.order_by("pk").select_related("organisation", "plan__partnership")


def entries_of_signatories(signatories: Collection[Signatory]) -> list[CalendarEntry]:
    """Return the calendar entries for the days by which these signatories must sign.

    Select `organisation` and `plan__partnership` with the signatories. This then makes two queries.
    """
    plan_by_pk = {signatory.plan_id: signatory.plan for signatory in signatories}
    revision_by_plan = revisions_of(set(plan_by_pk), "plan_signing", "plan")
    sign_offs = SignOff.objects.filter(plan__in=list(plan_by_pk))
    deciders_by_plan: dict[int, set[int]] = defaultdict(set)
    for plan_id, organisation_id, number in sign_offs.values_list("plan", "organisation", "version__number"):
        # Decisions on versions before the last version that was not minor no longer count.
        if number >= plan_by_pk[plan_id].substantive_number:
            deciders_by_plan[plan_id].add(organisation_id)

    entries = []
    for signatory in signatories:
        revision = revision_by_plan.get(signatory.plan_id, Revision(0, signatory.asked_at))
        has_decided = signatory.organisation_id in deciders_by_plan[signatory.plan_id]
        entries.append(_entry_of_signatory(signatory, revision, has_decided=has_decided))
    return entries


def _entry_of_signatory(signatory: Signatory, revision: Revision, *, has_decided: bool) -> CalendarEntry:
    """Return the calendar entry for the day by which a signatory must decide.

    `revision` is that of the last change to the signing of the plan. It tells calendars which copy is newer.
    """
    plan, day = signatory.plan, signatory.due_on
    assert day is not None
    return CalendarEntry(
        kind=CalendarKind.SIGNATURE,
        key=f"plan-signature-{signatory.pk}",
        title=f"{signatory.organisation.display_name} to sign off: {plan.title}",
        path=plan.get_absolute_url(),
        starts=day,
        note="Decided" if has_decided else signatory.role,
        within=plan.partnership.title if plan.partnership else "",
        partnership=plan.partnership_id,
        changed_at=revision.at,
        sequence=revision.number,
        is_cancelled=not has_decided and (signatory.removed_at is not None or plan.is_over),
    )


def _versions_with_embargo(user: User, partnership_ids: list[int]) -> VersionQuerySet:
    """Return the versions with an embargo, also one that has ended, for people of owners.

    Nobody else may know that a version is under embargo.
    """
    own_plans = Plan.objects.owned_by_organisations_of(user).order_by().values("pk")
    versions = Version.objects.filter(embargo_until__isnull=False, plan__in=own_plans)
    if partnership_ids:
        versions = versions.filter(plan__partnership__in=partnership_ids)
    return versions.without_content().defer("figures").select_related("plan__partnership").order_by("pk")


def _entries_of_embargoes(versions: list[Version]) -> list[CalendarEntry]:
    """Return the calendar entries for the ends of the embargoes of these versions."""
    return [
        CalendarEntry(
            kind=CalendarKind.EMBARGO,
            key=f"embargo-{version.pk}",
            title=f"Embargo ends: {version.title}, version {version.number}",
            path=version.get_absolute_url(),
            starts=version.embargo_until,
            within=version.plan.partnership.title if version.plan.partnership else "",
            partnership=version.plan.partnership_id,
            changed_at=version.published_at,
        )
        for version in versions
        if version.embargo_until is not None
    ]


SOURCES = (
    CalendarSource(_milestones, _entries_of_milestones),
    CalendarSource(_embargoed_versions, _entries_of_versions),
    CalendarSource(_signatories, entries_of_signatories),
    CalendarSource(_versions_with_embargo, _entries_of_embargoes),
)
