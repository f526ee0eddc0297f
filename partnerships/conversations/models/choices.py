"""The choices in conversations: formats, statuses, attributions and kinds of point."""

from __future__ import annotations

from django.db import models


class Format(models.TextChoices):
    """How people met."""

    IN_PERSON = "in_person", "In person"
    VIDEO = "video", "Video call"
    PHONE = "phone", "Phone call"
    SITE_VISIT = "site_visit", "Site visit"
    EVENT = "event", "Event or workshop"
    WRITING = "writing", "Email or post"


class Status(models.TextChoices):
    """The status of a conversation and its record (see `Conversation`)."""

    PLANNED = "planned", "Planned"
    DRAFT = "draft", "Draft"
    CIRCULATED = "circulated", "Circulated"
    CORRECTED = "corrected", "Corrected"
    AGREED = "agreed", "Agreed"
    CANCELLED = "cancelled", "Cancelled"


class Attribution(models.TextChoices):
    """Whether other organisations see who took part and who said what."""

    NAMED = "named", "Named: people and organisations"
    ORGANISATION = "organisation", "Organisations only"
    ANONYMOUS = "anonymous", "Anonymous: neither people nor organisations"


#: Statuses in which all organisations that took part may read the record.
SHARED_STATUSES = (Status.PLANNED, Status.CIRCULATED, Status.CORRECTED, Status.AGREED, Status.CANCELLED)
#: Statuses of a conversation that took place.
HELD_STATUSES = (Status.DRAFT, Status.CIRCULATED, Status.CORRECTED, Status.AGREED)
#: Statuses in which organisations are asked to agree to the record.
CORRECTABLE_STATUSES = (Status.CIRCULATED, Status.CORRECTED)


class PointKind(models.TextChoices):
    """The kinds of point that an organisation makes in a conversation (docs/glossary.md)."""

    OBJECTIVE = "objective", "Objective"
    OBSTACLE = "obstacle", "Obstacle"
    OPPORTUNITY = "opportunity", "Opportunity"
