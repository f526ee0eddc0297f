"""Which people are due a digest, and when: watermarks, frequencies, roles and matches."""
