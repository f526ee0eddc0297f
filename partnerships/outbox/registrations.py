"""Register the outbox with lower rooms, and connect its receivers, at start-up."""

from importlib import import_module

from partnerships.activity.event_kinds import register_events
from partnerships.activity.follower_notices import register_without_notice
from partnerships.kit.journal import register_redo
from partnerships.kit.operators import register_channel
from partnerships.outbox import alerts
from partnerships.outbox.alerts import record_alert
from partnerships.outbox.event_kinds import EventKind
from partnerships.outbox.restoring import ACCEPTED, redo_accepted


def register() -> None:
    """Register events, receivers, alerts by email, and the steps after a restore."""
    register_events(EventKind)
    register_without_notice(EventKind, because="it concerns emails that were never sent")
    import_module("partnerships.outbox.receivers")
    alerts.register()
    register_channel(record_alert)
    register_redo(ACCEPTED, "emails delivered since the backup", redo_accepted, in_batches=True)
