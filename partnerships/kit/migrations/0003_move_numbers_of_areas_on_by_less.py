"""After a restore, advance the ids of areas by ten thousand, and all other ids by ten million.

Asks and offers are matched by numbers that contain both theme and area (`THEME_STEP` in exchange/reach.py), so the id
of an area must stay below ten million.
"""

from django.db import migrations

from partnerships.kit.owner_functions import owner_function


class Migration(migrations.Migration):
    dependencies = [("kit", "0002_give_no_number_twice")]

    operations = [
        owner_function(
            name="move_numbers_on",
            arguments="",
            body="""
                DECLARE
                    one record;
                    moved integer := 0;
                BEGIN
                    FOR one IN
                        SELECT sequencename, COALESCE(last_value, start_value) AS reached,
                            CASE sequencename WHEN 'organisations_area_id_seq' THEN 10000 ELSE 10000000 END AS step,
                            CASE sequencename WHEN 'organisations_area_id_seq' THEN 9999999 ELSE max_value END AS highest
                        FROM pg_sequences WHERE schemaname = 'public' AND increment_by > 0
                    LOOP
                        CONTINUE WHEN one.reached > one.highest - one.step;
                        PERFORM setval(format('public.%I', one.sequencename)::regclass, one.reached + one.step);
                        moved := moved + 1;
                    END LOOP;
                    RETURN moved;
                END
            """,
        ),
    ]
