"""Store lines of homes as packed numbers, one row for each plan, so that reports add up a million lines at once."""

import django.db.models.deletion
from django.db import migrations, models

# Texts become numbers, and all lines of a plan one value: partnerships/plans/queries/packed.py reads it.
PACK = """
CREATE FUNCTION plans_pack_homes(plans bigint[]) RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    INSERT INTO public.plans_homescombination (year, tenure, area_code, authority, bedrooms, needs, confidence,
        has_grant, confidential, is_done)
    SELECT * FROM (
        SELECT DISTINCT year, tenure, area_code, authority, coalesce(bedrooms, -1) AS bedrooms, needs, confidence,
            has_grant, confidential, done_year <> '' AS is_done
        FROM public.plans_plannedhomes WHERE plan_id = ANY(plans)
    ) found WHERE NOT EXISTS (
        SELECT FROM public.plans_homescombination known
        WHERE known.year = found.year AND known.tenure = found.tenure AND known.area_code = found.area_code
            AND known.authority = found.authority AND known.bedrooms = found.bedrooms AND known.needs = found.needs
            AND known.confidence = found.confidence AND known.has_grant = found.has_grant
            AND known.confidential = found.confidential AND known.is_done = found.is_done
    ) ORDER BY 1, 2, 3, 4, 5, 6, 7, 8, 9, 10 ON CONFLICT DO NOTHING;

    INSERT INTO public.plans_homesprovider (name)
    SELECT name FROM (
        SELECT DISTINCT provider AS name FROM public.plans_plannedhomes WHERE plan_id = ANY(plans) AND provider <> ''
    ) found WHERE NOT EXISTS (SELECT FROM public.plans_homesprovider known WHERE known.name = found.name)
    ORDER BY 1 ON CONFLICT DO NOTHING;

    INSERT INTO public.plans_packedhomes (plan_id, versions, lines)
    WITH homes AS (
        SELECT *, dense_rank() OVER (PARTITION BY plan_id ORDER BY site_key) AS site
        FROM public.plans_plannedhomes WHERE plan_id = ANY(plans)
    ), versions AS (
        SELECT plan_id, number, min(published) AS published, min(opened) AS opened,
            row_number() OVER (PARTITION BY plan_id ORDER BY number) - 1 AS place
        FROM (
            SELECT plan_id, from_number AS number, published_from AS published, open_from AS opened FROM homes
            UNION ALL SELECT plan_id, until_number, published_until, open_until FROM homes
            WHERE until_number IS NOT NULL
        ) moments GROUP BY plan_id, number
    ), packed_versions AS (
        SELECT plan_id, string_agg(
            int4send(number) || int8send((extract(epoch FROM published) * 1000000)::bigint)
            || int8send((extract(epoch FROM opened) * 1000000)::bigint), ''::bytea ORDER BY place
        ) AS versions FROM versions GROUP BY plan_id
    ), packed_lines AS (
        SELECT homes.plan_id, string_agg(
            int8send(homes.id) || int4send(combination.id) || int4send(coalesce(lead.id, 0))
            || int4send(homes.site::int) || int4send(
                CASE WHEN homes.forecast ~ '^[0-9]{4}(-[0-9]{2}){0,2}$'
                    THEN rpad(replace(homes.forecast, '-', ''), 8, '0')::int ELSE 0 END
            ) || int4send(homes.count) || int2send(begins.place::smallint)
            || int2send(coalesce(ends.place, -1)::smallint), ''::bytea ORDER BY homes.site, homes.id
        ) AS lines
        FROM homes JOIN public.plans_homescombination combination
            ON combination.year = homes.year AND combination.tenure = homes.tenure
                AND combination.area_code = homes.area_code AND combination.authority = homes.authority
                AND combination.bedrooms = coalesce(homes.bedrooms, -1) AND combination.needs = homes.needs
                AND combination.confidence = homes.confidence AND combination.has_grant = homes.has_grant
                AND combination.confidential = homes.confidential
                AND combination.is_done = (homes.done_year <> '')
            LEFT JOIN public.plans_homesprovider lead ON lead.name = homes.provider
            JOIN versions begins ON begins.plan_id = homes.plan_id AND begins.number = homes.from_number
            LEFT JOIN versions ends ON ends.plan_id = homes.plan_id AND ends.number = homes.until_number
        GROUP BY homes.plan_id
    )
    SELECT plan_id, packed_versions.versions, packed_lines.lines
    FROM packed_lines JOIN packed_versions USING (plan_id)
    ON CONFLICT (plan_id) DO UPDATE SET versions = EXCLUDED.versions, lines = EXCLUDED.lines;
END
$$;

-- For code that writes lines and does not know of this table. What packs by itself says so, and packs once. It has the
-- rights of the owner: the application gets its own on new tables at the end of an upgrade.
CREATE FUNCTION plans_homes_changed() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF current_setting('common_ground.packs_homes', true) IS DISTINCT FROM 'on' THEN
        PERFORM public.plans_pack_homes(ARRAY(SELECT DISTINCT plan_id FROM changed));
    END IF;
    RETURN NULL;
END
$$;
REVOKE ALL ON FUNCTION plans_homes_changed() FROM PUBLIC;
CREATE TRIGGER plans_homes_added AFTER INSERT ON plans_plannedhomes REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION plans_homes_changed();
CREATE TRIGGER plans_homes_ended AFTER UPDATE ON plans_plannedhomes REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION plans_homes_changed();
ALTER TABLE plans_packedhomes ALTER COLUMN lines SET STORAGE EXTERNAL;
"""

UNPACK = """
DROP TRIGGER plans_homes_added ON plans_plannedhomes;
DROP TRIGGER plans_homes_ended ON plans_plannedhomes;
DROP FUNCTION plans_homes_changed();
DROP FUNCTION plans_pack_homes(bigint[]);
"""


class Migration(migrations.Migration):
    dependencies = [("plans", "0029_documents_in_order")]

    operations = [
        migrations.CreateModel(
            name="HomesCombination",
            fields=[
                ("id", models.AutoField(primary_key=True, serialize=False)),
                ("year", models.CharField(blank=True, max_length=7)),
                ("tenure", models.CharField(max_length=40)),
                ("area_code", models.CharField(blank=True, max_length=20)),
                ("authority", models.CharField(blank=True, max_length=500, verbose_name="planning authority")),
                ("bedrooms", models.IntegerField(help_text="-1 if not known.")),
                ("needs", models.CharField(max_length=20)),
                ("confidence", models.CharField(blank=True, max_length=20)),
                ("has_grant", models.BooleanField()),
                ("confidential", models.BooleanField()),
                ("is_done", models.BooleanField()),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=[
                            "year",
                            "tenure",
                            "area_code",
                            "authority",
                            "bedrooms",
                            "needs",
                            "confidence",
                            "has_grant",
                            "confidential",
                            "is_done",
                        ],
                        name="one_row_a_combination",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="HomesProvider",
            fields=[
                ("id", models.AutoField(primary_key=True, serialize=False)),
                ("name", models.CharField(max_length=500)),
            ],
            options={"constraints": [models.UniqueConstraint(fields=["name"], name="one_row_a_provider")]},
        ),
        migrations.CreateModel(
            name="PackedHomes",
            fields=[
                (
                    "plan",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="packed_homes",
                        serialize=False,
                        to="plans.plan",
                    ),
                ),
                (
                    "versions",
                    models.BinaryField(
                        help_text="Versions that changed homes: number, publication, end of the embargo."
                    ),
                ),
                ("lines", models.BinaryField()),
            ],
            options={"verbose_name_plural": "packed homes"},
        ),
        migrations.RunSQL(PACK, UNPACK),
    ]
