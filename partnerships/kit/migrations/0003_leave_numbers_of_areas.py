"""A restore leaves the numbers of areas alone: keys of asks and offers hold theme and area in one number."""

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
                    step CONSTANT bigint := 10000000;
                    one record;
                    moved integer := 0;
                BEGIN
                    FOR one IN
                        SELECT sequencename, COALESCE(last_value, start_value) AS reached, max_value
                        FROM pg_sequences WHERE schemaname = 'public' AND increment_by > 0
                            AND sequencename <> 'organisations_area_id_seq'
                    LOOP
                        CONTINUE WHEN one.reached > one.max_value - step;
                        PERFORM setval(format('public.%I', one.sequencename)::regclass, one.reached + step);
                        moved := moved + 1;
                    END LOOP;
                    RETURN moved;
                END
            """,
        ),
    ]
