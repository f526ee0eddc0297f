"""One page of results, with snippets and facets."""

from __future__ import annotations

import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Any

from django.db.models import QuerySet
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe

from partnerships.agreements.models import Holder, Partnership, Post, PostRole
from partnerships.kit.database import rows_of
from partnerships.organisations.holdings import among
from partnerships.organisations.models import Organisation
from partnerships.organisations.statements import lookup, read_ahead, rows_for
from partnerships.people.models import User
from partnerships.search.entries import UNSEEN
from partnerships.search.queries import asking
from partnerships.search.queries.asking import Asked
from partnerships.search.queries.candidates import Narrowed, Readable, frequent, readable
from partnerships.search.queries.past import departures_lookup, left_behind
from partnerships.search.queries.spelling import alike
from partnerships.search.sources.every import KINDS
from partnerships.search.sources.source import Found

#: Results on a page.
PAGE = 20
#: Values of a facet that are shown, the most frequent first.
_VALUES = 10
#: Mark the words in a snippet; entries hold no such characters (see `entries`).
_START, _STOP = "\x02", "\x03"
_HEADLINE = f"StartSel={_START}, StopSel={_STOP}, MaxFragments=2, MaxWords=24, MinWords=8, FragmentDelimiter=' … '"


@dataclass(frozen=True, slots=True)
class Hit:
    """One result: its address, title, what it is, and words around those that were sought.

    `title` and `snippet` are HTML with the words marked. `holders` are the people to ring, of a post; `deputies` cover
    for them, unless a lead `has_no_deputy`.
    """

    title: SafeString
    href: str
    kind: str
    snippet: SafeString
    organisation: str = ""
    partnership: str = ""
    day: dt.date | None = None
    holders: tuple[Holder, ...] = ()
    deputies: tuple[Holder, ...] = ()
    is_vacant: bool = False
    has_no_deputy: bool = False


@dataclass(frozen=True, slots=True)
class Choice:
    """A value of a facet and how many results have it."""

    value: str
    label: str
    count: int
    is_chosen: bool


@dataclass(frozen=True, slots=True)
class Facet:
    """One way to narrow results down."""

    name: str
    label: str
    choices: tuple[Choice, ...]


@dataclass(frozen=True, slots=True)
class Results:
    """A page of results.

    `more` says that there may be results beyond those counted. `similar` says that nothing has the words themselves.
    """

    hits: tuple[Hit, ...] = ()
    count: int = 0
    more: bool = False
    facets: tuple[Facet, ...] = ()
    next_after: str = ""
    similar: bool = False


def search(*, user: User, text: str, narrowed: Narrowed | None = None, after: str = "") -> Results:
    """What the person may read and what fits the text, best first.

    Empty for too short a text. `after` is where the page before ended. If nothing has the words, words that begin like
    them or are spelt like them count.
    """
    narrowed = narrowed or Narrowed()
    text = asking.cleaned(text)
    if not text:
        return Results()
    asked, fitting, similar = _asked(user, text, narrowed)
    every = narrowed.of(fitting.found)
    page, next_after = _page(every, after)
    is_first = not after and not narrowed
    _read_ahead(user, fitting.found, page, is_first=is_first)
    names = _names(user, fitting.found)
    hits = _hits(user, asked, page, names)
    if is_first:
        left = [
            Hit(_marked(departed.title), departed.href, departed.kind, _marked(""))
            for departed in left_behind(user, text)
        ]
        hits = (*left, *hits)
    return Results(
        hits=hits,
        count=len(every) + len(hits) - len(page),
        more=fitting.more,
        facets=_facets(fitting.found, narrowed, names),
        next_after=next_after,
        similar=similar and bool(hits),
    )


def _asked(user: User, text: str, narrowed: Narrowed) -> tuple[Asked, Readable, bool]:
    """The question that finds something, what fits it, and whether its words differ from those typed."""
    first = asking.exact(text)
    fitting = _fitting(user, first, text, narrowed)
    if fitting.found or not first.has_words:
        return first, fitting, False
    for asked in _other_words(user, text):
        if asked is not None:
            found = _fitting(user, asked, text, narrowed)
            if found.found:
                return asked, found, True
    return first, fitting, False


def _other_words(user: User, text: str) -> Iterator[Asked | None]:
    known = frequent(text)
    yield asking.beginning(text, frequent=known)
    yield alike(user, text, frequent=known)


def _fitting(user: User, asked: Asked, text: str, narrowed: Narrowed) -> Readable:
    """Everything that fits, for the facets.

    Only what is narrowed down to if that is too much.
    """
    found = readable(user, asked, text, Narrowed())
    return readable(user, asked, text, narrowed) if narrowed and found.more else found


def _page(every: Sequence[Found], after: str) -> tuple[list[Found], str]:
    """The results after a place, and the place where they end; "" at the end."""
    place = _place(after)
    rest = [entry for entry in every if place is None or _key(entry) > place]
    page = rest[:PAGE]
    return page, f"{page[-1].rank:.6f}_{page[-1].id}" if len(rest) > PAGE else ""


def _key(one: Found) -> tuple[float, int]:
    return -round(one.rank, 6), -one.id


def _place(after: str) -> tuple[float, int] | None:
    rank, _, number = after.partition("_")
    try:
        return -float(rank), -int(number)
    except ValueError:
        return None


@dataclass(frozen=True, slots=True)
class _Names:
    """What to call the organisations and partnerships of results, by id, as far as the person may know."""

    organisations: dict[int, str]
    partnerships: dict[int, str]


def _read_ahead(user: User, found: Sequence[Found], page: Sequence[Found], *, is_first: bool) -> None:
    """Read in one query the names, the posts, and whether the person left something behind."""
    wanted = [departures_lookup(user)] if is_first else []
    if found:
        wanted += [
            lookup(_organisation_names, _ids(entry.organisation_id for entry in found)),
            lookup(_partnership_titles, user, _ids(entry.partnership_id for entry in found)),
        ]
    if posts := _post_ids(page):
        wanted.append(lookup(_posts_to_show, user, posts))
    read_ahead(wanted)


def _names(user: User, found: Sequence[Found]) -> _Names:
    if not found:
        return _Names({}, {})
    return _Names(
        dict(rows_for(_organisation_names, _ids(entry.organisation_id for entry in found))),
        dict(rows_for(_partnership_titles, user, _ids(entry.partnership_id for entry in found))),
    )


def _hits(user: User, asked: Asked, page: Sequence[Found], names: _Names) -> tuple[Hit, ...]:
    """The results of one page as they are shown, with marked words.

    Contacts have their holders and deputies.
    """
    if not page:
        return ()
    excerpts = _excerpts(asked, page)
    posts = _posts(user, page)
    deputies = _deputies(user, posts.values())
    hits = []
    for entry in page:
        if entry.id not in excerpts:
            continue
        title, snippet = excerpts[entry.id]
        post = posts.get(entry.path)
        covering = deputies.get(post.pk, ()) if post else ()
        # An organisation's own name is its title.
        body = None if entry.kind == "organisation" else entry.organisation_id
        hits.append(
            Hit(
                title=title,
                href=entry.path,
                kind=KINDS[entry.kind][0],
                snippet=snippet,
                organisation=names.organisations.get(body or 0, ""),
                partnership=names.partnerships.get(entry.partnership_id or 0, ""),
                day=entry.day,
                holders=tuple(post.present) if post else (),
                deputies=covering,
                is_vacant=post is not None and not post.present,
                has_no_deputy=post is not None and post.role == PostRole.LEAD and not covering,
            )
        )
    return tuple(hits)


def _excerpts(asked: Asked, page: Sequence[Found]) -> dict[int, tuple[SafeString, SafeString]]:
    """The title of each entry, and its text around the words that were sought, both with these marked."""
    rows = rows_of(
        f"SELECT id, ts_headline('english', title, {asked.sql}, %(whole)s),"  # noqa: S608 - SQL of ours
        f" ts_headline('english', split_part(text, %(unseen)s, 1), {asked.sql}, %(short)s)"
        " FROM search_searchentry WHERE id = ANY(%(ids)s)",
        {
            **asked.values,
            "ids": [entry.id for entry in page],
            "whole": f"StartSel={_START}, StopSel={_STOP}, HighlightAll=true",
            "short": _HEADLINE,
            "unseen": UNSEEN,
        },
    )
    return {pk: (_marked(title), _marked(snippet)) for pk, title, snippet in rows}


def _marked(text: str) -> SafeString:
    """The text as HTML, with the words that were sought marked."""
    html = str(escape(text)).replace(_START, "<mark>").replace(_STOP, "</mark>")
    return mark_safe(html)  # noqa: S308 - escaped above


def _ids(given: Iterable[int | None]) -> list[int]:
    return sorted({pk for pk in given if pk is not None})


def _organisation_names(ids: list[int]) -> QuerySet[Organisation, tuple[int, str]]:
    """The directory is open to everybody who can sign in."""
    return Organisation.objects.filter(among("pk", ids)).values_list("pk", "name")


def _partnership_titles(user: User, ids: list[int]) -> QuerySet[Partnership, tuple[int, str]]:
    """Titles of those that the person may read today."""
    return Partnership.objects.known_today_to(user).filter(among("pk", ids)).values_list("pk", "title")


def _posts(user: User, page: Sequence[Found]) -> dict[str, Post]:
    """The posts among the results with their present holders, by address."""
    ids = _post_ids(page)
    return {post.get_absolute_url(): post for post in rows_for(_posts_to_show, user, ids)} if ids else {}


def _post_ids(page: Sequence[Found]) -> list[int]:
    return _ids(int(entry.path.rstrip("/").rpartition("/")[2]) for entry in page if entry.kind == "contact")


def _posts_to_show(user: User, ids: list[int]) -> QuerySet[Post]:
    return Post.objects.visible_to(user).open().filter(among("pk", ids)).for_listing()


def _deputies(user: User, posts: Collection[Post]) -> dict[int, tuple[Holder, ...]]:
    """Who covers for a lead, by the lead's post.

    These are the deputies of the same organisation in the same partnership.
    """
    led = [post for post in posts if post.role == PostRole.LEAD]
    if not led:
        return {}
    found: defaultdict[tuple[int, int | None], tuple[Holder, ...]] = defaultdict(tuple)
    for deputy in rows_for(_deputies_to_show, user, _ids(post.organisation_id for post in led)):
        found[deputy.organisation_id, deputy.partnership_id] += tuple(deputy.present)
    return {post.pk: found[post.organisation_id, post.partnership_id] for post in led}


def _deputies_to_show(user: User, organisations: list[int]) -> QuerySet[Post]:
    deputies = Post.objects.visible_to(user).open().filter(among("organisation", organisations), role=PostRole.DEPUTY)
    return deputies.for_listing()


def _facets(found: Sequence[Found], narrowed: Narrowed, names: _Names) -> tuple[Facet, ...]:
    """What results can be narrowed down to.

    Counted by what the person may read.
    """
    facets = []
    labels: Mapping[Any, str] | None
    for name, label, labels in (
        ("kind", "Kind", {code: many for code, (_, many) in KINDS.items()}),
        ("partnership", "Partnership", names.partnerships),
        ("organisation", "Organisation", names.organisations),
        ("year", "Year", None),
    ):
        chosen = getattr(narrowed, name)
        counts = Counter(map(_VALUES_OF[name], _without(narrowed, name).of(found)))
        counts.pop(None, None)
        choices = [
            Choice(str(value), str(labels[value] if labels else value), count, value == chosen)
            for value, count in counts.items()
            if labels is None or value in labels
        ]
        if name == "year":
            choices.sort(key=lambda choice: choice.value, reverse=True)
        else:
            choices.sort(key=lambda choice: (-choice.count, choice.label))
        shown = [choice for place, choice in enumerate(choices) if place < _VALUES or choice.is_chosen]
        if len(shown) > 1 or any(choice.is_chosen for choice in shown):
            facets.append(Facet(name, label, tuple(shown)))
    return tuple(facets)


#: What each facet counts of an entry.
_VALUES_OF: dict[str, Callable[[Found], Any]] = {
    "kind": attrgetter("kind"),
    "partnership": attrgetter("partnership_id"),
    "organisation": attrgetter("organisation_id"),
    "year": lambda one: one.day.year if one.day else None,
}


def _without(narrowed: Narrowed, name: str) -> Narrowed:
    values = {
        field: getattr(narrowed, field) for field in ("kind", "partnership", "organisation", "year") if field != name
    }
    return Narrowed(**values)
