"""Events of digests: their codes, and what timelines say of them."""

from django.db import models


class EventKind(models.TextChoices):
    """A code never changes, since rows hold it for ever; a label may."""

    CONFIRMED = "subscription.confirmed", "Confirmed a subscription to digests"
    SUBSCRIBED = "subscription.subscribed", "Subscribed to digests"
    PAUSED = "subscription.paused", "Paused digests"
    RESUMED = "subscription.resumed", "Resumed digests"
    ENDED = "subscription.ended", "Ended digests"
    STOP_UNDONE = "subscription.stop_undone", "Undid a stop of digests"
    FREQUENCY_CHANGED = "subscription.frequency_changed", "Chose how often its digests come"
    ASKED_AGAIN = "subscription.asked_again", "Asked again to confirm digests"
    QUESTION_SENT_AGAIN = "subscription.question_sent_again", "Was sent the confirmation email again"
    QUESTION_WANTED_AGAIN = "subscription.question_wanted_again", "Allowed the confirmation email to be sent again"
    NOT_ASKED = "subscription.not_asked", "Could not be asked to confirm digests"
    ADDRESS_CORRECTED = "subscription.address_corrected", "Corrected an address for digests"
    ASKED_AT_NEW_ADDRESS = "subscription.asked_at_new_address", "Was asked to confirm digests at another address"
    ROLE_SUBSCRIBED = "role_subscription.started", "Subscribed everyone with a role"
    ROLE_UNSUBSCRIBED = "role_subscription.ended", "Ended the subscription of everyone with a role"
    PERSON_FREQUENCY_CHANGED = "person.digest_frequency_changed", "Chose how often digests come"
    NOTICES_CHOSEN = "person.notices_chosen", "Chose how notices come"
    QUESTIONS_REFUSED = "person.questions_refused", "Refused further confirmation emails"
    QUESTIONS_ALLOWED = "person.questions_allowed", "Allowed confirmation emails again"
    LINKS_SENT = "person.links_sent", "Was sent new links"
    LINKS_RENEWED = "person.links_renewed", "Renewed the links in a person's emails"
    EMAILS_STOPPED = "person.emails_stopped", "Stopped emails to a person"
    EMAILS_ALLOWED = "person.emails_allowed", "Allowed emails to a person again"
    SENT_AGAIN = "delivery.sent_again", "Sent an email again"
    DELIVERY_VIEWED = "delivery.viewed", "Viewed an email"
    NEXT_DIGEST_VIEWED = "person.next_digest_viewed", "Viewed a person's next digest"
