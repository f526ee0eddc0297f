"""The public service that matches names with the directory."""
