"""What the outbox registers at start-up: the receiver that wakes a sender."""

from importlib import import_module

import_module("partnerships.outbox.receivers")
