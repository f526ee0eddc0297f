"""Search, and build a page of results with snippets and facets."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass

from django.db.models import QuerySet
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe

from partnerships.agreements.models import Holder, Partnership, Post, PostRole
from partnerships.kit.database import rows_of
from partnerships.organisations.holdings import id_is_among
from partnerships.organisations.models import Organisation
from partnerships.organisations.statements import Lookup, lookup, read_ahead, rows_for
from partnerships.people.models import User
from partnerships.search.entries import UNSEEN
from partnerships.search.queries.asking import TextQuery, clean_text, exact_query, prefix_query
from partnerships.search.queries.candidates import ReadableEntries, SearchFilters, frequent_words, readable_entries
from partnerships.search.queries.facets import Facet, useful_facets
from partnerships.search.queries.former_records import departures_lookup, former_records
from partnerships.search.queries.spelling import similar_words_query
from partnerships.search.sources.every import KINDS
from partnerships.search.sources.source import MatchingEntry

#: Number of results on a page.
PAGE = 20
#: PostgreSQL puts these around matched words in a snippet. Texts of entries contain no such characters (see `entries`).
_START, _STOP = "\x02", "\x03"
_HEADLINE = f"StartSel={_START}, StopSel={_STOP}, MaxFragments=2, MaxWords=24, MinWords=8, FragmentDelimiter=' … '"


@dataclass(frozen=True, slots=True)
class Hit:
    """A result on the page.

    `title` and `snippet` are HTML with marked words. The result of a contact also has its `holders` and, for a lead,
    the `deputies` who cover for them. `has_no_deputy` says that a lead has no deputy.
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
class Results:
    """A page of results."""

    hits: tuple[Hit, ...] = ()
    count: int = 0
    #: Whether there may be more results than `count`.
    has_more: bool = False
    facets: tuple[Facet, ...] = ()
    #: The `after` of the next page, or "" on the last page.
    next_after: str = ""
    #: Whether the results have similar words, because no record has the words themselves.
    is_similar: bool = False


def search(*, user: User, text: str, filters: SearchFilters | None = None, after: str = "") -> Results:
    """Return a page of the records that match the text and that the person may read, best first.

    The page is empty if the text is too short. `after` is the `next_after` of the page before. If no record has the
    words, search looks for words that start like them, and then for words that are spelt like them.
    """
    filters = filters or SearchFilters()
    text = clean_text(text)
    if not text:
        return Results()
    match = _first_match(user, text, filters)
    entries = match.readable.entries
    filtered_entries = filters.apply(entries)
    page, next_after = _page_after(filtered_entries, after)
    is_first_page = not after and not filters

    _read_ahead(user, entries, page, [departures_lookup(user)] if is_first_page else [])
    names = _names(user, entries)
    former_hits = _former_hits(user, text) if is_first_page else ()
    page_hits = _hits(user, match.query, page, names)
    hits = (*former_hits, *page_hits)

    # An entry that was deleted since the search is on the page, but has no hit.
    deleted_count = len(page) - len(page_hits)
    return Results(
        hits=hits,
        count=len(filtered_entries) + len(former_hits) - deleted_count,
        has_more=match.readable.has_more,
        facets=useful_facets(entries, filters, names.organisations, names.partnerships),
        next_after=next_after,
        is_similar=match.is_similar and bool(hits),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Match:
    """A query and the entries that match it."""

    query: TextQuery
    readable: ReadableEntries
    is_similar: bool = False


def _first_match(user: User, text: str, filters: SearchFilters) -> _Match:
    """Try the words themselves, then words that start like them, then similar words, until entries match."""
    query = exact_query(text)
    exact_match = _Match(query=query, readable=_find(user, query, text, filters))
    if exact_match.readable.entries or not query.has_words:
        return exact_match

    for similar_query in _similar_queries(user, text):
        readable = _find(user, similar_query, text, filters)
        if readable.entries:
            return _Match(query=similar_query, readable=readable, is_similar=True)
    return exact_match


def _similar_queries(user: User, text: str) -> Iterator[TextQuery]:
    """Yield the queries to try if no entry has the words. The second is built only if the first finds nothing."""
    frequent = frequent_words(text)
    if (words_that_start_like := prefix_query(text, frequent=frequent)) is not None:
        yield words_that_start_like
    if (words_spelt_like := similar_words_query(user, text, frequent=frequent)) is not None:
        yield words_spelt_like


def _find(user: User, query: TextQuery, text: str, filters: SearchFilters) -> ReadableEntries:
    """Return all matching entries or, if there are too many, only the filtered ones.

    All entries are needed to count every facet. With too many matches, the first 500 may have few or none that pass the
    filters.
    """
    unfiltered = readable_entries(user, query, text, SearchFilters())
    if filters and unfiltered.has_more:
        return readable_entries(user, query, text, filters)
    return unfiltered


def _page_after(entries: Sequence[MatchingEntry], after: str) -> tuple[list[MatchingEntry], str]:
    """Return the entries of the page after `after`, and the `next_after` of this page, which is "" on the last page."""
    start = _parse_after(after)
    remaining = [entry for entry in entries if start is None or _sort_key(entry) > start]
    page = remaining[:PAGE]
    next_after = f"{page[-1].rank:.6f}_{page[-1].id}" if len(remaining) > PAGE else ""
    return page, next_after


def _sort_key(entry: MatchingEntry) -> tuple[float, int]:
    """Return the key that sorts the best and newest entries first.

    The rank is rounded because the URL of the next page has the same six decimals.
    """
    return -round(entry.rank, 6), -entry.id


def _parse_after(after: str) -> tuple[float, int] | None:
    """Return the sort key in `after`, or None if it has none."""
    rank, _, entry_id = after.partition("_")
    try:
        return -float(rank), -int(entry_id)
    except ValueError:
        return None


@dataclass(frozen=True, slots=True)
class _Names:
    """The names of organisations and the titles of partnerships by id, as far as the person may know them."""

    organisations: dict[int, str]
    partnerships: dict[int, str]


def _read_ahead(
    user: User, entries: Sequence[MatchingEntry], page: Sequence[MatchingEntry], other_lookups: Iterable[Lookup]
) -> None:
    """Read the names, the posts and other lookups of the page in one query."""
    lookups = [*other_lookups]
    if entries:
        lookups += [
            lookup(_organisation_names, _ids(entry.organisation_id for entry in entries)),
            lookup(_partnership_titles, user, _ids(entry.partnership_id for entry in entries)),
        ]
    if post_ids := _post_ids(page):
        lookups.append(lookup(_posts_to_show, user, post_ids))
    read_ahead(lookups)


def _names(user: User, entries: Sequence[MatchingEntry]) -> _Names:
    """Return the names that the entries need, from the rows read ahead."""
    if not entries:
        return _Names({}, {})
    return _Names(
        organisations=dict(rows_for(_organisation_names, _ids(entry.organisation_id for entry in entries))),
        partnerships=dict(rows_for(_partnership_titles, user, _ids(entry.partnership_id for entry in entries))),
    )


def _former_hits(user: User, text: str) -> tuple[Hit, ...]:
    """Return results for partnerships and plans that the person's organisation has left."""
    return tuple(
        Hit(title=_marked(record.title), href=record.href, kind=record.kind, snippet=_marked(""))
        for record in former_records(user, text)
    )


def _hits(user: User, query: TextQuery, page: Sequence[MatchingEntry], names: _Names) -> tuple[Hit, ...]:
    """Return the results of one page, with matched words marked. Contacts get their holders and deputies."""
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
        # The title of an organisation's entry is already its name.
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
                holders=tuple(post.current_holders) if post else (),
                deputies=deputies,
                is_vacant=post is not None and not post.current_holders,
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
    """Return the title of each entry, and the matching parts of its text, as HTML with marked words."""
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
    """Return the text as HTML, with matched words in <mark> elements."""
    html = str(escape(text)).replace(_START, "<mark>").replace(_STOP, "</mark>")
    return mark_safe(html)  # noqa: S308 - escaped above


def _ids(values: Iterable[int | None]) -> list[int]:
    """Return the ids sorted, without None and duplicates."""
    return sorted({value for value in values if value is not None})


def _organisation_names(ids: list[int]) -> QuerySet[Organisation, tuple[int, str]]:
    """Return the names of these organisations. Everybody who can sign in may read the directory."""
    return Organisation.objects.filter(id_is_among("pk", ids)).values_list("pk", "name")


def _partnership_titles(user: User, ids: list[int]) -> QuerySet[Partnership, tuple[int, str]]:
    """Return the titles of those of the partnerships that the person may read today."""
    return Partnership.objects.visible_today_to(user).filter(id_is_among("pk", ids)).values_list("pk", "title")


def _posts_by_path(user: User, page: Sequence[MatchingEntry]) -> dict[str, Post]:
    """Return the posts among the results, with their present holders, by URL path."""
    post_ids = _post_ids(page)
    if not post_ids:
        return {}
    return {post.get_absolute_url(): post for post in rows_for(_posts_to_show, user, post_ids)}


def _post_ids(page: Sequence[MatchingEntry]) -> list[int]:
    """Return the ids of the posts among the results, from the end of their paths.

    Entries of holders link to these paths too.
    """
    return _ids(int(entry.path.rstrip("/").rpartition("/")[2]) for entry in page if entry.kind == "contact")


def _posts_to_show(user: User, ids: list[int]) -> QuerySet[Post]:
    """Return those of these open posts that the person may read."""
    return Post.objects.visible_to(user).not_ended().filter(id_is_among("pk", ids)).for_listing()


def _deputies_by_post(user: User, posts: Collection[Post]) -> dict[int, tuple[Holder, ...]]:
    """Return the people who cover for a lead, by the id of the lead's post.

    They are the holders of the deputy posts of the same organisation in the same partnership.
    """
    lead_posts = [post for post in posts if post.role == PostRole.LEAD]
    if not lead_posts:
        return {}
    deputies_by_side: defaultdict[tuple[int, int | None], tuple[Holder, ...]] = defaultdict(tuple)
    for deputy_post in rows_for(_deputy_posts, user, _ids(post.organisation_id for post in lead_posts)):
        deputies_by_side[deputy_post.organisation_id, deputy_post.partnership_id] += tuple(deputy_post.current_holders)
    return {post.pk: deputies_by_side[post.organisation_id, post.partnership_id] for post in lead_posts}


def _deputy_posts(user: User, organisation_ids: list[int]) -> QuerySet[Post]:
    """Return the open deputy posts of these organisations that the person may read."""
    open_posts = Post.objects.visible_to(user).not_ended()
    return open_posts.filter(id_is_among("organisation", organisation_ids), role=PostRole.DEPUTY).for_listing()
