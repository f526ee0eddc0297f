"""What can be brought in and given out, and what a person decides of it."""
