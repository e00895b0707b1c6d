"""Stand-ins for services outside: separate processes that speak their protocols, with a memory of
their own.
"""
