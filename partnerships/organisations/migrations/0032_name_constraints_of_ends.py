"""Rename constraints that allow the same first and last day, so that their names say so."""

from __future__ import annotations

from django.db import migrations, models
from django.db.models import F, Q

#: The model of each constraint, and its fields with the first day and the end.
CONSTRAINTS = (
    ("area", "valid_from", "valid_to"),
    ("organisation", "valid_from", "valid_to"),
    ("membership", "starts_on", "ends_on"),
)


def condition(model: str, start: str, end: str) -> Q:
    """Return the unchanged condition of a constraint; a membership always has a first day."""
    has_no_end = Q(**{end: None})
    ends_in_order = Q(**{f"{end}__gte": F(start)})
    return has_no_end | ends_in_order if model == "membership" else has_no_end | Q(**{start: None}) | ends_in_order


def renaming(model: str, start: str, end: str) -> migrations.SeparateDatabaseAndState:
    """Return an operation that renames a constraint in the database, without checking all rows again."""
    table = f"organisations_{model}"
    old_name, new_name = f"{model}_ends_after_it_starts", f"{model}_does_not_end_before_it_starts"
    return migrations.SeparateDatabaseAndState(
        database_operations=[
            migrations.RunSQL(
                f"ALTER TABLE {table} RENAME CONSTRAINT {old_name} TO {new_name}",
                f"ALTER TABLE {table} RENAME CONSTRAINT {new_name} TO {old_name}",
            )
        ],
        state_operations=[
            migrations.RemoveConstraint(model_name=model, name=old_name),
            migrations.AddConstraint(
                model_name=model,
                constraint=models.CheckConstraint(condition=condition(model, start, end), name=new_name),
            ),
        ],
    )


class Migration(migrations.Migration):
    safe_beside_old_code = "No code uses the names of these constraints."

    dependencies = [("organisations", "0031_reword_help_texts_again")]

    operations = [renaming(*constraint) for constraint in CONSTRAINTS]
