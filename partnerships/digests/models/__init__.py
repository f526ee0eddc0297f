"""Models of digests: subscriptions, what each person was told, emails, notices and preferences."""

from partnerships.digests.models.deliveries import (
    UNDER_WAY,
    Delivery,
    DeliveryItem,
    DeliveryItemQuerySet,
    DeliveryKind,
    DeliveryManager,
    OpenDigest,
    Slot,
)
from partnerships.digests.models.email_requests import EmailRequest
from partnerships.digests.models.following import Following
from partnerships.digests.models.inbox import InboxItem, InboxItemQuerySet, NoticeChoice, Way
from partnerships.digests.models.matches import MatchNotice
from partnerships.digests.models.preferences import Frequency, Preference, Weekday
from partnerships.digests.models.role_rules import RoleRule
from partnerships.digests.models.stops import Stop
from partnerships.digests.models.subjects import DeliverySubject, SubjectFollowing, SubjectNews, SubjectWatermark
from partnerships.digests.models.subscriptions import (
    A_TARGET,
    NAMELESS,
    REFUSAL_HOLDS,
    TARGETS,
    Hears,
    How,
    Subscription,
    SubscriptionQuerySet,
    SubscriptionStatus,
    because,
)
from partnerships.digests.models.watermarks import Publication, Watermark

__all__ = [
    "A_TARGET",
    "NAMELESS",
    "REFUSAL_HOLDS",
    "TARGETS",
    "UNDER_WAY",
    "Delivery",
    "DeliveryItem",
    "DeliveryItemQuerySet",
    "DeliveryKind",
    "DeliveryManager",
    "DeliverySubject",
    "EmailRequest",
    "Following",
    "Frequency",
    "Hears",
    "How",
    "InboxItem",
    "InboxItemQuerySet",
    "MatchNotice",
    "NoticeChoice",
    "OpenDigest",
    "Preference",
    "Publication",
    "RoleRule",
    "Slot",
    "Stop",
    "SubjectFollowing",
    "SubjectNews",
    "SubjectWatermark",
    "Subscription",
    "SubscriptionQuerySet",
    "SubscriptionStatus",
    "Watermark",
    "Way",
    "Weekday",
    "because",
]
