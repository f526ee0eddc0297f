"""Reading plans as a person may: the newest version for them, in their reading class, and what waits for whom."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.db.models import Case, Count, Exists, OuterRef, Q, QuerySet, Subquery, When
from django.urls import reverse
from django.utils import timezone

from partnerships.agreements.models import Party, PartyRole, PartyStatus
from partnerships.kit.waiting import Waiting
from partnerships.organisations.audience import Organisations, People, Reach
from partnerships.organisations.models import EDITING_ROLES, Area, Membership, Organisation, Role
from partnerships.organisations.waiting import Source
from partnerships.people.models import User
from partnerships.plans.content import Content, empty, outside
from partnerships.plans.models import (
    SOON,
    AccessRequest,
    Audience,
    Comment,
    Decision,
    Draft,
    Mention,
    Milestone,
    MilestoneQuerySet,
    OwnershipOffer,
    Plan,
    PlanOwner,
    PlanQuerySet,
    ReadingClass,
    Share,
    Signatory,
    SignOff,
    Status,
    Version,
    VersionQuerySet,
    drafters_of,
    plan_readers,
)

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser


# ---- Who reads, and in which class


def readers_of(plan: Plan) -> QuerySet[User]:
    """The people who may read the published plan by an account; stakeholders by link are the digests room's."""
    return plan_readers(plan)


@dataclass(frozen=True, slots=True)
class Standing:
    """How a person stands to a plan: the roles they hold today in its owners, and whether they act for a present
    party. Says the same as the querysets' `inside_for`, `editable_by` and `publishable_by`, for one plan at once."""

    roles: frozenset[str]
    is_party: bool

    @property
    def reader(self) -> ReadingClass:
        """What the person may see inside the plan (docs/rights.md)."""
        return ReadingClass.INSIDE if self.roles or self.is_party else ReadingClass.OUTSIDE

    @property
    def may_edit(self) -> bool:
        """Whether the person edits the draft: an editor or lead of an owner."""
        return not self.roles.isdisjoint(EDITING_ROLES)

    @property
    def may_publish(self) -> bool:
        """Whether the person publishes: a lead of an owner."""
        return Role.LEAD in self.roles


def standing_of(user: User | AnonymousUser, plan: Plan) -> Standing:
    """How the person stands to the plan, by the memberships of today."""
    if not user.is_authenticated or not user.is_active:
        return Standing(frozenset(), is_party=False)
    mine = list(Membership.objects.current().of_person(user).values_list("organisation", "role"))
    owners = {owner.organisation_id for owner in plan.owners.all()}
    roles = frozenset(role for organisation, role in mine if organisation in owners)
    if roles or plan.partnership_id is None or not mine:
        return Standing(roles, is_party=False)
    parties = Party.objects.filter(partnership=plan.partnership_id, status=PartyStatus.ACCEPTED)
    acting = parties.filter(organisation__in=[organisation for organisation, _role in mine])
    return Standing(roles, is_party=acting.exists())


def reading_class(user: User | AnonymousUser, plan: Plan) -> ReadingClass:
    """What the person may see inside the plan (docs/rights.md)."""
    return standing_of(user, plan).reader


def content_for(content: Content, reader: ReadingClass | str) -> Content:
    """A content as readers of that class may know it."""
    return content if reader == ReadingClass.INSIDE else outside(content)


def versions_for(user: User | AnonymousUser, plan: Plan) -> VersionQuerySet:
    """The versions of a plan that the person may read, newest first."""
    return Version.objects.visible_to(user).filter(plan=plan).order_by("-number")


def newest_for(user: User | AnonymousUser, plan: Plan) -> Version | None:
    """The newest version that the person may read, or None."""
    return versions_for(user, plan).first()


def version_of(plan: Plan, number: int | None) -> Version | None:
    """One version by its number, whoever asks: for services and upper rooms that have checked."""
    return plan.versions.filter(number=number).first() if number else None


def content_of(plan: Plan, number: int) -> Content:
    """The content of one version; that of number 0 is empty."""
    version = version_of(plan, number)
    return version.content if version is not None else empty()


def draft_content(plan: Plan) -> Content:
    """What the draft says now: the newest version until somebody changes it."""
    draft = Draft.objects.filter(plan=plan).first()
    if draft is not None and draft.content is not None:
        content: Content = draft.content
        return content
    # The draft's own number: the plan in hand may have been read before somebody published.
    return content_of(plan, draft.based_on if draft is not None else plan.current_number)


def area_names(*contents: Content) -> dict[str, str]:
    """The names of the areas that sites lie in, by GSS code."""
    codes = {site["area"] for content in contents for site in content["sites"]} - {""}
    return dict(Area.objects.filter(code__in=codes).values_list("code", "name")) if codes else {}


def my_plans(user: User) -> PlanQuerySet:
    """Plans owned by the organisations that the person acts for, as far as the person may see them."""
    mine = Organisation.objects.of_person(user)
    return Plan.objects.visible_to(user).filter(pk__in=PlanOwner.objects.filter(organisation__in=mine).values("plan"))


def acting_for(user: User, plan: Plan) -> Organisation | None:
    """The owner organisation on whose behalf the person works on the plan; None for others."""
    owners = plan.owners.values("organisation")
    return Organisation.objects.of_person(user).filter(pk__in=owners).order_by("name", "pk").first()


def organisations_of(people: Iterable[int]) -> dict[int, str]:
    """The names of the organisations that each of the people acts for today, by the person's id."""
    names: dict[int, list[str]] = {}
    acting = Membership.objects.current().filter(person__in=set(people)).order_by("organisation__name", "pk")
    for person, name in acting.values_list("person", "organisation__name"):
        names.setdefault(person, []).append(name)
    return {person: ", ".join(dict.fromkeys(found)) for person, found in names.items()}


def owners_of(plan: Plan) -> list[PlanOwner]:
    """The plan's owners, the first one first; without a query where the plan came `for_listing`.

    Of a plan that is shown as it was when its reader left, the owners of then.
    """
    if plan.owners_then is not None:
        return plan.owners_then
    fetched = "owners" in getattr(plan, "_prefetched_objects_cache", {})
    return list(plan.owners.all() if fetched else plan.owners.select_related("organisation").order_by("pk"))


def taking_part(organisations: QuerySet[Organisation] | None = None) -> QuerySet[Party]:
    """Present parties that may own and sign plans: all but observers (docs/rights.md)."""
    parties = Party.objects.filter(status=PartyStatus.ACCEPTED).exclude(role=PartyRole.OBSERVER)
    return parties if organisations is None else parties.filter(organisation__in=organisations)


# ---- Comments


def comment_counts(user: User | AnonymousUser, plan: Plan, *, on_draft: bool) -> dict[str, int]:
    """How many comments of open threads, that the person may read, stand by each piece: {"sites/north-quay": 2}."""
    if not user.is_authenticated:
        return {}
    settled = Q(resolved_at__isnull=False) | Q(parent__resolved_at__isnull=False)
    rows = Comment.objects.visible_to(user).filter(plan=plan).exclude(settled).exclude(anchor__in=("", "about"))
    rows = rows.filter(version_number=0) if on_draft else rows.exclude(version_number=0)
    return dict(rows.values_list("anchor").annotate(Count("pk")))


# ---- Milestones


def overdue_milestones(user: User | AnonymousUser, today: dt.date) -> MilestoneQuerySet:
    """Open milestones the person may see whose last possible day is past."""
    return Milestone.objects.visible_to(user).overdue(today).select_related("plan")


def milestones_due_soon(user: User | AnonymousUser, today: dt.date) -> MilestoneQuerySet:
    """Open milestones the person may see that are due within the next thirty days."""
    return Milestone.objects.visible_to(user).due_between(today, today + SOON).select_related("plan")


# ---- Signing


@dataclass(frozen=True, slots=True)
class SigningState:
    """Where one signatory stands: its decision that counts for the present version, or the last one before it; and
    whether it still takes part in the plan."""

    signatory: Signatory
    sign_off: SignOff | None
    earlier: SignOff | None
    takes_part: bool = True

    @property
    def code(self) -> str:
        """approved, met, left, conditional, rejected, lapsed, again or waiting."""
        if self.has_approved:
            return "met" if self.sign_off is not None and self.sign_off.is_conditional else "approved"
        if not self.takes_part:
            return "left"
        if self.sign_off is not None:
            return self.sign_off.decision
        if self.signatory.plan.is_awaiting_sign_off and self.signatory.has_lapsed():
            return "lapsed"
        return "again" if self.earlier else "waiting"

    @property
    def has_approved(self) -> bool:
        """Whether it approved, its condition, if any, being met."""
        if self.sign_off is None or self.sign_off.is_rejected:
            return False
        return not self.sign_off.is_conditional or hasattr(self.sign_off, "condition_met")

    def may_decide_on(self, number: int) -> bool:
        """Whether it may decide on the version of that number, the newest: once, or after a rejection."""
        if not self.takes_part:
            return False
        return self.sign_off is None or (self.sign_off.is_rejected and self.sign_off.version.number < number)

    @property
    def words(self) -> str:
        """The state in words."""
        return {
            "approved": "Approved",
            "met": "Approved, condition met",
            "left": "No longer takes part",
            "conditional": "Condition not met yet",
            "rejected": "Rejected",
            "lapsed": "Lapsed, not decided",
            "again": "Must sign again",
            "waiting": "Not decided yet",
        }[self.code]

    @property
    def is_settled(self) -> bool:
        """Whether nothing more is needed of this signatory: it approved, or has left and is not waited for."""
        return self.code in ("approved", "met", "left")


def signing_states(plan: Plan) -> list[SigningState]:
    """Every required signatory of a plan and where it stands, by name."""
    return signing_states_of([plan])[plan.pk]


def signing_states_of(plans: Sequence[Plan]) -> dict[int, list[SigningState]]:
    """Every required signatory of each plan and where it stands, by name. A decision counts for the present version
    when every version after the one it was made on is minor."""
    by_pk = {plan.pk: plan for plan in plans}
    decisions: dict[tuple[int, int], SignOff] = {}
    older: dict[tuple[int, int], SignOff] = {}
    sign_offs = (
        SignOff.objects.filter(plan__in=by_pk)
        .select_related("version", "person", "organisation", "condition_met")
        .defer("version__content", "version__prose")
        .order_by("version__number", "pk")
    )
    for sign_off in sign_offs:
        counts = sign_off.version.number >= by_pk[sign_off.plan_id].substantive_number
        (decisions if counts else older)[sign_off.plan_id, sign_off.organisation_id] = sign_off
    states: dict[int, list[SigningState]] = {pk: [] for pk in by_pk}
    required = Signatory.objects.filter(plan__in=by_pk, removed_at=None).select_related("organisation")
    for signatory in required.annotate(takes_part=still_takes_part()).order_by("organisation__name", "pk"):
        signatory.plan = by_pk[signatory.plan_id]
        key = signatory.plan_id, signatory.organisation_id
        states[signatory.plan_id].append(
            SigningState(signatory, decisions.get(key), older.get(key), signatory.takes_part)
        )
    return states


def decisions_for(version: Version) -> list[SignOff]:
    """What organisations decided on the version, and on those before it from which it differs in minor things only,
    each organisation's last word, by name: as it stands on that version for good."""
    substantive = (
        Version.objects.filter(plan=version.plan_id, number__lte=version.number, minor=False)
        .order_by("-number")
        .values_list("number", flat=True)
        .first()
    )
    made = (
        SignOff.objects.filter(
            plan=version.plan_id, version__number__gte=substantive or 0, version__number__lte=version.number
        )
        .select_related("version", "person", "organisation", "condition_met")
        .defer("version__content", "version__prose")
        .order_by("version__number", "pk")
    )
    last = {sign_off.organisation_id: sign_off for sign_off in made}
    return sorted(last.values(), key=lambda sign_off: (sign_off.organisation.name, sign_off.pk))


def still_takes_part() -> Q:
    """The condition on signatories that they own the plan, or are present members of its partnership who may read it:
    observers, and organisations that left, do not sign."""
    body = OuterRef("organisation")
    owner = Exists(PlanOwner.objects.filter(plan=OuterRef("plan"), organisation=body))
    party = Exists(taking_part().filter(partnership=OuterRef("plan__partnership"), organisation=body))
    return Q(owner) | (Q(party) & ~Q(plan__audience=Audience.OWNERS))


def has_to_decide(state: SigningState) -> bool:
    """Whether the signatory takes part and nothing it said counts for the present version."""
    return state.sign_off is None and state.takes_part


def reaches(comment: Comment, person: User) -> bool:
    """Whether the person may read the comment and takes part today: who left reads what was said, and is not called."""
    known = Plan.objects.known_today_to(person).values("pk")
    return Comment.objects.visible_to(person).filter(pk=comment.pk, plan__in=known).exists()


def number_to_sign(plan: Plan) -> int:
    """The number of the version that signatures are for: the newest that is not held back; 0 where there is none."""
    return plan.announced_number


# ---- Waiting on whom


@dataclass(frozen=True, slots=True)
class Turn:
    """Somebody's turn: who, to do what, since when, by when."""

    who: str
    what: str
    since: dt.datetime | None = None
    due: dt.date | None = None
    lapsed: bool = False


def waiting_on(plan: Plan, states: list[SigningState] | None = None) -> list[Turn]:
    """Whom the plan waits on, and for what; nothing when it waits on nobody."""
    if plan.is_over:
        return []
    owners = ", ".join(owner.organisation.display_name for owner in owners_of(plan))
    if plan.status == Status.DRAFT:
        return [Turn(owners, "to publish a first version", plan.created_at)]
    if plan.status == Status.SHARED:
        return [Turn(owners, "to choose who signs it off", plan.first_published_at)]
    if plan.status != Status.AWAITING_SIGN_OFF:
        return []
    turns: list[Turn] = []
    number = number_to_sign(plan)
    states = signing_states(plan) if states is None else states
    if all(state.code == "left" for state in states):
        return [Turn(owners, "to choose who signs it off", plan.last_published_at)]
    for state in states:
        name = state.signatory.organisation.display_name
        if state.is_settled:
            continue
        if state.sign_off is None:
            again = " again" if state.earlier else ""
            turns.append(
                Turn(
                    f"{name} ({state.signatory.role})",
                    f"to sign off version {number}{again}",
                    state.signatory.asked_at,
                    state.signatory.due_on,
                    state.code == "lapsed",
                )
            )
        elif state.code == "conditional":
            turns.append(Turn(name, "to say that its condition is met", state.sign_off.signed_at))
        elif state.code == "rejected":
            turns.append(Turn(owners, f"to answer the rejection by {name}", state.sign_off.signed_at))
    return turns


@dataclass(frozen=True, slots=True)
class Listed:
    """A plan in a list, with whom it waits on: said to readers of class inside alone."""

    plan: Plan
    turns: tuple[Turn, ...]


def with_turns(user: User, plans: Iterable[Plan]) -> list[Listed]:
    """The plans, which came `for_listing`, each with whom it waits on as far as the person may know, in a few queries
    however many there are."""
    plans = list(plans)
    open_ones = [plan.pk for plan in plans if not plan.is_over]
    inside = (
        set(Plan.objects.insiders_are(user).filter(pk__in=open_ones).values_list("pk", flat=True))
        if open_ones
        else set()
    )
    awaiting = [plan for plan in plans if plan.is_awaiting_sign_off and plan.pk in inside]
    states = signing_states_of(awaiting) if awaiting else {}
    return [
        Listed(plan, tuple(waiting_on(plan, states.get(plan.pk, []))) if plan.pk in inside else ()) for plan in plans
    ]


#: What waits for signatures comes first, then what waits for its signatories to be chosen, then drafts.
_PRESSING = Case(When(status=Status.AWAITING_SIGN_OFF, then=0), When(status=Status.SHARED, then=1), default=2)


def plans_that_wait(user: User, limit: int, partnership: int | None = None) -> list[Listed]:
    """Plans that wait on somebody, as far as the person is inside and sees them: of one partnership, or all."""
    waiting = (Status.DRAFT, Status.SHARED, Status.AWAITING_SIGN_OFF)
    seen = Plan.objects.visible_to(user).filter(pk__in=Plan.objects.insiders_are(user).values("pk"))
    if partnership is not None:
        seen = seen.filter(partnership=partnership)
    plans = Plan.objects.filter(pk__in=seen.filter(status__in=waiting).values("pk")).for_listing()
    return [one for one in with_turns(user, plans.order_by(_PRESSING, "-pk")[:limit]) if one.turns]


def _waiting(what: str, plan: Plan, route: str, **more: Any) -> Waiting:
    return Waiting(
        what=what,
        title=more.pop("title", plan.title),
        path=reverse(route, kwargs=more.pop("kwargs", {"pk": plan.pk})) + more.pop("place", ""),
        within=more.pop("within", plan.partnership.title if plan.partnership else ""),
        **more,
    )


#: Routes from what belongs to a plan to those who may change its draft.
_DRAFTERS = (drafters_of("plan__"),)


def _signatures() -> Reach:
    """Signatories that still take part, and whose last decision that counts, where there is one, is not final."""
    decisions = SignOff.objects.filter(
        plan=OuterRef("plan"),
        organisation=OuterRef("organisation"),
        version__number__gte=OuterRef("plan__substantive_number"),
    )
    last = Subquery(decisions.order_by("-version__number", "-pk").values("decision")[:1])
    open_ones = Signatory.objects.alias(last=last).filter(
        Q(last=None) | Q(last=Decision.CONDITIONAL),
        still_takes_part(),
        removed_at=None,
        plan__status=Status.AWAITING_SIGN_OFF,
    )
    return Reach(open_ones, (Organisations("organisation", roles=(Role.LEAD,)),))


def _signatures_wanted(user: User, now: dt.datetime) -> list[Waiting]:
    asked = (
        _signatures()
        .of(user)
        .filter(plan__in=Plan.objects.published_for(user).values("pk"))
        .select_related("plan__partnership", "organisation")
        .order_by("pk")
    )
    found: list[Waiting] = []
    states = signing_states_of([signatory.plan for signatory in asked])
    for signatory in asked:
        state = next((state for state in states[signatory.plan_id] if state.signatory.pk == signatory.pk), None)
        if state is None or state.is_settled or state.code == "rejected":
            continue
        met = state.code == "conditional"
        found.append(
            _waiting(
                "Say whether your condition is met" if met else f"Sign off version {number_to_sign(signatory.plan)}",
                signatory.plan,
                "plans:signing",
                since=signatory.asked_at,
                due=signatory.due_on,
                status="late" if signatory.has_lapsed() else "",
                status_label="Lapsed" if signatory.has_lapsed() else "",
            )
        )
    return found


_REQUESTS = Reach(AccessRequest.objects.filter(answered_at=None, plan__isnull=False), _DRAFTERS)


def _requests_wanted(user: User, now: dt.datetime) -> list[Waiting]:
    requests = _REQUESTS.of(user).select_related("plan__partnership", "person").order_by("asked_at", "pk")
    return [
        _waiting(
            f"Let {request.person.display_name} see the draft, or not",
            request.plan,
            "plans:sharing",
            since=request.asked_at,
        )
        for request in requests
    ]


def _mentions() -> Reach:
    """Mentions in open threads, to which whoever is mentioned has not replied."""
    replies = Comment.objects.filter(author=OuterRef("person"))
    unanswered = Mention.objects.filter(
        Q(comment__parent=None, comment__resolved_at=None)
        | Q(comment__parent__resolved_at=None, comment__parent__isnull=False),
        ~Exists(replies.filter(parent=OuterRef("comment"))),
        ~Exists(replies.filter(parent=OuterRef("comment__parent"))),
    )
    return Reach(unanswered, (People("person"),))


def _mentions_wanted(user: User, now: dt.datetime) -> list[Waiting]:
    comments = (
        Comment.objects.visible_to(user)
        .filter(pk__in=_mentions().of(user).values("comment"))
        # Who left reads what was said, and owes no answer.
        .filter(plan__in=Plan.objects.known_today_to(user).values("pk"))
        .select_related("plan__partnership", "author")
        .order_by("created_at", "pk")
    )
    return [
        _waiting(
            f"Answer {comment.author.display_name}'s comment",
            comment.plan,
            "plans:draft-comments" if comment.is_on_draft else "plans:comments",
            place=f"#comment-{comment.parent_id or comment.pk}",
            since=comment.created_at,
        )
        for comment in comments
    ]


def _showings(now: dt.datetime) -> Reach:
    return Reach(Share.objects.standing(now).filter(opened_at=None), (People("person"),))


def _showings_unread(user: User, now: dt.datetime) -> list[Waiting]:
    shares = _showings(now).of(user).filter(plan__in=Plan.objects.draft_visible_to(user).values("pk"))
    return [
        _waiting(
            "Read this draft",
            share.plan,
            "plans:draft",
            since=share.shared_at,
            due=share.ends_on,
            status="draft",
            status_label="Draft",
            # Who is shown a draft may know nothing of the partnership it belongs to.
            within="",
        )
        for share in shares.select_related("plan__partnership").order_by("shared_at", "pk")
    ]


def _milestones(now: dt.datetime) -> Reach:
    return Reach(Milestone.objects.open().filter(due_by__lte=timezone.localdate(now) + SOON), _DRAFTERS)


def _milestones_wanted(user: User, now: dt.datetime) -> list[Waiting]:
    # The short form publishes a version: who edits without publishing says it in the draft.
    publishable = Exists(Plan.objects.publishable_by(user).filter(pk=OuterRef("plan")))
    due = (
        _milestones(now)
        .of(user)
        .annotate(may_publish=publishable)
        .select_related("plan__partnership")
        .order_by("due_by", "pk")
    )
    today = timezone.localdate(now)
    return [_milestone_wanted(milestone, today, may_publish=milestone.may_publish) for milestone in due]


def _milestone_wanted(milestone: Milestone, today: dt.date, *, may_publish: bool) -> Waiting:
    overdue = milestone.due_by is not None and milestone.due_by < today
    where = {"pk": milestone.plan_id, "key": milestone.key}
    return _waiting(
        "Update this milestone" if may_publish else "Update this milestone in the draft",
        milestone.plan,
        "plans:milestone" if may_publish else "plans:edit-item",
        title=f"{milestone.name}, {milestone.plan.title}",
        kwargs=where if may_publish else where | {"code": "milestones"},
        due=milestone.due_by,
        status="late" if overdue else "",
        status_label="Overdue" if overdue else "",
    )


def _offers() -> Reach:
    return Reach(OwnershipOffer.objects.waiting(), (Organisations("organisation", roles=(Role.LEAD,)),))


def _offers_wanted(user: User, now: dt.datetime) -> list[Waiting]:
    offers = _offers().of(user).select_related("plan__partnership", "offered_for").order_by("offered_at", "pk")
    return [
        _waiting(
            f"Accept or decline this plan from {offer.offered_for.display_name}",
            offer.plan,
            "plans:answer-ownership",
            kwargs={"pk": offer.pk},
            since=offer.offered_at,
        )
        for offer in offers
    ]


#: What waits in plans: signatures and conditions, requests, mentions, showings, milestones, offers of ownership.
WAITING = (
    Source(_signatures_wanted, lambda _: (_signatures(),)),
    Source(_requests_wanted, lambda _: (_REQUESTS,)),
    Source(_mentions_wanted, lambda _: (_mentions(),)),
    Source(_showings_unread, lambda now: (_showings(now),)),
    Source(_milestones_wanted, lambda now: (_milestones(now),)),
    Source(_offers_wanted, lambda _: (_offers(),)),
)
