"""Create a function of the tables' owner that advances every sequence after a restore, so that no id is used twice."""

from django.db import migrations

from partnerships.kit.owner_functions import owner_function


class Migration(migrations.Migration):
    dependencies = [("kit", "0001_create_waiting_lines")]

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
