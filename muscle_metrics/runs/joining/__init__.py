"""Pair the items of several runs by task, id and repeat."""
