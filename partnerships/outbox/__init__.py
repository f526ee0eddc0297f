"""Every email: recording, sending, bounces and the ledger."""
