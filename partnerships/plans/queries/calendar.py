"""Dates of plans for calendars: milestones, signatures, and embargoes that end."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from django.db.models import F, Q, QuerySet
from django.utils import timezone

from partnerships.activity.queries import Revision, revisions_of
from partnerships.kit.calendars import CalendarEntry, CalendarKind
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


def milestone_entries(user: User, partnership: int | None) -> list[CalendarEntry]:
    """Milestones of the plans of a partnership, or of all plans that the person's organisations own or take part in.

    Those of confidential sites go by the site's reference: calendars are copied to providers outside the network.
    """
    plans = Plan.objects.with_insider(user)
    if partnership is not None:
        plans = plans.filter(partnership=partnership)
    rows = list(_dated(user).filter(plan__in=plans.order_by().values("pk")))
    return _of_milestones(user, rows, _open_during_embargo(user, plans))


def dates_of_milestones(user: User, milestones: Collection[int]) -> list[CalendarEntry]:
    """Some milestones, by number."""
    return _of_milestones(user, list(_dated(user).filter(pk__in=milestones)), ())


def dates_of_plans(user: User, plans: Collection[int]) -> list[CalendarEntry]:
    """Milestones of some plans, by number, and the days by which these are to be signed."""
    seen = Plan.objects.filter(pk__in=plans)
    rows = list(_dated(user).filter(plan__in=plans))
    signatories = _signatories(user).filter(plan__in=plans)
    return [
        *_of_milestones(user, rows, _open_during_embargo(user, seen)),
        *entries_of_signatories(list(signatories)),
    ]


def _dated(user: User) -> MilestoneQuerySet:
    rows = Milestone.objects.visible_to(user).filter(Q(due_by__isnull=False) | ~Q(actual=""))
    return rows.select_related("plan__partnership").order_by("pk")


def _of_milestones(user: User, rows: list[Milestone], versions: Iterable[Version]) -> list[CalendarEntry]:
    """The entries of these milestones, and of the `versions`, which stand in for those under embargo."""
    hidden = {row.plan_id for row in rows if row.restricted}
    sites = Site.objects.filter(plan__in=hidden, confidential=True)
    references = {(plan, key): reference for plan, key, reference in sites.values_list("plan", "key", "reference")}
    numbers = {row.plan_id: row.plan.current_number for row in rows}
    for version in versions:
        rows += milestones_in(version.plan, version.content).values()
        references |= {(version.plan_id, site["key"]): site["reference"] for site in version.content["sites"]}
        numbers[version.plan_id] = version.number
    entries = (_of_milestone(row, references, numbers[row.plan_id]) for row in rows)
    return [entry for entry in entries if entry is not None]


def _open_during_embargo(user: User, plans: PlanQuerySet) -> VersionQuerySet:
    """Versions that readers inside see during the embargo on a later one, of plans that the person does not own.

    Rows are of the newest version. Without these the dates would go, and tell that there is an embargo.
    """
    embargoed = Plan.objects.inside_for(user).filter(
        embargoed_until__gt=timezone.now(), pk__in=plans.order_by().values("pk")
    )
    embargoed = embargoed.exclude(pk__in=Plan.objects.owned_for(user).order_by().values("pk"))
    open_ones = Version.objects.filter(plan__in=embargoed.order_by().values("pk"), number=F("plan__open_number"))
    return open_ones.select_related("plan__partnership").order_by("plan")


def _of_milestone(milestone: Milestone, references: dict[tuple[int, str], str], number: int) -> CalendarEntry | None:
    """The entry of a milestone in version `number` of its plan."""
    happened = _date(milestone.actual)
    expected = _date(milestone.forecast)
    day = happened.latest if happened else milestone.due_by
    if day is None:
        return None
    plan = milestone.plan
    name = milestone.name
    if milestone.restricted:
        reference = references.get((plan.pk, milestone.site_key), "")
        name = f"Milestone of the confidential site {reference}".strip()
        if not milestone.site_key:
            name = "Confidential milestone"
    date_text = happened or expected
    return CalendarEntry(
        kind=CalendarKind.MILESTONE,
        key=f"milestone-{plan.pk}-{milestone.key}",
        title=f"{name}: {plan.title}",
        path=plan.get_absolute_url(),
        starts=day,
        note=f"{milestone.status.replace('_', ' ').capitalize()}. {'Took place' if happened else 'Forecast'}: "
        f"{date_text.words if date_text else 'not known'}",
        within=plan.partnership.title if plan.partnership else "",
        partnership=plan.partnership_id,
        changed_at=plan.last_published_at or plan.created_at,
        sequence=max(0, number - 1) + plan.is_over,
        # A plan that is over awaits nothing more; its successor has milestones of its own.
        is_cancelled=milestone.status == "cancelled" or (plan.is_over and milestone.status != "achieved"),
    )


def _date(text: str) -> PartialDate | None:
    try:
        return PartialDate.parse(text) if text else None
    except NotADate:
        return None


def signature_entries(user: User, partnership: int | None) -> list[CalendarEntry]:
    """Days by which plans are to be signed off.

    By all in one partnership, or by the person's organisations.
    """
    seen = _signatories(user)
    if partnership is None:
        seen = seen.filter(organisation__in=Organisation.objects.of_person(user))
    else:
        seen = seen.filter(plan__partnership=partnership)
    return entries_of_signatories(list(seen))


def _signatories(user: User) -> QuerySet[Signatory]:
    seen = Signatory.objects.filter(due_on__isnull=False, plan__in=Plan.objects.inside_for(user).order_by())
    return seen.order_by("pk").select_related("organisation", "plan__partnership")


def entries_of_signatories(rows: Collection[Signatory]) -> list[CalendarEntry]:
    """The days by which these signatories must sign.

    Two queries. Fetch `organisation` and the plan's partnership.
    """
    plans = {row.plan_id for row in rows}
    revisions = revisions_of(plans, "plan_signing", "plan")
    numbers = {row.plan_id: row.plan.substantive_number for row in rows}
    decided = {
        (plan, organisation)
        for plan, organisation, number in SignOff.objects.filter(plan__in=plans).values_list(
            "plan", "organisation", "version__number"
        )
        if number >= numbers[plan]
    }
    return [
        _of_signatory(
            row,
            revisions.get(row.plan_id, Revision(0, row.asked_at)),
            has_decided=(row.plan_id, row.organisation_id) in decided,
        )
        for row in rows
    ]


def _of_signatory(signatory: Signatory, revision: Revision, *, has_decided: bool) -> CalendarEntry:
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


def embargo_entries(user: User, partnership: int | None) -> list[CalendarEntry]:
    """When embargoes of versions end or ended, for people of their owners.

    Nobody else knows of an embargo.
    """
    seen = Version.objects.filter(
        embargo_until__isnull=False, plan__in=Plan.objects.owned_for(user).order_by().values("pk")
    )
    if partnership is not None:
        seen = seen.filter(plan__partnership=partnership)
    rows = seen.without_content().defer("figures").select_related("plan__partnership").order_by("pk")
    return [
        CalendarEntry(
            kind=CalendarKind.EMBARGO,
            key=f"embargo-{row.pk}",
            title=f"Embargo ends: {row.title}, version {row.number}",
            path=row.get_absolute_url(),
            starts=row.embargo_until,
            within=row.plan.partnership.title if row.plan.partnership else "",
            partnership=row.plan.partnership_id,
            changed_at=row.published_at,
        )
        for row in rows
        if row.embargo_until is not None
    ]


ENTRIES = (milestone_entries, signature_entries, embargo_entries)
