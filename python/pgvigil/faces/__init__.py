"""What people and programs see: the terminal, the web service, exported files and the report."""
