"""What is known about each framework, one module each, found through entry points."""
