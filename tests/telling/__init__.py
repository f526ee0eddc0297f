"""The table of services that send emails, with who gets each."""
