"""One rule of validation in other words: what a literal should have been, never what it was."""

import re

from graphql import SKIP, GraphQLError, GraphQLInputType, ValueNode, VisitorAction
from graphql.utilities import validate_input_literal
from graphql.validation import ValuesOfCorrectTypeRule

_SAFE = re.compile(
    r"Expected value of (non-null )?type '[^']*'"
    r"( (not )?to (be an object|include (required|unknown) field '\w*')| not to be None)?"
    r"|Within OneOf [^']*'\w*'.*"
    r"|Value '\w*' does not exist in '\w*' enum"
)
"""The beginning of a message that names nothing but types and fields. What follows may repeat a secret."""


class LiteralsRule(ValuesOfCorrectTypeRule):
    """Each literal is of the type of its place, as the specification says; what is said of one that is not is safe."""

    def is_valid_value_node(self, node: ValueNode, input_type: GraphQLInputType | None) -> VisitorAction:
        """Reports what is wrong with a literal and everything in it."""

        def report(error: GraphQLError, path: list[str | int]) -> None:
            safe = _SAFE.match(error.message)
            expected = safe[0].replace("None", "null") if safe else f"Expected value of type '{input_type}'"
            within = f" at '{'.'.join(map(str, path))}'" if path else ""
            self.report_error(GraphQLError(f"{expected}{within}.", error.nodes or node))

        if input_type:
            validate_input_literal(node, input_type, report, None, None, hide_suggestions=True)
        return SKIP
