"""What `make` runs on a developer's machine: set-up, embedded services and checks. Production needs none of it."""
