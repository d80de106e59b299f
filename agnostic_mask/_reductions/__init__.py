"""Masked, weighted reductions of one array over any of its axes."""
