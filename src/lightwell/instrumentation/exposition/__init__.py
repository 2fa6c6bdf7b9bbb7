"""Metrics to be read by Prometheus: collected, summed over the processes of one server, and written as text.

`scrape.py` is what the rest of the program uses.
"""
