"""Whether the input of a resumed run fits the JSON Schema that the run asked for; loaded with the first such input."""

from collections.abc import Mapping
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import SchemaError, ValidationError, best_match
from referencing import Registry
from referencing.exceptions import Unresolvable


def misfit(schema: Any, run_input: Mapping[str, Any]) -> str | None:
    """What is wrong with an input, or with the schema, in a sentence for the caller; None when it fits."""
    try:
        Draft202012Validator.check_schema(schema)
        error: ValidationError | None = best_match(
            Draft202012Validator(schema, registry=Registry()).iter_errors(run_input)
        )
    except SchemaError as problem:
        return f"Run input schema is not a valid schema: {problem.message}"
    except (Unresolvable, RecursionError):
        return "Invalid schema: it refers to what is not there, or to itself."
    return None if error is None else f"Reason: {error.message}"
