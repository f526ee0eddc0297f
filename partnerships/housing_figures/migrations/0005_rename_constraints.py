"""Rename constraints, so that their names say what is true of each row."""

from django.db import migrations

from partnerships.kit.constraints import RenameConstraints


class Migration(migrations.Migration):
    dependencies = [("housing_figures", "0004_reword_more_help_texts")]

    operations = [
        RenameConstraints(
            {
                "dataset": {"one_dataset_a_file": "unique_dataset_per_file"},
                "figure": {
                    "one_figure_a_cell": "unique_figure_per_cell",
                    "figure_with_a_value_is_published": "figure_with_value_is_published",
                },
            }
        ),
    ]
