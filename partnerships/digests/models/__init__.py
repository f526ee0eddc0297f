"""Models of digests: subscriptions, what each person was told, emails, notices and preferences."""

from partnerships.digests.models.deliveries import (
    OPEN_DIGEST_RECIPIENTS_SQL,
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
from partnerships.digests.models.inbox import InboxItem, InboxItemQuerySet, NoticeChoice, NoticeDelivery
from partnerships.digests.models.matches import MatchNotice
from partnerships.digests.models.preferences import Frequency, Preference, Weekday
from partnerships.digests.models.role_rules import RoleRule
from partnerships.digests.models.stops import Stop
from partnerships.digests.models.subjects import DeliverySubject, SubjectFollowing, SubjectNews, SubjectWatermark
from partnerships.digests.models.subscriptions import (
    REFUSAL_PERIOD,
    TARGET_NAMES,
    TARGETS,
    UNNAMED_STAKEHOLDER,
    ChangeFilter,
    Subscription,
    SubscriptionOrigin,
    SubscriptionQuerySet,
    SubscriptionStatus,
    reason_for_digests,
)
from partnerships.digests.models.watermarks import Publication, Watermark

__all__ = [
    "OPEN_DIGEST_RECIPIENTS_SQL",
    "REFUSAL_PERIOD",
    "TARGETS",
    "TARGET_NAMES",
    "UNNAMED_STAKEHOLDER",
    "ChangeFilter",
    "Delivery",
    "DeliveryItem",
    "DeliveryItemQuerySet",
    "DeliveryKind",
    "DeliveryManager",
    "DeliverySubject",
    "EmailRequest",
    "Following",
    "Frequency",
    "InboxItem",
    "InboxItemQuerySet",
    "MatchNotice",
    "NoticeChoice",
    "NoticeDelivery",
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
    "SubscriptionOrigin",
    "SubscriptionQuerySet",
    "SubscriptionStatus",
    "Watermark",
    "Weekday",
    "reason_for_digests",
]
