"""The directory of organisations, memberships, and which records a person may read."""
