"""The runs of tasks and the heartbeats of processes, for metrics and for workers that watch beat."""

from __future__ import annotations

from django.db import models


class Job(models.Model):
    """The totals of a Celery task over all machines, one row per task.

    Each run adds to the totals when it ends. `ended_at` is the end of the newest run, and `succeeded_at` the end of the
    newest run without an error.
    """

    name = models.CharField(max_length=200, unique=True)
    runs = models.PositiveBigIntegerField(default=0)
    failures = models.PositiveBigIntegerField(default=0)
    seconds = models.FloatField(default=0, help_text="How long all runs took together.")
    ended_at = models.DateTimeField()
    succeeded_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return self.name


class Heartbeat(models.Model):
    """The last time at which a process was alive, or a backup was complete. Each process or backup has one row."""

    name = models.CharField(max_length=50, unique=True)
    at = models.DateTimeField()

    def __str__(self) -> str:
        return self.name
