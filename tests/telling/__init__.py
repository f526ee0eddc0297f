"""The table of services that tell somebody by email, and who is told."""
