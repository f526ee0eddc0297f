"""All sources of the index, and the names of their kinds of entry."""

from __future__ import annotations

from partnerships.search.sources.attachments import AGENDA_ITEMS, ATTACHMENTS, EVIDENCE
from partnerships.search.sources.commitments import COMMITMENTS, DEVELOPER_AGREEMENTS
from partnerships.search.sources.contacts import HOLDERS, POSTS
from partnerships.search.sources.conversations import CONVERSATIONS, MEETINGS, REPORTS, RETURNS
from partnerships.search.sources.drafts import COMMENTS, DRAFTS
from partnerships.search.sources.exchange import ENTRIES
from partnerships.search.sources.organisations import ORGANISATIONS, PEOPLE
from partnerships.search.sources.partnerships import DOCUMENTS, OBJECTIVES, PARTNERSHIPS, TERMS
from partnerships.search.sources.plans import PLANS
from partnerships.search.sources.recommendations import RECOMMENDATIONS
from partnerships.search.sources.reports import FROZEN
from partnerships.search.sources.source import KindNames, Source

#: Every source by its code, in the order of facets.
SOURCES: dict[str, Source] = {
    source.code: source
    for source in (
        HOLDERS,
        POSTS,
        PEOPLE,
        PARTNERSHIPS,
        TERMS,
        OBJECTIVES,
        PLANS,
        DRAFTS,
        COMMENTS,
        DOCUMENTS,
        ENTRIES,
        COMMITMENTS,
        EVIDENCE,
        DEVELOPER_AGREEMENTS,
        CONVERSATIONS,
        MEETINGS,
        AGENDA_ITEMS,
        ATTACHMENTS,
        REPORTS,
        RETURNS,
        RECOMMENDATIONS,
        FROZEN,
        ORGANISATIONS,
    )
}
#: The names of every kind of entry, by its code.
KINDS: dict[str, KindNames] = {code: names for source in SOURCES.values() for code, names in source.kinds.items()}
