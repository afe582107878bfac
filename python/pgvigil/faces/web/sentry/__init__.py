"""What SDKs of Sentry send: their envelopes, and what of these becomes a record.

Here bytes and documents of others are read, within bounds and whatever they hold; what a record
means is decided by the recording functions in SQL.
"""
