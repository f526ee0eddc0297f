"""Tasks of a person in plans, for My work.

Each kind of task has three functions, for example for access requests:

* `_REQUESTS` or `_reach_of_…` is the `Reach` of all records on which somebody has to act. My work asks no further for
  people without such a record.
* `_requests_for` returns the records of one person.
* `_request_tasks` returns the tasks that My work shows.
"""

from __future__ import annotations

import datetime as dt
from operator import itemgetter
from typing import Any

from django.db.models import Case, Exists, F, OuterRef, Q, QuerySet, Subquery, Value, When
from django.urls import reverse
from django.utils import timezone

from partnerships.kit.addresses import page_address
from partnerships.kit.waiting import TaskRows, Urgency, WaitingTask, urgency
from partnerships.organisations.audience import Organisations, People, Reach
from partnerships.organisations.models import Role
from partnerships.organisations.statements import lookup, rows_for
from partnerships.organisations.waiting import TaskSource
from partnerships.people.models import User
from partnerships.plans.models import (
    DUE_SOON,
    AccessRequest,
    Comment,
    Decision,
    Mention,
    Milestone,
    OwnershipOffer,
    Plan,
    Share,
    Signatory,
    SignOff,
    Status,
    drafters_of,
)
from partnerships.plans.queries.signing import takes_part_condition, version_number_to_sign


def _task(action: str, plan: Plan, path: str, **fields: Any) -> WaitingTask:
    """Return a task about a plan, with the plan's title and partnership unless `fields` contain others."""
    fields.setdefault("title", plan.title)
    fields.setdefault("partnership_title", plan.partnership.title if plan.partnership else "")
    return WaitingTask(action=action, path=path, **fields)


#: The route from a record of a plan to the people who may change the plan's draft.
_DRAFTERS = (drafters_of("plan__"),)


def _reach_of_signatures() -> Reach:
    """Return the signatories that must decide, or must confirm that their condition is met."""
    decisions = SignOff.objects.filter(
        plan=OuterRef("plan"),
        organisation=OuterRef("organisation"),
        version__number__gte=OuterRef("plan__substantive_number"),
    )
    decision_or_met = Case(When(condition_met__isnull=False, then=Value("met")), default=F("decision"))
    newest_decisions = decisions.annotate(state=decision_or_met).order_by("-version__number", "-pk")
    has_to_act = Q(last=None) | Q(last=Decision.CONDITIONAL)
    signatories = Signatory.objects.annotate(last=Subquery(newest_decisions.values("state")[:1])).filter(
        has_to_act,
        takes_part_condition(),
        removed_at=None,
        plan__status=Status.AWAITING_SIGN_OFF,
    )
    return Reach(signatories, (Organisations("organisation", roles=(Role.LEAD,)),))


def _signatures_for(user: User) -> QuerySet[Signatory, dict[str, Any]]:
    """Return the signatories for which the person can decide or confirm a condition, as dictionaries.

    `last` is the last valid decision of the organisation, "met" if its condition is met, or None.
    """
    signatories: QuerySet[Any] = (
        _reach_of_signatures().of(user).filter(plan__in=Plan.objects.published_for(user).values("pk"))
    )
    rows: QuerySet[Signatory, dict[str, Any]] = signatories.order_by("pk").values(
        "pk",
        "asked_at",
        "due_on",
        "last",
        "plan",
        "plan__title",
        "plan__current_number",
        "plan__open_number",
        "plan__embargoed_until",
        "plan__partnership__title",
    )
    return rows


def _signing_tasks(user: User, now: dt.datetime) -> TaskRows:
    """Return the versions that the person can sign off, and the conditions that the person can confirm."""

    def make_task(row: dict[str, Any]) -> WaitingTask:
        # An unsaved signatory, because `has_lapsed` needs only these two fields.
        has_lapsed = Signatory(asked_at=row["asked_at"], due_on=row["due_on"]).has_lapsed()
        return WaitingTask(
            action=_signing_action(row),
            title=row["plan__title"],
            path=page_address("plans:signing", row["plan"]),
            since=row["asked_at"],
            due=row["due_on"],
            partnership_title=row["plan__partnership__title"] or "",
            status="late" if has_lapsed else "",
            status_label="Lapsed" if has_lapsed else "",
        )

    def urgency_of(row: dict[str, Any]) -> Urgency:
        return urgency(row["due_on"], row["asked_at"], row["plan"])

    # Only rows that My work shows become tasks, because a lead may have thousands of signatures.
    return TaskRows(sorted(rows_for(_signatures_for, user), key=urgency_of), make_task, due=itemgetter("due_on"))


def _signing_action(row: dict[str, Any]) -> str:
    """Return what a signatory must do, for example "Sign off version 2". `row` is from `_signatures_for`."""
    if row["last"] == Decision.CONDITIONAL:
        return "Confirm that your condition is met"
    # An unsaved plan, because `version_number_to_sign` needs only these three fields.
    plan = Plan(
        current_number=row["plan__current_number"],
        open_number=row["plan__open_number"],
        embargoed_until=row["plan__embargoed_until"],
    )
    return f"Sign off version {version_number_to_sign(plan)}"


_REQUESTS = Reach(AccessRequest.objects.filter(answered_at=None, plan__isnull=False), _DRAFTERS)


def _requests_for(user: User) -> QuerySet[Any]:
    """Return the unanswered requests to see drafts that the person may change."""
    return _REQUESTS.of(user).select_related("plan__partnership", "person").order_by("asked_at", "pk")


def _request_tasks(user: User, now: dt.datetime) -> list[WaitingTask]:
    """Return the access requests that the person can answer."""
    return [
        _task(
            f"Answer {request.person.display_name}, who asks to see the draft",
            request.plan,
            reverse("plans:sharing", kwargs={"pk": request.plan_id}),
            since=request.asked_at,
        )
        for request in rows_for(_requests_for, user)
    ]


def _reach_of_mentions() -> Reach:
    """Return the mentions in open threads that the mentioned person has not answered."""
    # The first comment of a thread has no parent, and only this comment can be resolved.
    is_open_first_comment = Q(comment__parent=None, comment__resolved_at=None)
    is_reply_in_open_thread = Q(comment__parent__isnull=False, comment__parent__resolved_at=None)
    replies = Comment.objects.filter(author=OuterRef("person"))
    unanswered = Mention.objects.filter(
        is_open_first_comment | is_reply_in_open_thread,
        ~Exists(replies.filter(parent=OuterRef("comment"))),
        ~Exists(replies.filter(parent=OuterRef("comment__parent"))),
    )
    return Reach(unanswered, (People("person"),))


def _mentions_for(user: User) -> QuerySet[Comment]:
    """Return the comments that mention the person and that the person has not answered."""
    return (
        Comment.objects.visible_to(user)
        .filter(pk__in=_reach_of_mentions().of(user).values("comment"))
        # People who left the plan can still read the thread, but need not answer.
        .filter(plan__in=Plan.objects.visible_today_to(user).values("pk"))
        .select_related("plan__partnership", "author")
        .order_by("created_at", "pk")
    )


def _mention_tasks(user: User, now: dt.datetime) -> list[WaitingTask]:
    """Return the comments that mention the person, as tasks to answer them."""
    tasks = []
    for comment in rows_for(_mentions_for, user):
        route = "plans:draft-comments" if comment.is_on_draft else "plans:comments"
        page = reverse(route, kwargs={"pk": comment.plan_id})
        tasks.append(
            _task(
                f"Answer {comment.author.display_name}’s comment",
                comment.plan,
                f"{page}#comment-{comment.parent_id or comment.pk}",
                since=comment.created_at,
            )
        )
    return tasks


def _reach_of_shares(now: dt.datetime) -> Reach:
    """Return the active shares of drafts that have not been opened yet."""
    return Reach(Share.objects.active(now).filter(opened_at=None), (People("person"),))


def _shares_for(user: User, now: dt.datetime) -> QuerySet[Share]:
    """Return the person's shares of drafts that the person has not opened yet."""
    shares = _reach_of_shares(now).of(user).filter(plan__in=Plan.objects.draft_visible_to(user).values("pk"))
    return shares.select_related("plan__partnership").order_by("shared_at", "pk")


def _share_tasks(user: User, now: dt.datetime) -> list[WaitingTask]:
    """Return the drafts that the person has not opened yet, as tasks to read them."""
    return [
        _task(
            "Read this draft",
            share.plan,
            reverse("plans:draft", kwargs={"pk": share.plan_id}),
            since=share.shared_at,
            due=share.ends_on,
            status="draft",
            status_label="Draft",
            # People with a shared draft may not know the plan's partnership.
            partnership_title="",
        )
        for share in rows_for(_shares_for, user, now)
    ]


def _reach_of_milestones(now: dt.datetime) -> Reach:
    """Return the milestones that are overdue or due soon."""
    return Reach(Milestone.objects.outstanding().filter(due_by__lte=timezone.localdate(now) + DUE_SOON), _DRAFTERS)


def _milestones_for(user: User, now: dt.datetime) -> QuerySet[Any]:
    """Return the milestones that the person may update, with whether the person may publish the update."""
    may_publish = Exists(Plan.objects.publishable_by(user).filter(pk=OuterRef("plan")))
    milestones: QuerySet[Any] = _reach_of_milestones(now).of(user).annotate(may_publish=may_publish)
    return milestones.select_related("plan__partnership").order_by("due_by", "pk")


def _milestone_tasks(user: User, now: dt.datetime) -> list[WaitingTask]:
    """Return the overdue milestones and those due soon, as tasks to update them."""
    today = timezone.localdate(now)
    milestones = rows_for(_milestones_for, user, now)
    return [_milestone_task(milestone, today, may_publish=milestone.may_publish) for milestone in milestones]


def _milestone_task(milestone: Milestone, today: dt.date, *, may_publish: bool) -> WaitingTask:
    """Return the task to update a milestone.

    Leads update the milestone with a form that publishes a version. Editors update it in the draft.
    """
    is_overdue = milestone.is_overdue(today)
    if may_publish:
        action = "Update this milestone"
        path = reverse("plans:milestone", kwargs={"pk": milestone.plan_id, "key": milestone.key})
    else:
        action = "Update this milestone in the draft"
        kwargs = {"pk": milestone.plan_id, "code": "milestones", "key": milestone.key}
        path = reverse("plans:edit-item", kwargs=kwargs)
    return _task(
        action,
        milestone.plan,
        path,
        title=f"{milestone.name}, {milestone.plan.title}",
        due=milestone.due_by,
        status="late" if is_overdue else "",
        status_label="Overdue" if is_overdue else "",
    )


def _reach_of_offers() -> Reach:
    """Return the offers of ownership that can be accepted now."""
    return Reach(OwnershipOffer.objects.acceptable(), (Organisations("organisation", roles=(Role.LEAD,)),))


def _offers_for(user: User) -> QuerySet[OwnershipOffer]:
    """Return the offers to organisations that the person leads."""
    return _reach_of_offers().of(user).select_related("plan__partnership", "offered_for").order_by("offered_at", "pk")


def _offer_tasks(user: User, now: dt.datetime) -> list[WaitingTask]:
    """Return offers of ownership to accept or decline."""
    return [
        _task(
            f"Accept or decline this plan from {offer.offered_for.display_name}",
            offer.plan,
            reverse("plans:answer-ownership", kwargs={"pk": offer.pk}),
            since=offer.offered_at,
        )
        for offer in rows_for(_offers_for, user)
    ]


#: The kinds of task in the order in which My work asks for them.
TASK_SOURCES = (
    TaskSource(
        _signing_tasks, lambda _: (_reach_of_signatures(),), lookups=lambda user, _: (lookup(_signatures_for, user),)
    ),
    TaskSource(_request_tasks, lambda _: (_REQUESTS,), lookups=lambda user, _: (lookup(_requests_for, user),)),
    TaskSource(
        _mention_tasks, lambda _: (_reach_of_mentions(),), lookups=lambda user, _: (lookup(_mentions_for, user),)
    ),
    TaskSource(
        _share_tasks, lambda now: (_reach_of_shares(now),), lookups=lambda user, now: (lookup(_shares_for, user, now),)
    ),
    TaskSource(
        _milestone_tasks,
        lambda now: (_reach_of_milestones(now),),
        lookups=lambda user, now: (lookup(_milestones_for, user, now),),
    ),
    TaskSource(_offer_tasks, lambda _: (_reach_of_offers(),), lookups=lambda user, _: (lookup(_offers_for, user),)),
)
