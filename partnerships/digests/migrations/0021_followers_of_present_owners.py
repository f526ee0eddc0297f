"""Let followers of an organisation follow the plans that it owns today, not plans that it owned before."""

from importlib import import_module

from django.db import migrations

_BEFORE = import_module("partnerships.digests.migrations.0017_a_no_to_one_plan")
_OWNERS = "JOIN plans_planowner o ON o.organisation_id = s.organisation_id"
_FOLLOWING = _BEFORE._AFTER


def _of_present_owners(create):
    return create.replace(_OWNERS, f"{_OWNERS} AND o.ended_at IS NULL")


class Migration(migrations.Migration):
    dependencies = [("digests", "0020_addresses_are_changed"), ("plans", "0010_end_ownership_of_former_parties")]

    operations = [
        migrations.RunSQL(_of_present_owners(create), create) for create in (_FOLLOWING, _BEFORE._standing(_FOLLOWING))
    ]
