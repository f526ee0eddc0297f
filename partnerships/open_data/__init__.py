"""Files that councils publish in the planning data standards, and the rows read from them."""
