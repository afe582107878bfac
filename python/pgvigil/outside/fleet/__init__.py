"""Members of a fleet: what they tell is carried to the hub, and what is decided there to them."""
