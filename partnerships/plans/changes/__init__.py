"""What changed between two contents of a plan, as frozen values in words and figures.

    changes(a, b, areas)     -> tuple[Change, ...]; empty exactly when a == b
    apply(changes(a, b), a)  == b
    summary(changes)         -> one paragraph
    homes_totals(a, b)       -> homes by tenure, needs type, bedrooms, area and year: was, now, difference

Both contents must be regular (`content.normalise`), and of the same reader's class: compare `outside(a)` with
`outside(b)` for outsiders. A `Change` has

    kind        "added", "removed", "changed" or "moved"
    what        "about", "outcome", "section", "site", "homes", "milestone" or "risk"
    key         the item's stable key ("" for about); `anchor` is "sites/north-quay"
    label       the item's name: "North Quay"
    field       the code of the field that changed ("" for a whole item); `field_label` in words
    was, now    the values as stored (whole items when added or removed, places from 0 when moved, counts for homes);
                `was_words` and `now_words` are for people: where a key or a code is stored, they hold the name that
                it stands for (`was_name`, `now_name`; `areas` names GSS codes)
    line        homes only: (tenure, bedrooms, needs, year); `line_words` in words
    place       where an added or moved item stands in the new list, from 0
    difference  homes only: now - was; `difference_words` is "20 fewer"
    slippage    dates only: `Slippage`, or None; `slippage_words` is "2 quarters later"
    is_text     whether it is prose, to be shown with word-level differences (kit.text)
    sentence()  "Homes, Social Rent at North Quay: was 120, now 100 (20 fewer)"
"""

from partnerships.plans.changes.applying import apply
from partnerships.plans.changes.change import SHORT, Change, Kind
from partnerships.plans.changes.comparing import changes
from partnerships.plans.changes.naming import Names
from partnerships.plans.changes.summing_up import homes_difference, summary
from partnerships.plans.changes.totals import HomesTotals, Total, homes_totals
from partnerships.plans.changes.wording import (
    bedrooms_in_words,
    date_in_words,
    item_details,
    item_in_words,
    line_in_words,
    more_or_fewer,
    value_in_words,
    words_changed,
)

__all__ = [
    "SHORT",
    "Change",
    "HomesTotals",
    "Kind",
    "Names",
    "Total",
    "apply",
    "bedrooms_in_words",
    "changes",
    "date_in_words",
    "homes_difference",
    "homes_totals",
    "item_details",
    "item_in_words",
    "line_in_words",
    "more_or_fewer",
    "summary",
    "value_in_words",
    "words_changed",
]
