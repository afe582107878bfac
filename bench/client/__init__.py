"""What the Python client costs the program that uses it, and what it loses in trouble."""
