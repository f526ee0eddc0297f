"""The activity log, and the numbered changes of the subjects that people follow.

Events are append-only. They refer to people and records by id only, because this room is below all others.
"""

from __future__ import annotations

import pgtrigger
from django.contrib.postgres.fields import ArrayField
from django.db import models

from partnerships.activity.follower_notices import phrase_of
from partnerships.activity.subjects import Audience, SubjectKind


class Event(models.Model):
    """An action of a person on a record, with its time.

    Events are append-only, so a trigger refuses updates and deletes. Other triggers fill in `context_id` and, at the
    commit, number the changes of the event's subjects.
    """

    # Who acted.
    actor_id = models.BigIntegerField(null=True, help_text="Empty for a change by the system itself.")
    organisation_id = models.BigIntegerField(null=True, help_text="The organisation that the person acted for.")

    # What happened.
    #: The code of the action, from the `event_kinds.py` of a room. Programs compare codes. People read `label`.
    kind = models.CharField(max_length=60)
    #: The record that changed.
    target_kind = models.CharField(max_length=40)
    target_id = models.BigIntegerField()
    #: Another record that shows the event in its timeline, usually a partnership.
    within_kind = models.CharField(max_length=40, blank=True)
    within_id = models.BigIntegerField(null=True)

    at = models.DateTimeField()
    #: The values before and after, the reason, and other values that explain the event; never restricted text.
    data = models.JSONField(default=dict)

    # Who is notified.
    audience = models.CharField(
        max_length=10, choices=Audience, blank=True, help_text="Blank if nobody is notified about the event."
    )
    #: The subjects that the event changes, each as `kind:id`. When the transaction commits, the database adds a
    #: numbered `Change` for each of them.
    subjects = ArrayField(models.CharField(max_length=60), default=list, blank=True)

    context_id = models.UUIDField(
        null=True,
        editable=False,
        help_text="The id by which the row history names this transaction. The database fills it in.",
    )

    class Meta:
        indexes = [
            models.Index(fields=["target_kind", "target_id", "-at"], name="event_target"),
            models.Index(fields=["within_kind", "within_id", "-at"], name="event_within"),
            models.Index(fields=["-at", "-id"], name="event_at"),
            models.Index(fields=["actor_id", "-at"], name="event_actor"),
            models.Index(fields=["context_id"], name="event_context"),
        ]
        triggers = [
            pgtrigger.Protect(name="append_only", operation=pgtrigger.Update | pgtrigger.Delete),
            pgtrigger.Trigger(
                name="context",
                when=pgtrigger.Before,
                operation=pgtrigger.Insert,
                func="NEW.context_id = _pgh_attach_context(); RETURN NEW;",
            ),
            pgtrigger.Trigger(
                name="to_number",
                when=pgtrigger.After,
                operation=pgtrigger.Insert,
                condition=pgtrigger.Condition("cardinality(NEW.subjects) > 0"),
                timing=pgtrigger.Deferred,
                # Events get their numbers in two steps. This trigger runs at the commit, together with deferred checks
                # of foreign keys, which may wait for other transactions. Nothing may be locked during that wait, so
                # this trigger only adds a row to `Unnumbered`. That row starts another deferred trigger, which runs
                # after the checks and locks the subjects.
                func="INSERT INTO activity_unnumbered (event_id) VALUES (NEW.id); RETURN NULL;",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.target_kind} {self.target_id}"

    @property
    def label(self) -> str:
        """Return the phrase with which timelines describe the event."""
        return phrase_of(self.kind, self.data.get("wording"))


class Subject(models.Model):
    """A record that people follow, and the number of its newest change.

    The row is also the lock under which changes get their numbers. Only the trigger of `Unnumbered` writes it.
    """

    kind = models.CharField(max_length=20, choices=SubjectKind)
    record_id = models.BigIntegerField()
    last_number = models.BigIntegerField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["kind", "record_id"], name="unique_subject_per_record")]

    def __str__(self) -> str:
        return f"{self.kind} {self.record_id}"


class Change(models.Model):
    """A numbered change of a subject. Changes are append-only.

    Numbers begin at 1 and follow the order in which transactions commit. Only restoring a backup leaves a gap. How far
    a person has been notified about a subject is stored as one number, which covers all changes up to it.
    """

    # No separate index, because the index of the unique constraint begins with the subject.
    subject = models.ForeignKey(Subject, on_delete=models.PROTECT, related_name="changes", db_index=False)
    number = models.BigIntegerField()
    event = models.ForeignKey(Event, on_delete=models.PROTECT, related_name="changes")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["subject", "number"], name="unique_change_number_per_subject")]
        triggers = [pgtrigger.Protect(name="append_only", operation=pgtrigger.Update | pgtrigger.Delete)]

    def __str__(self) -> str:
        return f"{self.subject_id} no. {self.number}"


#: The function that numbers the events of a transaction, called by the trigger of `Unnumbered`.
#:
#: * The trigger runs once for each row of `Unnumbered`. The first run numbers all events of the transaction and deletes
#:   their rows, so the other runs have nothing to do.
#: * Subjects are locked last, and always in the order (kind, record_id), so that two transactions never wait for each
#:   other.
#: * If the transaction is rolled back, its numbers are free again.
#: * The first row has the lowest id, so `BETWEEN` finds all rows. Without `BETWEEN`, PostgreSQL would expect many rows
#:   and read every event.
_NUMBER_EVENTS_SQL = """
IF NOT EXISTS (SELECT FROM activity_unnumbered WHERE event_id = NEW.event_id) THEN
    RETURN NULL;
END IF;
WITH unnumbered AS (
    DELETE FROM activity_unnumbered
     WHERE event_id BETWEEN NEW.event_id AND (SELECT max(event_id) FROM activity_unnumbered)
    RETURNING event_id
), told AS (
    SELECT e.id, split_part(s, ':', 1) AS kind, split_part(s, ':', 2)::bigint AS record_id
      FROM unnumbered u JOIN activity_event e ON e.id = u.event_id, unnest(e.subjects) s
), counted AS (
    SELECT kind, record_id, count(*) AS added FROM told GROUP BY kind, record_id
), locked AS (
    INSERT INTO activity_subject AS subject (kind, record_id, last_number)
    SELECT kind, record_id, added FROM counted ORDER BY kind, record_id
        ON CONFLICT (kind, record_id) DO UPDATE SET last_number = subject.last_number + excluded.last_number
    RETURNING id, kind, record_id, last_number
)
INSERT INTO activity_change (subject_id, number, event_id)
SELECT l.id, l.last_number - c.added + row_number() OVER (PARTITION BY l.id ORDER BY t.id), t.id
  FROM told t JOIN counted c USING (kind, record_id) JOIN locked l USING (kind, record_id);
RETURN NULL;
"""


class Unnumbered(models.Model):
    """An event of the running transaction that has no number yet.

    At the commit, the trigger `to_number` of `Event` inserts the row. The trigger `number` below then numbers the event
    and deletes the row, within the same commit, so nobody ever sees the row.
    """

    event_id = models.BigIntegerField(primary_key=True)

    class Meta:
        triggers = [
            pgtrigger.Trigger(
                name="number",
                when=pgtrigger.After,
                operation=pgtrigger.Insert,
                timing=pgtrigger.Deferred,
                func=_NUMBER_EVENTS_SQL,
            ),
        ]

    def __str__(self) -> str:
        return str(self.event_id)


class Export(models.Model):
    """A file that a person exported, with the page, the time and the number of rows. Exports are append-only."""

    actor_id = models.BigIntegerField(null=True, help_text="Empty if the person was not signed in.")
    seen_as_id = models.BigIntegerField(
        null=True, help_text="The person whose view of the site an administrator was using."
    )

    # What was exported.
    what = models.CharField(max_length=60, help_text="The name of the page that made the file.")
    record_id = models.BigIntegerField(null=True, help_text="The record that the file is about, if any.")
    asked = models.CharField(
        max_length=1000,
        blank=True,
        help_text="For a list: its name, the format, and its filters, columns and order, without words that people "
        "typed.",
    )
    rows = models.PositiveIntegerField(null=True, help_text="The number of rows. Empty for a document.")
    at = models.DateTimeField()

    class Meta:
        verbose_name = "export to a file"
        verbose_name_plural = "exports to files"
        indexes = [
            models.Index(fields=["-at", "-id"], name="export_at"),
            models.Index(fields=["actor_id", "-at"], name="export_actor"),
        ]
        triggers = [pgtrigger.Protect(name="append_only", operation=pgtrigger.Update | pgtrigger.Delete)]

    def __str__(self) -> str:
        return f"{self.what} {self.record_id or ''}".strip()
