"""Services that change meetings: cycle, plan, agenda, attendance, minutes."""
