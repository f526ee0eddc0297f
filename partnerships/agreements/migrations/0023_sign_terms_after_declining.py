"""Let a party that joined and declined sign the same version later."""

from __future__ import annotations

from typing import ClassVar

from django.db import migrations, models


class Migration(migrations.Migration):
    """Allow one signature and one refusal by an organisation for each version."""

    dependencies: ClassVar = [("agreements", "0022_words_for_search")]

    operations: ClassVar = [
        migrations.AddConstraint(
            model_name="termssignature",
            constraint=models.UniqueConstraint(
                fields=("version", "organisation", "decision"), name="one_terms_signature_a_decision"
            ),
        ),
        migrations.RemoveConstraint(model_name="termssignature", name="one_terms_signature_an_organisation"),
    ]
