"""Alerts as people meet them in a terminal: found, shown, decided about, and summed up."""
