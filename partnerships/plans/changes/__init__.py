"""The changes between two contents of a plan.

`documents.comparing` describes a `Change`.

    changes(a, b, areas)     -> tuple[Change, ...]; empty exactly when a == b
    apply(changes(a, b), a)  == b
    summary(changes)         -> one paragraph
    homes_totals(a, b)       -> homes by tenure, needs type, bedrooms, area and year: was, now, difference

Compare `outside(a)` with `outside(b)` for outsiders.
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
