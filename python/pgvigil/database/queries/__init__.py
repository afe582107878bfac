"""What is asked of the views, a module for each kind of thing."""
