"""Successions, by which organisations take over from other organisations.

A succession consists of ties. Each tie says which organisation takes over from which, and for which functions.
"""

from __future__ import annotations

import pghistory
from django.db import models
from django.db.models import Q

from partnerships.kit.dates import PartialDate
from partnerships.kit.partial_dates import PartialDateColumn
from partnerships.kit.vocabularies import Vocabulary, VocabularyKey
from partnerships.organisations.models.identity import Scheme
from partnerships.organisations.models.organisation import Organisation


class SuccessionKind(models.TextChoices):
    """The kinds of succession (docs/successions.md).

    The last four are for registered providers: Co-operative and Community Benefit Societies Act 2014, Part 9.
    """

    MERGE = "merge", "Merged"
    ABSORB = "absorb", "Absorbed"
    SPLIT = "split", "Split"
    REPLACE = "replace", "Replaced"
    RENAME = "rename", "Renamed"
    RECODE = "recode", "Recoded"
    BOUNDARY_CHANGE = "boundary_change", "Boundary change"
    FUNCTION_TRANSFER = "function_transfer", "Functions transferred"
    AMALGAMATION = "amalgamation", "Amalgamation"
    TRANSFER_OF_ENGAGEMENTS = "transfer_of_engagements", "Transfer of engagements"
    CONVERSION = "conversion", "Conversion"
    DISSOLUTION = "dissolution", "Dissolution"


class SuccessionStatus(models.TextChoices):
    """The statuses of a succession, in order.

    From “order made” on, the succession is certain to take effect on its vesting day. “Effective” and “cancelled” are
    final.
    """

    PROPOSED = "proposed", "Proposed"
    CONSULTED = "consulted", "Consulted on"
    ORDER_LAID = "order_laid", "Order laid"
    ORDER_MADE = "order_made", "Order made"
    SHADOW = "shadow", "Shadow"
    EFFECTIVE = "effective", "Effective"
    CANCELLED = "cancelled", "Cancelled"


class TieRole(models.TextChoices):
    """An organisation's role for the functions of a predecessor (docs/successions.md)."""

    SUCCESSOR = "successor", "Successor"
    CONTINUING = "continuing", "Continues"
    CARETAKER = "caretaker", "Caretaker"
    HOSTING = "hosting", "Host"
    NOMINATED = "nominated", "Nominated"
    PREPARING = "preparing", "Preparing"


#: Statuses in which a succession takes effect on its vesting day without another decision.
CERTAIN_STATUSES = frozenset({SuccessionStatus.ORDER_MADE, SuccessionStatus.SHADOW, SuccessionStatus.EFFECTIVE})
#: Statuses that can no longer change.
FINAL_STATUSES = frozenset({SuccessionStatus.EFFECTIVE, SuccessionStatus.CANCELLED})
#: Kinds after which a predecessor normally continues to exist.
KINDS_KEEPING_PREDECESSOR = frozenset({SuccessionKind.BOUNDARY_CHANGE, SuccessionKind.FUNCTION_TRANSFER})


@pghistory.track()
class Function(Vocabulary):
    """A function that an organisation is responsible for, for example planning or housing."""


class SuccessionQuerySet(models.QuerySet["Succession"]):
    """Filters for successions by status and by organisation."""

    def live(self) -> SuccessionQuerySet:
        """Return successions that have not been cancelled."""
        return self.exclude(status=SuccessionStatus.CANCELLED)

    def pending(self) -> SuccessionQuerySet:
        """Return successions that have not taken effect or been cancelled."""
        return self.exclude(status__in=FINAL_STATUSES)

    def involving(self, organisation: Organisation | int) -> SuccessionQuerySet:
        """Return successions in which the organisation is a predecessor or a successor."""
        is_either_side = Q(predecessor=organisation) | Q(successor=organisation)
        return self.filter(pk__in=SuccessionTie.objects.filter(is_either_side).values("succession"))


@pghistory.track()
class Succession(models.Model):
    """An event by which organisations follow others, for example a merger of councils.

    States: proposed → consulted → order laid → order made → shadow → effective. A status may be skipped, or reversed
    with a reason, and a succession that is not final may be cancelled. To undo a succession, record another succession
    that `undoes` it.
    """

    kind = models.CharField(max_length=24, choices=SuccessionKind)
    status = models.CharField(max_length=12, choices=SuccessionStatus, default=SuccessionStatus.PROPOSED)

    place = models.CharField(
        max_length=120, blank=True, help_text="The place that the succession is about, for example a county."
    )
    proposal = models.CharField(
        max_length=120,
        blank=True,
        help_text="The proposal that this succession belongs to, if there are several for the place.",
    )

    # The days on which it takes effect. A past vesting day may be unknown, and is then None.
    shadow_on = PartialDateColumn(null=True, blank=True, help_text="Election, or start of the shadow authority.")
    vests_on = PartialDateColumn(null=True, blank=True, help_text="Vesting day: the first day of the successors.")
    codes_on = PartialDateColumn(null=True, blank=True, help_text="The day from which the new codes are used.")

    # The new name or code, after a rename or recoding.
    new_name = models.CharField(max_length=300, blank=True, help_text="The name after a rename.")
    new_code = models.CharField(max_length=80, blank=True, db_default="", help_text="The new code.")
    new_code_scheme = models.CharField(max_length=20, choices=Scheme, default=Scheme.GSS, db_default=Scheme.GSS)

    # Where the succession is published.
    instrument = models.CharField(max_length=300, blank=True)
    instrument_url = models.URLField(max_length=500, blank=True)
    source = models.CharField(max_length=300, blank=True)
    source_url = models.URLField(max_length=500, blank=True)

    # Whether people were emailed.
    is_untold = models.BooleanField(
        default=False,
        db_default=False,
        help_text="Whether we still have to email people, because the succession took effect or handed more over.",
    )
    told_at = models.DateTimeField(null=True, blank=True, help_text="When we first emailed people.")

    # Why it could not take effect.
    refused_because = models.CharField(
        max_length=500, blank=True, db_default="", help_text="Why the succession could not take effect on its day."
    )
    refused_at = models.DateTimeField(
        null=True, blank=True, help_text="When the succession first could not take effect."
    )

    undoes = models.ForeignKey("self", on_delete=models.PROTECT, null=True, blank=True, related_name="undone_by")

    objects = SuccessionQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["undoes"],
                condition=Q(undoes__isnull=False) & ~Q(status="cancelled"),
                name="unique_undoing_per_succession",
            ),
            models.CheckConstraint(
                condition=Q(undoes=None) | ~Q(undoes=models.F("id")), name="succession_does_not_undo_itself"
            ),
        ]
        indexes = [models.Index(fields=["status", "vests_on"], name="succession_status_vests")]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.vests_on.words if self.vests_on else ''}".strip()

    @property
    def is_final(self) -> bool:
        """Return True if the succession has taken effect or been cancelled."""
        return self.status in FINAL_STATUSES

    @property
    def is_certain(self) -> bool:
        """Return True if the succession takes effect on its vesting day without another decision."""
        return self.status in CERTAIN_STATUSES

    @property
    def vesting_day(self) -> PartialDate | None:
        """Return the vesting day, or None if only its month or year is known."""
        return self.vests_on if self.vests_on is not None and self.vests_on.day else None


@pghistory.track()
class SuccessionTie(models.Model):
    """A predecessor in a succession, and the organisation that takes over from it, in one function or in all.

    The ties of a merger lead from several predecessors to one successor; those of a split from one predecessor to
    several successors.
    """

    succession = models.ForeignKey(Succession, on_delete=models.CASCADE, related_name="ties")
    predecessor = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="ties_as_predecessor")
    #: None if no organisation follows.
    successor = models.ForeignKey(
        Organisation, on_delete=models.PROTECT, null=True, blank=True, related_name="ties_as_successor"
    )
    role = models.CharField(max_length=12, choices=TieRole, default=TieRole.SUCCESSOR)
    #: None for every function that no other tie of the predecessor names.
    function = VocabularyKey(
        Function, to_field="code", on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    #: The part of the predecessor's area that passes, above 0 and at most 1, measured in the areas of `geography`.
    share = models.DecimalField(max_digits=9, decimal_places=8, null=True, blank=True)
    geography = models.CharField(
        max_length=80, blank=True, help_text="The areas in which the share was measured, for example “LAD 2025”."
    )

    class Meta:
        constraints = [
            # The same two organisations have at most one tie for each function. NULLs are equal here, so a predecessor
            # has at most one tie without a successor, and at most one for all other functions.
            models.UniqueConstraint(
                fields=["succession", "predecessor", "successor", "function"],
                name="unique_tie_per_function",
                nulls_distinct=False,
            ),
            models.CheckConstraint(
                condition=Q(share=None) | (Q(share__gt=0, share__lte=1) & ~Q(geography="")),
                name="tie_share_in_range_with_geography",
            ),
            # If no organisation follows, no part of the area passes.
            models.CheckConstraint(
                condition=Q(share=None) | Q(successor__isnull=False), name="tie_share_has_successor"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.predecessor_id} → {self.successor_id or 'nobody'}"

    @property
    def percent(self) -> str:
        """Return the share as a percentage without trailing zeros, such as "60" or "33.333333"; "" without a share."""
        return "" if self.share is None else f"{(self.share * 100).normalize():f}"
