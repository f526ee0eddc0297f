"""My work: everything that waits for one person, gathered from the rooms below."""
