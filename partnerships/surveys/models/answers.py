"""Answers while a round is open.

A token shows only that one person may still answer. A sealed answer has a random id and no time, and only the key
outside the database can open it. Neither table refers to the other or to a person, and neither has row history, so
that nothing links an answer to a person.
"""

from __future__ import annotations

import uuid

from django.db import models

from partnerships.people.models import User
from partnerships.surveys.bodies import Group
from partnerships.surveys.models.rounds import Round


class Token(models.Model):
    """The hash of a single-use token. The row is deleted when the token is used or the round ends."""

    hash = models.CharField(primary_key=True, max_length=64)
    round = models.ForeignKey(Round, on_delete=models.CASCADE, related_name="+")

    def __str__(self) -> str:
        return "token"


class SealedAnswer(models.Model):
    """An anonymous answer that nobody can read before the round closes. It is then counted and deleted.

    `box` is the encrypted answer.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    round = models.ForeignKey(Round, on_delete=models.CASCADE, related_name="+")
    box = models.BinaryField()

    def __str__(self) -> str:
        return "sealed answer"


class NamedAnswer(models.Model):
    """An answer by name, which the parties can read once the round is closed. A person answers a round once."""

    round = models.ForeignKey(Round, on_delete=models.PROTECT, related_name="named_answers")
    person = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    group = models.CharField(max_length=12, choices=Group)
    scores = models.JSONField(default=dict)
    expects = models.JSONField(default=list)
    comments = models.JSONField(default=dict)
    answered_on = models.DateField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["round", "person"], name="unique_named_answer_per_round")]

    def __str__(self) -> str:
        return f"answer of {self.person_id}"
