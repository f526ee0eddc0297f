"""Queries about plans.

What a person may read, who signs, and what is waiting.
"""

from partnerships.plans.queries.comments import can_read_today, comment_counts
from partnerships.plans.queries.contents import (
    area_names,
    content_for,
    content_of,
    draft_content,
    newest_for,
    version_of,
    versions_for,
)
from partnerships.plans.queries.listing import as_listed, waiting_plans, waiting_plans_lookup, with_next_steps
from partnerships.plans.queries.milestones import milestones_due_by
from partnerships.plans.queries.my_work import WAITING
from partnerships.plans.queries.owners import (
    acceptable_offers,
    ended_ownerships,
    ended_with_titles,
    owned_by_observers_alone,
    owners_as_at,
    owners_led_by,
    owners_of,
    parties_that_may_own,
    possible_new_owners,
    possible_owners,
)
from partnerships.plans.queries.past import (
    as_read_by,
    events_of_plans,
    past_lookup,
    titled_for,
    titled_then,
    titled_today,
)
from partnerships.plans.queries.signing import (
    SigningState,
    decisions_for,
    next_post,
    number_to_sign,
    organisations_led_by,
    organisations_to_ask,
    signatories_to_ask_again,
    signing_states,
    still_takes_part,
)
from partnerships.plans.queries.standing import (
    acting_for,
    my_plans,
    organisations_of,
    readers_of,
    reading_class,
    standing_of,
)
from partnerships.plans.queries.waiting import next_steps

__all__ = [
    "WAITING",
    "SigningState",
    "acceptable_offers",
    "acting_for",
    "area_names",
    "as_listed",
    "as_read_by",
    "can_read_today",
    "comment_counts",
    "content_for",
    "content_of",
    "decisions_for",
    "draft_content",
    "ended_ownerships",
    "ended_with_titles",
    "events_of_plans",
    "milestones_due_by",
    "my_plans",
    "newest_for",
    "next_post",
    "next_steps",
    "number_to_sign",
    "organisations_led_by",
    "organisations_of",
    "organisations_to_ask",
    "owned_by_observers_alone",
    "owners_as_at",
    "owners_led_by",
    "owners_of",
    "parties_that_may_own",
    "past_lookup",
    "possible_new_owners",
    "possible_owners",
    "readers_of",
    "reading_class",
    "signatories_to_ask_again",
    "signing_states",
    "standing_of",
    "still_takes_part",
    "titled_for",
    "titled_then",
    "titled_today",
    "version_of",
    "versions_for",
    "waiting_plans",
    "waiting_plans_lookup",
    "with_next_steps",
]
