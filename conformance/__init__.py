"""Checks that every framework gives the same, right answer, and the command line."""
