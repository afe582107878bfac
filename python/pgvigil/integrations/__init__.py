"""Frameworks that people run already, under watch: a module for each, imported only on use.

None of them raises into its framework. What goes wrong in monitoring is logged by the client, at
most once a minute for each kind.
"""
