"""One search over everything a person may see.

Searches each room's visible records by the fields that all their readers share.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from django.db.models import Exists, OuterRef, Prefetch, Q, QuerySet
from django.urls import reverse
from django.utils import timezone

from partnerships.agreements.models import Holder, Partnership, Post
from partnerships.agreements.queries import find_by_words, find_contacts
from partnerships.commitments.models import Commitment
from partnerships.conversations.models import Conversation, Meeting, Side
from partnerships.exchange.models import Entry
from partnerships.kit.dates import age_in_words
from partnerships.organisations.holdings import among
from partnerships.organisations.models import Identifier, Organisation, Scheme
from partnerships.organisations.models import Status as OrganisationStatus
from partnerships.organisations.queries import find_organisations
from partnerships.organisations.statements import rows_for
from partnerships.people.models import User
from partnerships.plans.models import Plan, Site, Version
from partnerships.plans.queries import as_read_by, titled_then, titled_today

#: Results shown of each kind; one more is fetched to know whether there are others.
SHOWN = 10
#: With fewer matching sites, these are looked up first; with more, a search of plans soon finds enough.
_FEW = 500
#: Shorter words match too much of the register.
SHORTEST = 2


@dataclass(frozen=True, slots=True)
class Result:
    """One search result: its address, and enough text to recognise it.

    `holders` are the people to ring, of a post.
    """

    title: str
    href: str
    detail: str
    holders: tuple[Holder, ...] = ()


@dataclass(frozen=True, slots=True)
class Group:
    """Results of one kind; `more` if some are not shown."""

    name: str
    results: tuple[Result, ...]
    more: bool


def _words(words: Iterable[str], *fields: str) -> Q:
    """Condition that every word is in one of the fields."""
    condition = Q()
    for word in words:
        somewhere = Q()
        for field in fields:
            somewhere |= Q(**{f"{field}__icontains": word})
        condition &= somewhere
    return condition


def _organisations(user: User, text: str) -> QuerySet[Organisation]:
    found = find_organisations(user=user, text=text)
    codes = Identifier.objects.exclude(scheme=Scheme.NETWORK).order_by("scheme", "value")
    return found.prefetch_related(Prefetch("identifiers", codes)).order_by("name", "pk")


def _partnerships(user: User, text: str) -> list[Partnership]:
    return find_by_words(user, text, limit=SHOWN + 1)


def _entries(user: User, *words: str) -> list[Entry]:
    """The newest that are shared, then drafts: with both in one order PostgreSQL would sort all that match."""
    shared = rows_for(_shared_entries, user, *words)
    return shared if len(shared) > SHOWN else [*shared, *rows_for(_draft_entries, user, *words)]


def _shared_entries(user: User, *words: str) -> QuerySet[Entry]:
    found = Entry.objects.visible_to(user).filter(_words(words, "title", "statement")).select_related("organisation")
    return found.exclude(shared_at=None).order_by("-shared_at", "-pk")[: SHOWN + 1]


def _draft_entries(user: User, *words: str) -> QuerySet[Entry]:
    found = Entry.objects.visible_to(user).filter(_words(words, "title", "statement")).select_related("organisation")
    return found.filter(shared_at=None).order_by("-pk")[: SHOWN + 1]


def _plans(user: User, *words: str) -> list[Plan]:
    """Plans by title or by the names of sites that the person may read, by title."""
    few = rows_for(_plans_with_site, *words)
    found = set(rows_for(_plans_named, user, few if len(few) < _FEW else [], *words, few=len(few) < _FEW))
    return rows_for(_plans_by_title, list(found))


def _plans_by_title(ids: list[int]) -> QuerySet[Plan]:
    return Plan.objects.filter(pk__in=ids).order_by("title", "pk")[: SHOWN + 1]


def _plans_with_site(*words: str) -> QuerySet[Site, int]:
    """Ids of plans with such a site, without a check of rights."""
    named = Site.objects.filter(_words(words, "name", "reference"))
    return named.order_by().values_list("plan_id", flat=True)[:_FEW]


def _plans_named(user: User, with_site_ids: list[int], *words: str, few: bool) -> QuerySet[Plan, int]:
    """Ids of plans by title or site; `few`: only `with_site_ids` have such a site.

    Each kind is a query of its own: PostgreSQL would check one condition for all kinds on every plan.
    """
    newest = Version.objects.visible_to(user).filter(plan=OuterRef("plan"), number=OuterRef("plan__current_number"))
    readable_sites = Site.objects.filter(Exists(newest)).filter(
        Q(confidential=False) | Q(plan__in=Plan.objects.inside_for(user).values("pk"))
    )
    named = _words(words, "name", "reference")
    with_site = Plan.objects.visible_to(user).filter(Exists(readable_sites.filter(named, plan=OuterRef("pk"))))
    if few:
        with_site = with_site.filter(among("pk", with_site_ids))
    today, held = titled_today(user, _words(words, "title")), titled_then(user, _words(words, "title"))
    every = (today, Plan.objects.visible_to(user).filter(held), with_site)
    first, *others = (each.order_by("title", "pk").values("pk")[: SHOWN + 1] for each in every)
    return first.union(*others, all=True).values_list("pk", flat=True)


def _commitments(user: User, bodies: list[int], *words: str) -> QuerySet[Commitment]:
    """By text or reference, or between these organisations (ids)."""
    about = _words(words, "text", "reference") | among("giver", bodies) | among("receiver", bodies)
    return Commitment.objects.visible_to(user).filter(about).order_by("due_on", "pk")[: SHOWN + 1]


def _conversations(user: User, bodies: list[int], *words: str) -> QuerySet[Conversation]:
    """By subject or what was said, or with these organisations (ids)."""
    sides = Side.objects.filter(among("organisation", bodies)).values("conversation")
    about = _words(words, "subject", "said") | Q(pk__in=sides)
    return Conversation.objects.visible_to(user).filter(about).order_by("-held_on", "pk")[: SHOWN + 1]


def _meetings(user: User, bodies: list[int], *words: str) -> QuerySet[Meeting]:
    """By title, or called by these organisations (ids)."""
    about = _words(words, "title") | among("organisation", bodies)
    return Meeting.objects.visible_to(user).filter(about).order_by("-starts_at", "pk")[: SHOWN + 1]


def _asked_or_offered(entry: Entry) -> str:
    """Whose entry it is, and how long it has had no answer."""
    words = f"{entry.get_direction_display()} from {entry.organisation.name}"
    if entry.waiting_since is None:
        return words
    waited = age_in_words(timezone.localdate(entry.waiting_since), timezone.localdate())
    return f"{words}, new today" if waited == "today" else f"{words}, unanswered for {waited}"


def _about(organisation: Organisation) -> str:
    """Kind, status and identifiers; whether it is invented."""
    codes = [identifier.value for identifier in organisation.identifiers.all()][:3]
    ended = [] if organisation.status == OrganisationStatus.ACTIVE else [organisation.get_status_display().lower()]
    return ", ".join([organisation.kind_in_words, *ended, *codes])


def _group(
    name: str, found: QuerySet[Any] | list[Any], route: str, detail: Callable[[Any], str], title: str = "title"
) -> Group:
    rows: Iterable[Any] = found[: SHOWN + 1]
    results = [Result(str(getattr(row, title)), reverse(route, kwargs={"pk": row.pk}), detail(row)) for row in rows]
    return Group(name, tuple(results[:SHOWN]), len(results) > SHOWN)


def _post_in_words(post: Post) -> str:
    """Title, partnership, and whether it is vacant."""
    within = post.partnership.title if post.partnership else "For the whole organisation"
    return " · ".join(filter(None, [post.title, within, "" if post.present else "Vacant"]))


def _contacts(user: User, text: str) -> Group:
    """Posts with the people to ring; the question itself may be the text."""
    posts = find_contacts(user, text, limit=SHOWN + 1)
    results = [
        Result(
            f"{post.get_role_display()}, {post.organisation.name}",
            post.get_absolute_url(),
            _post_in_words(post),
            tuple(post.present),
        )
        for post in posts
    ]
    return Group("Contacts", tuple(results[:SHOWN]), len(results) > SHOWN)


def search(*, user: User, text: str) -> tuple[Group, ...]:
    """Records the person may see that contain every word, by kind.

    Empty for fewer than two characters.
    """
    text = " ".join(text.split())[:200]
    if len(text) < SHORTEST:
        return ()
    words = text.split()
    organisations = list(_organisations(user, text)[: SHOWN + 1])
    # By the names, present and former, of organisations: not if the words are in the names of many.
    bodies = [one.pk for one in organisations] if len(organisations) <= SHOWN else []
    groups = (
        _contacts(user, text),
        _group("Partnerships", _partnerships(user, text), "agreements:detail", lambda row: row.get_status_display()),
        _group(
            "Plans",
            as_read_by(user, _plans(user, *words)),
            "plans:detail",
            lambda row: row.get_status_display(),
        ),
        _group(
            "Asks and offers",
            _entries(user, *words),
            "exchange:detail",
            _asked_or_offered,
        ),
        _group(
            "Commitments",
            rows_for(_commitments, user, bodies, *words),
            "commitments:detail",
            lambda row: row.get_status_display(),
            title="text",
        ),
        _group(
            "Conversations",
            rows_for(_conversations, user, bodies, *words),
            "conversations:detail",
            lambda row: row.get_status_display(),
            title="subject",
        ),
        _group(
            "Meetings",
            rows_for(_meetings, user, bodies, *words),
            "conversations:meeting",
            lambda row: f"{row.when}, {row.get_status_display().lower()}",
        ),
        _group(
            "Organisations",
            organisations,
            "organisations:detail",
            _about,
            title="name",
        ),
    )
    return tuple(group for group in groups if group.results)
