"""Subscriptions to what changes, and the digests that are sent to subscribers."""
