"""The only speaker of OpenTelemetry and structlog; `setup.py` starts it, `vocabulary/` has every name it uses."""
