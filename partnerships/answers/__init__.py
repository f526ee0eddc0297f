"""Comments of stakeholders, questions about plans, and trust in people who answer."""
