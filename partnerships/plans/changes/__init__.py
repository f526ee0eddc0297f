"""The changes between two contents of a plan.

    changes_between(a, b, areas)  -> a tuple of `Change`; empty if the contents are equal
    apply_changes(changes, a)     -> b
    summary(changes)              -> one paragraph
    homes_totals(a, b)            -> the homes of both by tenure, needs type, bedrooms, area and year

For readers outside, compare `content_for_outside(a)` with `content_for_outside(b)`.
"""

from partnerships.documents import Change, Names, date_in_words, summary, words_changed
from partnerships.plans.changes.comparing import apply_changes, changes_between, homes_difference, names_of_contents
from partnerships.plans.changes.totals import HomesTotals, TotalRow, homes_totals

__all__ = [
    "Change",
    "HomesTotals",
    "Names",
    "TotalRow",
    "apply_changes",
    "changes_between",
    "date_in_words",
    "homes_difference",
    "homes_totals",
    "names_of_contents",
    "summary",
    "words_changed",
]
