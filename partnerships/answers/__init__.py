"""What stakeholders say back: comments, questions about plans, and trust."""
