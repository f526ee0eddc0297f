"""The reports of this room: one module each, with its filters and its figures."""
