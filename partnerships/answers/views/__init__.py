"""Pages of answers: by a link in an email, and those of owners."""
