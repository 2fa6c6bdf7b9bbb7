"""Spans of others in OpenTelemetry's protocol, OTLP: what they mean to the store; `decoding.py` is what others use."""
