"""The pages of all lists, saved views, and files of what a list shows."""
