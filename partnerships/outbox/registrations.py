"""What the outbox registers at start-up: its receiver, its metrics and the checks of its settings."""

from importlib import import_module

for _module in ("receivers", "checks"):
    import_module(f"partnerships.outbox.{_module}")
