"""Who may open each page of developer agreements."""

from __future__ import annotations

from partnerships.developer_agreements.services import RegisterAgreement, record_agreements
from partnerships.transfer.models import ImportRun, Register
from tests.support.access import Row, everyone
from tests.world import World


def prepare(world: World) -> None:
    """Create a developer agreement that Larkhaven has published."""
    run = ImportRun.objects.create(
        register=Register.DEVELOPER_AGREEMENTS, file_name="a.csv", sha256="0" * 64, started_at=world.now
    )
    agreement = RegisterAgreement(reference="W/1-da", kind="section 106", organisation=world.larkhaven)
    (stored_agreement,), _ = record_agreements(agreements=[agreement], run_id=run.pk, author=None, now=world.now)
    world.things["agreement"] = stored_agreement


ROWS = (
    Row("developer_agreements:of-organisation", on=lambda world: {"pk": world.larkhaven.pk}, get=everyone()),
    Row("developer_agreements:detail", on=lambda world: {"pk": world.things["agreement"].pk}, get=everyone()),
)
