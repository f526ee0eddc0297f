"""Create the table of homes of every published version, with the versions and times for which they apply."""

from __future__ import annotations

from dataclasses import asdict
from itertools import groupby

import django.db.models.deletion
from django.db import migrations, models

from partnerships.plans.content import pipeline_kind, pipeline_lines


def record(apps, schema_editor):
    """Compare each version with the one before, as `services.projecting` does when a version is published."""
    PlannedHomes, Version = apps.get_model("plans", "PlannedHomes"), apps.get_model("plans", "Version")
    rows = Version.objects.order_by("plan", "number").values_list(
        "plan", "number", "published_at", "embargo_until", "content"
    )
    for plan_id, plan_rows in groupby(rows.iterator(chunk_size=50), key=lambda row: row[0]):
        lines_before = {}
        for _plan_id, number, published_at, embargo_until, content in plan_rows:
            opens_at = embargo_until or published_at
            kind = pipeline_kind(content)
            lines_after = {site["key"]: pipeline_lines(site, kind) for site in content["sites"]}
            changed_keys = [
                key for key in {**lines_before, **lines_after} if lines_before.get(key) != lines_after.get(key)
            ]

            # Lines of changed sites apply until this version; their new lines apply from this version on.
            PlannedHomes.objects.filter(plan_id=plan_id, site_key__in=changed_keys, until_number=None).update(
                until_number=number, published_until=published_at, open_until=opens_at
            )
            new_lines = [
                PlannedHomes(
                    plan_id=plan_id,
                    **asdict(line),
                    from_number=number,
                    published_from=published_at,
                    open_from=opens_at,
                )
                for key in changed_keys
                for line in lines_after.get(key, ())
            ]
            PlannedHomes.objects.bulk_create(new_lines, batch_size=2_000)
            lines_before = lines_after


class Migration(migrations.Migration):
    dependencies = [("plans", "0019_settle_years_of_plans")]

    operations = [
        migrations.CreateModel(
            name="PlannedHomes",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("site_key", models.CharField(max_length=100)),
                ("site_name", models.CharField(max_length=500)),
                ("area_code", models.CharField(blank=True, max_length=20)),
                ("authority", models.CharField(blank=True, max_length=500, verbose_name="planning authority")),
                ("confidential", models.BooleanField()),
                (
                    "provider",
                    models.CharField(
                        blank=True, help_text="Who leads the site, as the plan names them.", max_length=500
                    ),
                ),
                ("planning_reference", models.CharField(blank=True, max_length=500)),
                ("has_grant", models.BooleanField(help_text="Whether the plan names a grant programme.")),
                ("confidence", models.CharField(blank=True, max_length=20)),
                ("forecast", models.CharField(blank=True, max_length=10, verbose_name="forecast completion")),
                ("tenure", models.CharField(max_length=40)),
                (
                    "bedrooms",
                    models.PositiveSmallIntegerField(
                        blank=True, help_text="0 is a studio; empty: not known.", null=True
                    ),
                ),
                ("needs", models.CharField(max_length=20)),
                ("year", models.CharField(blank=True, max_length=7)),
                ("done_year", models.CharField(blank=True, max_length=7)),
                ("count", models.PositiveIntegerField()),
                ("from_number", models.PositiveIntegerField()),
                ("until_number", models.PositiveIntegerField(blank=True, null=True)),
                ("published_from", models.DateTimeField()),
                ("published_until", models.DateTimeField(blank=True, null=True)),
                ("open_from", models.DateTimeField()),
                ("open_until", models.DateTimeField(blank=True, null=True)),
                (
                    "plan",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="planned_homes", to="plans.plan"
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "planned homes",
                "indexes": [
                    models.Index(fields=["plan", "site_key"], name="planned_homes_site"),
                    models.Index(fields=["area_code", "plan"], name="planned_homes_area"),
                    models.Index(
                        condition=models.Q(("planning_reference", ""), _negated=True),
                        fields=["planning_reference"],
                        name="planned_homes_reference",
                    ),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("until_number", None),
                            ("until_number__gt", models.F("from_number")),
                            _connector="OR",
                        ),
                        name="planned_homes_in_order",
                    )
                ],
            },
        ),
        migrations.RunPython(record, migrations.RunPython.noop),
    ]
