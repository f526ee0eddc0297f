"""My work: everything that waits for one person."""
