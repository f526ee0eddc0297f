"""The net change between two numbers of a subject: what several changes come to."""
