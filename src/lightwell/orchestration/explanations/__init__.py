"""Why a flow run is where it is: from plain facts to reasons, in words and codes; pure.

`situation.py` is what goes in, `explainer.py` the function to call and the contents page of the detectors.
"""
