"""Keeps: rows are born and die here. The one door is `database.py`; a resource's verbs are in its module."""
