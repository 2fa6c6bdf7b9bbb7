"""The only speaker of OpenTelemetry and structlog; `setup.py` starts it, `vocabulary.py` has every name it uses."""
