"""What `make` runs on a developer's machine.

Set-up, embedded services and checks. Production needs none of it.
"""
