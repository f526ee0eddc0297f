"""One page of results, with snippets and facets."""

from __future__ import annotations

import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
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
from partnerships.search.queries.asking import TextQuery, clean_text, exact_query, prefix_query
from partnerships.search.queries.candidates import ReadableEntries, SearchFilters, frequent_words, readable_entries
from partnerships.search.queries.past import departures_lookup, former_records
from partnerships.search.queries.spelling import similar_words_query
from partnerships.search.sources.every import KINDS
from partnerships.search.sources.source import MatchingEntry

#: Results on a page.
PAGE = 20
#: Values of a facet that are shown, the most frequent first.
_MAX_CHOICES = 10
#: Surround matched words in a snippet; entries hold no such characters (see `entries`).
_START, _STOP = "\x02", "\x03"
_HEADLINE = f"StartSel={_START}, StopSel={_STOP}, MaxFragments=2, MaxWords=24, MinWords=8, FragmentDelimiter=' … '"


@dataclass(frozen=True, slots=True)
class Hit:
    """One result as the page shows it.

    `title` and `snippet` are HTML in which matched words are marked. A contact also has its `holders`, the people to
    ring, and the `deputies` who cover for them; `has_no_deputy` says that a lead has none.
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
    """A page of results."""

    hits: tuple[Hit, ...] = ()
    count: int = 0
    #: Whether there may be results beyond those counted.
    has_more: bool = False
    facets: tuple[Facet, ...] = ()
    #: Where the next page starts; "" on the last one.
    next_after: str = ""
    #: Whether nothing has the words themselves, only similar ones.
    is_similar: bool = False


def search(*, user: User, text: str, filters: SearchFilters | None = None, after: str = "") -> Results:
    """Return a page of the records that match the text and that the person may read, best first.

    Empty if the text is too short. `after` is the `next_after` of the page before. If nothing has the words, words that
    start like them count, then words that are spelt like them.
    """
    filters = filters or SearchFilters()
    text = clean_text(text)
    if not text:
        return Results()
    match = _first_match(user, text, filters)
    entries = match.found.entries
    filtered = filters.apply(entries)
    page, next_after = _page_after(filtered, after)
    is_first_page = not after and not filters

    _read_ahead(user, entries, page, with_former_records=is_first_page)
    names = _names(user, entries)
    former_hits = _former_hits(user, text) if is_first_page else ()
    page_hits = _hits(user, match.query, page, names)
    hits = (*former_hits, *page_hits)

    # An entry that was deleted meanwhile is on the page but makes no hit.
    deleted = len(page) - len(page_hits)
    return Results(
        hits=hits,
        count=len(filtered) + len(former_hits) - deleted,
        has_more=match.found.has_more,
        facets=_facets(entries, filters, names),
        next_after=next_after,
        is_similar=match.is_similar and bool(hits),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Match:
    """The query that was used, and the entries that it found."""

    query: TextQuery
    found: ReadableEntries
    is_similar: bool = False


def _first_match(user: User, text: str, filters: SearchFilters) -> _Match:
    """Try the words themselves, then words that start like them, then similar ones, until there are entries."""
    query = exact_query(text)
    exact_match = _Match(query=query, found=_find(user, query, text, filters))
    if exact_match.found.entries or not query.has_words:
        return exact_match

    for similar_query in _similar_queries(user, text):
        found = _find(user, similar_query, text, filters)
        if found.entries:
            return _Match(query=similar_query, found=found, is_similar=True)
    return exact_match


def _similar_queries(user: User, text: str) -> Iterator[TextQuery]:
    frequent = frequent_words(text)
    if (starts_like := prefix_query(text, frequent=frequent)) is not None:
        yield starts_like
    if (spelt_like := similar_words_query(user, text, frequent=frequent)) is not None:
        yield spelt_like


def _find(user: User, query: TextQuery, text: str, filters: SearchFilters) -> ReadableEntries:
    """All matching entries, whose facets are counted; only the filtered ones if there are too many."""
    unfiltered = readable_entries(user, query, text, SearchFilters())
    if filters and unfiltered.has_more:
        return readable_entries(user, query, text, filters)
    return unfiltered


def _page_after(entries: Sequence[MatchingEntry], after: str) -> tuple[list[MatchingEntry], str]:
    """The entries of the next page, and the `next_after` at its end: "" on the last page."""
    start = _parse_after(after)
    remaining = [entry for entry in entries if start is None or _sort_key(entry) > start]
    page = remaining[:PAGE]
    next_after = f"{page[-1].rank:.6f}_{page[-1].id}" if len(remaining) > PAGE else ""
    return page, next_after


def _sort_key(entry: MatchingEntry) -> tuple[float, int]:
    return -round(entry.rank, 6), -entry.id


def _parse_after(after: str) -> tuple[float, int] | None:
    """The sort key that `after` names; None if it names none."""
    rank, _, entry_id = after.partition("_")
    try:
        return -float(rank), -int(entry_id)
    except ValueError:
        return None


@dataclass(frozen=True, slots=True)
class _Names:
    """The names of organisations and the titles of partnerships, by id, as far as the person may know them."""

    organisations: dict[int, str]
    partnerships: dict[int, str]


def _read_ahead(
    user: User, entries: Sequence[MatchingEntry], page: Sequence[MatchingEntry], *, with_former_records: bool
) -> None:
    """Read in one query the names, the posts and, if asked, whether the person has left anything."""
    lookups = [departures_lookup(user)] if with_former_records else []
    if entries:
        lookups += [
            lookup(_organisation_names, _ids(entry.organisation_id for entry in entries)),
            lookup(_partnership_titles, user, _ids(entry.partnership_id for entry in entries)),
        ]
    if post_ids := _post_ids(page):
        lookups.append(lookup(_posts_to_show, user, post_ids))
    read_ahead(lookups)


def _names(user: User, entries: Sequence[MatchingEntry]) -> _Names:
    if not entries:
        return _Names({}, {})
    return _Names(
        organisations=dict(rows_for(_organisation_names, _ids(entry.organisation_id for entry in entries))),
        partnerships=dict(rows_for(_partnership_titles, user, _ids(entry.partnership_id for entry in entries))),
    )


def _former_hits(user: User, text: str) -> tuple[Hit, ...]:
    """Results for partnerships and plans that the person's organisation has left."""
    return tuple(
        Hit(title=_marked(record.title), href=record.href, kind=record.kind, snippet=_marked(""))
        for record in former_records(user, text)
    )


def _hits(user: User, query: TextQuery, page: Sequence[MatchingEntry], names: _Names) -> tuple[Hit, ...]:
    """The results of one page, with matched words marked; contacts have their holders and deputies."""
    if not page:
        return ()
    excerpts_by_id = _excerpts_by_id(query, page)
    posts_by_path = _posts_by_path(user, page)
    deputies_by_post = _deputies_by_post(user, posts_by_path.values())

    hits = []
    for entry in page:
        if entry.id not in excerpts_by_id:
            continue
        title, snippet = excerpts_by_id[entry.id]
        post = posts_by_path.get(entry.path)
        deputies = deputies_by_post.get(post.pk, ()) if post else ()
        # The title of an organisation's entry is its name already.
        organisation_id = None if entry.kind == "organisation" else entry.organisation_id
        hits.append(
            Hit(
                title=title,
                href=entry.path,
                kind=KINDS[entry.kind].singular,
                snippet=snippet,
                organisation=names.organisations.get(organisation_id or 0, ""),
                partnership=names.partnerships.get(entry.partnership_id or 0, ""),
                day=entry.day,
                holders=tuple(post.present) if post else (),
                deputies=deputies,
                is_vacant=post is not None and not post.present,
                has_no_deputy=post is not None and post.role == PostRole.LEAD and not deputies,
            )
        )
    return tuple(hits)


_EXCERPTS = """
SELECT id,
       ts_headline('english', title, {query}, %(title_options)s),
       ts_headline('english', split_part(text, %(unseen)s, 1), {query}, %(text_options)s)
  FROM search_searchentry
 WHERE id = ANY(%(ids)s)
"""


def _excerpts_by_id(query: TextQuery, page: Sequence[MatchingEntry]) -> dict[int, tuple[SafeString, SafeString]]:
    """The title of each entry, and the parts of its text that match, as HTML with marked words."""
    rows = rows_of(
        _EXCERPTS.format(query=query.sql),
        {
            **query.values,
            "ids": [entry.id for entry in page],
            "title_options": f"StartSel={_START}, StopSel={_STOP}, HighlightAll=true",
            "text_options": _HEADLINE,
            "unseen": UNSEEN,
        },
    )
    return {entry_id: (_marked(title), _marked(snippet)) for entry_id, title, snippet in rows}


def _marked(text: str) -> SafeString:
    """The text as HTML, with matched words in <mark> elements."""
    html = str(escape(text)).replace(_START, "<mark>").replace(_STOP, "</mark>")
    return mark_safe(html)  # noqa: S308 - escaped above


def _ids(values: Iterable[int | None]) -> list[int]:
    """The ids without None and doubles, sorted."""
    return sorted({value for value in values if value is not None})


def _organisation_names(ids: list[int]) -> QuerySet[Organisation, tuple[int, str]]:
    """The names of these organisations: the directory is open to everybody who can sign in."""
    return Organisation.objects.filter(among("pk", ids)).values_list("pk", "name")


def _partnership_titles(user: User, ids: list[int]) -> QuerySet[Partnership, tuple[int, str]]:
    """The titles of those partnerships that the person may read today."""
    return Partnership.objects.known_today_to(user).filter(among("pk", ids)).values_list("pk", "title")


def _posts_by_path(user: User, page: Sequence[MatchingEntry]) -> dict[str, Post]:
    """The posts among the results, with their present holders, by URL path."""
    post_ids = _post_ids(page)
    if not post_ids:
        return {}
    return {post.get_absolute_url(): post for post in rows_for(_posts_to_show, user, post_ids)}


def _post_ids(page: Sequence[MatchingEntry]) -> list[int]:
    """Ids of the posts among the results, from the end of their paths: entries of holders link to a post too."""
    return _ids(int(entry.path.rstrip("/").rpartition("/")[2]) for entry in page if entry.kind == "contact")


def _posts_to_show(user: User, ids: list[int]) -> QuerySet[Post]:
    return Post.objects.visible_to(user).open().filter(among("pk", ids)).for_listing()


def _deputies_by_post(user: User, posts: Collection[Post]) -> dict[int, tuple[Holder, ...]]:
    """The people who cover for a lead, by the id of the lead's post.

    They hold the deputy posts of the same organisation in the same partnership.
    """
    lead_posts = [post for post in posts if post.role == PostRole.LEAD]
    if not lead_posts:
        return {}
    deputies_by_side: defaultdict[tuple[int, int | None], tuple[Holder, ...]] = defaultdict(tuple)
    for deputy_post in rows_for(_deputy_posts, user, _ids(post.organisation_id for post in lead_posts)):
        deputies_by_side[deputy_post.organisation_id, deputy_post.partnership_id] += tuple(deputy_post.present)
    return {post.pk: deputies_by_side[post.organisation_id, post.partnership_id] for post in lead_posts}


def _deputy_posts(user: User, organisation_ids: list[int]) -> QuerySet[Post]:
    open_posts = Post.objects.visible_to(user).open()
    return open_posts.filter(among("organisation", organisation_ids), role=PostRole.DEPUTY).for_listing()


def _facets(entries: Sequence[MatchingEntry], filters: SearchFilters, names: _Names) -> tuple[Facet, ...]:
    """The ways to narrow the results down, counted by what the person may read."""
    kind_labels = {code: kind.plural for code, kind in KINDS.items()}
    facets = (
        _facet("kind", "Kind", entries, filters, kind_labels),
        _facet("partnership", "Partnership", entries, filters, names.partnerships),
        _facet("organisation", "Organisation", entries, filters, names.organisations),
        _facet("year", "Year", entries, filters),
    )
    return tuple(
        facet for facet in facets if len(facet.choices) > 1 or any(choice.is_chosen for choice in facet.choices)
    )


def _facet(
    name: str,
    label: str,
    entries: Sequence[MatchingEntry],
    filters: SearchFilters,
    label_by_value: Mapping[Any, str] | None = None,
) -> Facet:
    """One facet: its most frequent values and the chosen one.

    A facet is counted without its own filter, so that its other values stay available. Without labels, the values
    label themselves, the largest first.
    """
    chosen = getattr(filters, name)
    no_filter: dict[str, Any] = {name: "" if name == "kind" else None}
    counts = Counter(_FACET_VALUE[name](entry) for entry in replace(filters, **no_filter).apply(entries))
    counts.pop(None, None)

    choices = [
        Choice(
            value=str(value),
            label=str(label_by_value[value] if label_by_value is not None else value),
            count=count,
            is_chosen=value == chosen,
        )
        for value, count in counts.items()
        if label_by_value is None or value in label_by_value
    ]
    if label_by_value is None:
        choices.sort(key=lambda choice: choice.value, reverse=True)
    else:
        choices.sort(key=lambda choice: (-choice.count, choice.label))
    shown = [choice for index, choice in enumerate(choices) if index < _MAX_CHOICES or choice.is_chosen]
    return Facet(name=name, label=label, choices=tuple(shown))


#: The value of an entry that each facet counts.
_FACET_VALUE: dict[str, Callable[[MatchingEntry], Any]] = {
    "kind": attrgetter("kind"),
    "partnership": attrgetter("partnership_id"),
    "organisation": attrgetter("organisation_id"),
    "year": lambda entry: entry.day.year if entry.day else None,
}
