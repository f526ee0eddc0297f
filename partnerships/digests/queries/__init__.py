"""What this room reads: each module one question."""
