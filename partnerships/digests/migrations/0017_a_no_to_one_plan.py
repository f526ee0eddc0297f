"""Let the refusal of a plan count against an earlier subscription to its partnership or owner.

The views leave out the refused plan.
"""

from importlib import import_module

from django.db import migrations, models
from django.db.models import Q

_BEFORE = import_module("partnerships.digests.migrations.0002_following").CREATE.replace(
    "CREATE VIEW", "CREATE OR REPLACE VIEW"
)
_NOT_REFUSED = """
   AND NOT EXISTS (
       SELECT 1 FROM digests_subscription n
        WHERE n.person_id = s.person_id AND n.plan_id = {plan} AND n.status = 'ended' AND n.refused_at > s.confirmed_at)
"""


def _standing(sql):
    """Return the SQL of the same view with paused subscriptions too."""
    return sql.replace("digests_following", "digests_standing").replace(
        "s.status = 'confirmed'", "s.status IN ('confirmed', 'paused')"
    )


def _without_refused(sql):
    own, by_partnership, by_owner = sql.rstrip().split("UNION ALL")
    return "UNION ALL".join(
        [own, by_partnership + _NOT_REFUSED.format(plan="p.id"), by_owner + _NOT_REFUSED.format(plan="o.plan_id")]
    )


_AFTER = _without_refused(_BEFORE)


class Migration(migrations.Migration):
    dependencies = [("digests", "0016_less_to_look_up")]

    operations = [
        migrations.AddIndex(
            model_name="subscription",
            index=models.Index(
                fields=["plan", "person"],
                name="subscription_refused_plan",
                condition=Q(plan__isnull=False, refused_at__isnull=False, status="ended"),
            ),
        ),
        migrations.RunSQL(_AFTER, _BEFORE),
        migrations.RunSQL(_standing(_AFTER), _standing(_BEFORE)),
    ]
