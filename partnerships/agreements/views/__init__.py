"""Pages of partnerships, their parties and their documents."""
