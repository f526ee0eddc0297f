"""Who is due a digest, and when."""
