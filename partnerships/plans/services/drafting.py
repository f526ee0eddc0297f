"""Create a plan, and save its draft piece by piece."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NotRequired, TypedDict, Unpack

from django.db import transaction
from django.utils import timezone

from partnerships.agreements.models import Partnership
from partnerships.documents import Problem
from partnerships.documents import services as documents
from partnerships.documents.services import UnableToSavePiece, write_content
from partnerships.kit.rights import require
from partnerships.organisations.models import Organisation
from partnerships.organisations.rights import roles_of
from partnerships.people.models import User
from partnerships.plans.content import (
    PLAN,
    Content,
    InvalidContent,
    Item,
    empty_content,
    get_piece,
    normalise,
    period_problems,
    year_kind,
    year_kinds,
    year_problems,
)
from partnerships.plans.event_kinds import EventKind, EventTarget
from partnerships.plans.models import Audience, Draft, Plan, PlanKind, PlanOwner
from partnerships.plans.queries import draft_content, parties_allowed_to_own, version_of
from partnerships.plans.rights import may_create_plan, rights_over
from partnerships.plans.services.recording import acting_organisation, lock_plan, record_event
from partnerships.plans.starters import starter_content


class UnableToCreatePlan(Exception):
    """The owners, the partnership or the content are missing or invalid."""


class NewPlan(TypedDict):
    """The fields of a new plan, as the model `Plan` has them."""

    title: str
    kind: str
    audience: str
    partnership: Partnership | None
    external_reference: NotRequired[str]
    years: NotRequired[str]


@transaction.atomic
def create_plan(
    *,
    owners: Sequence[Organisation],
    author: User | None,
    now: dt.datetime,
    content: Any = None,
    **fields: Unpack[NewPlan],
) -> Plan:
    """Create a plan with a draft, which begins with `content` or else with the starter of the plan's kind.

    `years` is the kind of years in which the plan counts homes (`YEAR_KINDS`). By default it is the kind that the
    content uses. Raises `UnableToCreatePlan`.
    """
    plan = Plan(created_by=author, created_at=now, **fields)
    is_imported = bool(plan.external_reference)
    require(may_create_plan(owners, imported=is_imported, roles=roles_of(author, now)))
    plan.title = " ".join(plan.title.split())
    _check_new_plan(plan, owners, imported=is_imported)
    if plan.partnership is not None:
        plan.partnership = _lock_partnership(plan.partnership, timezone.localdate(now))
        if author is not None:
            _check_owners_may_own(plan.partnership, owners)

    first_content = _first_content(plan.kind, plan.title, content)
    about = first_content["about"]
    plan.title = plan.title[:200]
    plan.years = plan.years or year_kind(first_content)
    plan.period_start = year_of_date(about["period_start"])
    plan.period_end = year_of_date(about["period_end"])
    plan.save(force_insert=True)

    distinct_owners = {owner.pk: owner for owner in owners}.values()
    PlanOwner.objects.bulk_create(PlanOwner(plan=plan, organisation=owner, began_at=now) for owner in distinct_owners)
    draft = Draft(plan=plan, updated_by=author, updated_at=now)
    write_content(PLAN, draft, first_content)
    draft.save()

    _record_draft_event(plan, EventKind.STARTED, author, now, after={"kind": plan.kind, "audience": plan.audience})
    return plan


def _check_new_plan(plan: Plan, owners: Sequence[Organisation], *, imported: bool) -> None:
    """Refuse a plan without a title, owner or kind, or without a partnership that may read it.

    Raises `UnableToCreatePlan`.
    """
    if not plan.title:
        raise UnableToCreatePlan("Enter a title.")
    if not owners:
        raise UnableToCreatePlan("Choose the organisation that owns the plan.")
    _check_kind(plan.kind, plan.audience, imported=imported)
    if plan.audience == Audience.PARTNERSHIP and plan.partnership is None:
        raise UnableToCreatePlan("Choose the partnership that the plan belongs to, or another audience.")


def _lock_partnership(partnership: Partnership, today: dt.date) -> Partnership:
    """Return the partnership, fetched again and locked. Raises `UnableToCreatePlan` if the partnership has ended.

    The lock prevents an organisation from becoming an owner while it is leaving the partnership.
    """
    locked = Partnership.objects.select_for_update(no_key=True).get(pk=partnership.pk)
    if locked.is_over_on(today):
        raise UnableToCreatePlan(
            f"{locked.title} has ended, so you cannot start a plan in it. Choose another partnership."
        )
    return locked


def _first_content(kind: str, title: str, content: Any) -> Content:
    """Return the content of a new plan, which is `content` or, if that is None, the starter of the plan's kind.

    Raises `UnableToCreatePlan`.
    """
    try:
        first_content = starter_content(kind, title) if content is None else normalise(content)
        _check_period(first_content["about"])
    except InvalidContent as error:
        raise UnableToCreatePlan(str(error)) from error
    first_content["about"]["title"] = first_content["about"]["title"] or title
    return first_content


def _check_kind(kind: str, audience: str, *, imported: bool) -> None:
    """Refuse an unknown kind or audience. Only imports may use kinds that are no longer offered."""
    plan_kind = PlanKind.by_code().get(kind)
    if plan_kind is None or audience not in Audience.values:
        raise UnableToCreatePlan("Choose a kind of plan and an audience.")
    if not plan_kind.active and not imported:
        raise UnableToCreatePlan(f"“{plan_kind.label}” is no longer offered. Choose another kind of plan.")


def _check_owners_may_own(partnership: Partnership, owners: Sequence[Organisation]) -> None:
    """Refuse owners that are not members of the partnership, or are only observers."""
    members = set(parties_allowed_to_own().filter(partnership=partnership).values_list("organisation", flat=True))
    for owner in owners:
        if owner.pk not in members:
            raise UnableToCreatePlan(
                f"{owner.name} is not a member of {partnership.title}, so it cannot own one of its plans. Choose "
                "another owner or another partnership."
            )


def _check_period(about: Item) -> None:
    """Check that the period does not end before it begins. Raises `InvalidContent`."""
    problems = period_problems(about)
    if problems:
        raise InvalidContent(problems)


def year_of_date(partial_date: str) -> int | None:
    """Return the year of a partial date such as "2028-06", or None for ""."""
    return int(partial_date[:4]) if partial_date else None


def _record_draft_event(plan: Plan, event: EventKind, author: User | None, now: dt.datetime, **data: Any) -> None:
    """Record an event that only readers of the draft can see."""
    record_event(
        plan,
        event,
        author=author,
        organisation=acting_organisation(plan, author),
        target=EventTarget.DRAFT,
        now=now,
        data={"title": plan.title, **data},
    )


def lock_draft(plan: Plan, *, author: User | None, now: dt.datetime) -> Draft:
    """Return the row of the draft, created if missing. Lock the row of the plan first."""
    draft, _is_new = Draft.objects.get_or_create(
        plan=plan, defaults={"based_on": plan.current_number, "updated_by": author, "updated_at": now}
    )
    return draft


@transaction.atomic
def save_piece(
    *, plan: Plan, piece: str, value: Any, based_on: int | None, author: User | None, now: dt.datetime
) -> Draft:
    """Save one piece of the draft, for example "sites/north-quay", "about" or "order/sites".

    The value None removes an item. `based_on` is the revision of the piece that the author saw (`Draft.revision_of`).
    If it is None, the changes of colleagues are overwritten. Raises `UnableToSavePiece`, or `PieceConflict` if a
    colleague has saved another value since.
    """
    plan, draft = lock_open_draft(plan=plan, author=author, now=now)
    open_draft = _as_open_draft(plan, draft)
    is_changed = documents.save_piece(
        open_draft,
        piece,
        value,
        based_on=based_on,
        author=author,
        now=now,
        check=lambda new_content: _problems(plan, piece, open_draft.content, new_content),
    )
    if not is_changed:
        return draft

    _update_year_kind(plan, draft)
    # Until the first version is published, the plan has the title of its draft.
    if piece == "about" and plan.is_draft and draft.content is not None:
        plan.title = draft.content["about"]["title"][:200] or plan.title
        plan.save(update_fields=["title"])
    _record_draft_event(plan, EventKind.DRAFT_EDITED, author, now, piece=piece, revision=draft.revision)
    return draft


def _problems(plan: Plan, piece: str, content: Content, new_content: Content) -> list[Problem]:
    """Return the problems in the plan's period or in the years of a site's homes, if the piece contains them."""
    if piece == "about":
        return period_problems(new_content["about"])
    code, _slash, key = piece.partition("/")
    site = get_piece(new_content, piece) if code == "sites" and key else None
    if not site:
        return []
    return _year_problems(
        plan,
        site_before=get_piece(content, piece),
        site=site,
        sites_by_year_kind=_sites_by_year_kind(new_content["sites"]),
    )


def _sites_by_year_kind(sites: Iterable[Item]) -> Counter[str]:
    """Return the number of sites that use each kind of years."""
    return Counter(kind for site in sites for kind in year_kinds(site["homes"]))


def _year_problems(
    plan: Plan, *, site_before: Item | None, site: Item, sites_by_year_kind: Counter[str]
) -> list[Problem]:
    """Return the problems in the years of a site's homes, if the homes have changed.

    All sites of a plan use one kind of years, so that their homes can be added up. The first site with years may
    use either kind. `sites_by_year_kind` counts all sites after the change, including this site.
    """
    if site_before and site_before["homes"] == site["homes"]:
        return []
    own_kinds = year_kinds(site["homes"])
    kinds_elsewhere = list(sites_by_year_kind - Counter(own_kinds))
    if not kinds_elsewhere and len(own_kinds) == 1:
        return []
    # In a plan that is older than this rule, the other sites may use both kinds. Then the kind of the plan applies.
    expected_kind = kinds_elsewhere[0] if len(kinds_elsewhere) == 1 else plan.years
    return year_problems(expected_kind, site["homes"])


def _update_year_kind(plan: Plan, draft: Draft) -> None:
    """Set the plan's kind of years to the kind that all its homes use, if they use the same."""
    kind = year_kind(draft.content) if draft.content is not None else ""
    if kind and kind != plan.years:
        plan.years = kind
        plan.save(update_fields=["years"])


def lock_open_draft(*, plan: Plan, author: User | None, now: dt.datetime) -> tuple[Plan, Draft]:
    """Lock the plan, and return it with its draft. Call this in a transaction.

    Raises `UnableToAct` if the author may not edit the draft, or `UnableToSavePiece` if the plan is over.
    """
    plan = lock_plan(plan)
    require(rights_over(plan, author, now).may_edit)
    if plan.is_over:
        raise UnableToSavePiece(f"This plan is {plan.get_status_display().lower()}, so you can no longer change it.")
    return plan, lock_draft(plan, author=author, now=now)


def _as_open_draft(plan: Plan, draft: Draft) -> documents.OpenDraft:
    """Return the draft with its content. An unchanged draft has the content of the newest version."""
    if draft.content is not None:
        return documents.OpenDraft(PLAN, draft, draft.content)
    newest_version = version_of(plan, plan.current_number)
    content = newest_version.content if newest_version is not None else empty_content()
    return documents.OpenDraft(PLAN, draft, content, newest_version)


@transaction.atomic
def save_items(*, plan: Plan, code: str, items: Mapping[str, Item], author: User | None, now: dt.datetime) -> list[str]:
    """Save several normalised items of one list of the draft as one revision.

    `items` are by key. Returns the pieces that changed, for example ["sites/north-quay"]. Raises `UnableToSavePiece`.
    """
    plan, draft = lock_open_draft(plan=plan, author=author, now=now)
    open_draft = _as_open_draft(plan, draft)
    if code == "sites":
        _check_years_of_sites(plan, open_draft.content, items)

    changed_pieces = documents.save_items(open_draft, code, items, author=author, now=now)
    _update_year_kind(plan, draft)
    if changed_pieces:
        _record_draft_event(
            plan, EventKind.DRAFT_EDITED, author, now, pieces=len(changed_pieces), revision=draft.revision
        )
    return changed_pieces


def _check_years_of_sites(plan: Plan, content: Content, new_sites: Mapping[str, Item]) -> None:
    """Raise `UnableToSavePiece` if the homes of the new sites mix kinds of years."""
    site_by_key = {site["key"]: site for site in content["sites"]}
    sites_by_year_kind = _sites_by_year_kind({**site_by_key, **new_sites}.values())
    for key, site in new_sites.items():
        problems = _year_problems(
            plan, site_before=site_by_key.get(key), site=site, sites_by_year_kind=sites_by_year_kind
        )
        if problems:
            raise UnableToSavePiece(f"{site['name']}: {problems[0].message}")


@transaction.atomic
def move_piece(*, plan: Plan, piece: str, up: bool, author: User, now: dt.datetime) -> bool:
    """Move an item of the draft one place up or down, and return whether the item moved.

    `piece` is, for example, "sections/vision". The first item cannot move up, and the last cannot move down. Raises
    `UnableToSavePiece`, for example if a colleague has removed the item.
    """
    plan = lock_plan(plan)
    require(rights_over(plan, author, now).may_edit)
    new_order = documents.order_after_move(PLAN, draft_content(plan), piece, up=up)
    if new_order is None:
        return False
    order_piece, keys = new_order
    save_piece(plan=plan, piece=order_piece, value=keys, based_on=None, author=author, now=now)
    return True


@transaction.atomic
def discard_draft(*, plan: Plan, author: User, reason: str, now: dt.datetime) -> None:
    """Discard all changes since the newest version. Raises `UnableToSavePiece` if there is no version yet."""
    plan = lock_plan(plan)
    require(rights_over(plan, author, now).may_edit)
    if plan.is_draft:
        raise UnableToSavePiece("This plan has no published version to go back to. Close the plan instead.")
    draft = lock_draft(plan, author=author, now=now)
    draft.based_on = plan.current_number
    documents.discard_changes(draft, author=author, now=now)
    _record_draft_event(plan, EventKind.DRAFT_DISCARDED, author, now, reason=reason)
