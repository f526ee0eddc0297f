"""Set the kind of years of each plan whose newest version and draft have only one kind."""

from django.db import migrations

# A financial year has a hyphen: 2027-28. Versions are left as they are.
SETTLE = """
WITH written AS (
    SELECT site.plan_id, line.year FROM plans_homes line JOIN plans_site site ON site.id = line.site_id
    WHERE line.year <> ''
    UNION
    SELECT draft.plan_id, line->>'year'
    FROM plans_draft draft,
         jsonb_array_elements(draft.content->'sites') site,
         jsonb_array_elements(site->'homes') line
    WHERE jsonb_typeof(draft.content) = 'object' AND line->>'year' <> ''
), settled AS (
    SELECT plan_id, bool_and(position('-' IN year) > 0) AS financial
    FROM written GROUP BY plan_id HAVING count(DISTINCT position('-' IN year) > 0) = 1
)
UPDATE plans_plan SET years = CASE WHEN settled.financial THEN 'financial' ELSE 'calendar' END
FROM settled WHERE settled.plan_id = plans_plan.id
"""


class Migration(migrations.Migration):
    dependencies = [("plans", "0018_years_of_plans")]

    operations = [migrations.RunSQL(SETTLE, migrations.RunSQL.noop)]
