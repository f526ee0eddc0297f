"""Answers while a round is open.

Nothing here is in row history, and nothing joins an answer to a person.

A token says only that somebody may still answer. A sealed answer has a random number and no time; only the key outside
the database opens it. Neither table names the other, or a person.
"""

from __future__ import annotations

import uuid

from django.db import models

from partnerships.people.models import User
from partnerships.surveys.bodies import Group
from partnerships.surveys.models.rounds import Round


class Token(models.Model):
    """The hash of a single-use token.

    Deleted when it is used, and when the round ends.
    """

    hash = models.CharField(primary_key=True, max_length=64)
    round = models.ForeignKey(Round, on_delete=models.CASCADE, related_name="+")

    def __str__(self) -> str:
        return "token"


class SealedAnswer(models.Model):
    """An anonymous answer that nobody can read before the round closes.

    It is deleted then.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    round = models.ForeignKey(Round, on_delete=models.CASCADE, related_name="+")
    box = models.BinaryField()

    def __str__(self) -> str:
        return "sealed answer"


class NamedAnswer(models.Model):
    """An answer by name, in a round that is not anonymous.

    The parties read it after closing.
    """

    round = models.ForeignKey(Round, on_delete=models.PROTECT, related_name="named_answers")
    person = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    group = models.CharField(max_length=12, choices=Group)
    scores = models.JSONField(default=dict)
    expects = models.JSONField(default=list)
    comments = models.JSONField(default=dict)
    answered_on = models.DateField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["round", "person"], name="one_named_answer_each")]

    def __str__(self) -> str:
        return f"answer of {self.person_id}"
