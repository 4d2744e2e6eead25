"""What graphql-core passes over when it compares two schemas; each function looks at one part of both."""

from collections.abc import Iterator
from typing import Any

from graphql import (
    ConstDirectiveNode,
    GraphQLArgument,
    GraphQLInputField,
    is_required_argument,
    is_required_input_field,
    print_ast,
)
from graphql.utilities.find_schema_changes import (
    SafeChangeType,
    get_default_value,
    is_change_safe_for_input_object_field_or_field_arg,
)

from app.graph.differences import LEFT_OUT, MUST_BE_GIVEN, WHY, Difference, Severity


def defaults(where: str, old: Any, new: Any) -> Iterator[Difference]:
    """What an argument or an input field is where it is left out."""
    if not isinstance(old, GraphQLArgument | GraphQLInputField) or not isinstance(new, type(old)):
        return
    before, after = get_default_value(old), get_default_value(new)
    if before == after:
        return
    if before is None:
        yield Difference(Severity.SAFE, "It may be left out now.", f"{where} got the default {after}.")
    elif is_required(new):
        yield Difference(Severity.BREAKING, MUST_BE_GIVEN, f"{where} lost its default {before} and must be given.")
    else:
        lost, changed = f"{where} lost its default {before}.", f"{where} has the default {after}, no longer {before}."
        what = lost if after is None else changed
        yield Difference(Severity.DANGEROUS, LEFT_OUT, what)
    if str(old.type) != str(new.type) and is_change_safe_for_input_object_field_or_field_arg(old.type, new.type):
        what = f"{where} changed type from {old.type} to {new.type}."
        yield Difference(Severity.SAFE, WHY[SafeChangeType.ARG_CHANGED_KIND_SAFE], what)


def is_required(part: GraphQLArgument | GraphQLInputField) -> bool:
    """It cannot be left out."""
    return is_required_argument(part) if isinstance(part, GraphQLArgument) else is_required_input_field(part)


def deprecations(where: str, old: Any, new: Any) -> Iterator[Difference]:
    """What clients are asked to leave."""
    before, after = (getattr(part, "deprecation_reason", None) for part in (old, new))
    if before == after:
        return
    what = f"{where} is no longer deprecated." if after is None else f"{where} is deprecated: {after}"
    yield Difference(Severity.SAFE, "It works as before; leave it before it goes.", what)


def directives(where: str, old: Any, new: Any) -> Iterator[Difference]:
    """The uses of directives that say who may, such as `@requires`, or what may happen, such as `@approvable`."""
    before, after = applied(old), applied(new)
    gone, come = " ".join(sorted(before - after)), " ".join(sorted(after - before))
    if come:
        what = f"{where} has {come} instead of {gone}." if gone else f"{where} has {come}."
        why = "Who was answered so far may get null, a refusal or a change that is held."
        yield Difference(Severity.DANGEROUS, why, what)
    elif gone:
        yield Difference(Severity.SAFE, "Less is demanded than before.", f"{where} no longer has {gone}.")


def applied(part: Any) -> set[str]:
    """The directives that a part of a schema carries, but for those that are compared for what they mean."""
    nodes = [part.ast_node, *getattr(part, "extension_ast_nodes", ())]
    carried = (each for node in nodes if node is not None for each in node.directives or ())
    return {written(each) for each in carried if each.name.value not in ("deprecated", "specifiedBy", "oneOf")}


def written(use: ConstDirectiveNode) -> str:
    """A use of a directive, its arguments in order."""
    arguments = ", ".join(sorted(print_ast(each) for each in use.arguments or ()))
    return f"@{use.name.value}({arguments})" if arguments else f"@{use.name.value}"


def formats(where: str, old: Any, new: Any) -> Iterator[Difference]:
    """What values of a scalar look like, and whether an input takes exactly one of its fields."""
    before, after = (getattr(part, "specified_by_url", None) for part in (old, new))
    if before != after:
        what = f"{where} is specified by {after or 'nothing'}, no longer by {before or 'nothing'}."
        yield Difference(Severity.DANGEROUS, "Its values may look otherwise.", what)
    was, is_now = (bool(getattr(part, "is_one_of", False)) for part in (old, new))
    if is_now and not was:
        why = "Whoever sends several of its fields, or none, is refused."
        yield Difference(Severity.BREAKING, why, f"{where} takes exactly one of its fields.")
    elif was and not is_now:
        yield Difference(Severity.SAFE, "What clients send is still accepted.", f"{where} takes any of its fields.")
