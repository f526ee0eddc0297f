"""Views of the directory and of memberships."""
