"""A small business at work: files imported, invoices sent, services checked, all of it watched.

Nothing here is made up for the dashboard. The files are written, damaged, read and loaded, the
service really goes down, and what is recorded is what happened.
"""
