"""Questions about the outbox: the queue, and which addresses get nothing."""
