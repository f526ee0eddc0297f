"""Terms of partnerships: pure logic, tested without a database."""
