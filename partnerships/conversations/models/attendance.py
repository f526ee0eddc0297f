"""Seats at a meeting: who is invited, who is coming, and who attended."""

from __future__ import annotations

import pghistory
from django.db import models
from django.db.models import Q

from partnerships.conversations.models.meetings import Meeting
from partnerships.organisations.models import Organisation
from partnerships.people.models import User


class Answer(models.TextChoices):
    """The answer to an invitation."""

    COMING = "coming", "Coming"
    APOLOGIES = "apologies", "Apologies"


class Attendance(models.TextChoices):
    """Whether a person attended the meeting."""

    PRESENT = "present", "Present"
    APOLOGIES = "apologies", "Apologies"
    ABSENT = "absent", "Absent"


@pghistory.track(exclude=["name", "job_title"])
class MeetingSeat(models.Model):
    """A person who is invited to a meeting, or who attended it without an invitation.

    A seat has either a `person` or, for a guest without an account, a `name`.
    A guest need not belong to an organisation.
    """

    meeting = models.ForeignKey(Meeting, on_delete=models.CASCADE, related_name="seats")

    # Who has the seat.
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    person = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, blank=True, related_name="meeting_seats")
    name = models.CharField(max_length=150, blank=True)
    job_title = models.CharField(max_length=150, blank=True)

    # The invitation and its answer, and whether the person came.
    invited_at = models.DateTimeField()
    answer = models.CharField(max_length=9, choices=Answer, blank=True)
    answered_at = models.DateTimeField(null=True, blank=True)
    answered_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    attendance = models.CharField(max_length=9, choices=Attendance, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["meeting", "person"],
                condition=Q(person__isnull=False),
                name="unique_seat_per_person_and_meeting",
            ),
            models.CheckConstraint(
                condition=Q(answer="", answered_at=None) | (~Q(answer="") & Q(answered_at__isnull=False)),
                name="meeting_answer_has_time",
            ),
        ]
        indexes = [
            models.Index(fields=["person", "meeting"], name="meeting_seat_person"),
            models.Index(fields=["person", "meeting"], condition=Q(answer=""), name="meeting_seat_unanswered"),
        ]

    def __str__(self) -> str:
        return f"Seat {self.pk}"

    @property
    def display_name(self) -> str:
        """Return the name of the person or guest. Needs `person` fetched."""
        return self.person.display_name if self.person else self.name or "a former member"

    @property
    def is_guest(self) -> bool:
        """Return whether the seat belongs to a guest without an account."""
        return self.person_id is None
