"""Kinds of events of the people room."""

from django.db import models


class EventKind(models.TextChoices):
    """The kinds of events. Labels may change; codes never change, because events store them permanently."""

    INVITATION_ACCEPTED = "person.invitation_accepted", "Accepted an invitation"
    INVITATION_WITHDRAWN = "person.invitation_withdrawn", "Withdrew an invitation"
    DETAILS_CHANGED = "person.details_changed", "Changed their details"
    EMAIL_CHANGED = "person.email_changed", "Changed their email address"
    ACCESS_ENDED = "person.access_ended", "Ended a person’s access"
    ACCESS_RESTORED = "person.access_restored", "Restored a person’s access"
    SECOND_FACTOR_REMOVED = "person.second_factor_removed", "Removed a person’s second factor"
    VIEW_STARTED = "person.view_started", "Started viewing the site as this person"
    VIEW_ENDED = "person.view_ended", "Stopped viewing the site as this person"
    ADMINISTRATION_GRANTED = "person.administration_granted", "Made a person an administrator"
    ADMINISTRATION_WITHDRAWN = "person.administration_withdrawn", "Withdrew a person’s administrator rights"
    LEAD_TIMES_CHOSEN = "person.lead_times_chosen", "Chose when to be reminded"
    DATA_EXPORTED = "person.data_exported", "Exported personal data"
    DATA_ERASED = "person.data_erased", "Erased a person’s data"
    PROVIDER_ADDED = "sign_in_provider.added", "Added a sign-in provider"
    PROVIDER_CHANGED = "sign_in_provider.changed", "Changed a sign-in provider"
    PROVIDER_REMOVED = "sign_in_provider.removed", "Removed a sign-in provider"
    RESTORE_STARTED = "restore.started", "Started to apply the journal after a restore"
    RESTORE_SESSIONS_ENDED = "restore.sessions_ended", "Ended sessions and invitations after a restore"
