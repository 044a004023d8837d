"""What an operator says of an operand of the wrong shape: the rule, and what was probably meant."""

from math import prod

Shape = tuple[int, ...]


def wrong_length(
    name: str, found: Shape, input_shape: Shape, output_shape: Shape, adjoint: bool, columns: bool
) -> str:
    """Say which length a vector or the columns of a matrix need that W, or its adjoint, multiplies."""
    near, far = ("output", "input") if adjoint else ("input", "output")
    shape, other_shape = (output_shape, input_shape) if adjoint else (input_shape, output_shape)
    needed, other = prod(shape), prod(other_shape)
    side, opposite = ("r", "") if adjoint else ("", "r")
    kind = "mat" if columns else "vec"
    text = (
        f"{name} has shape {found}: {side}mat{kind} needs {'columns of ' if columns else ''}"
        f"length {needed}, the elements of {near}_shape {shape}"
    )
    if found == shape and not adjoint:
        return f"{text}. Give {name}.ravel(), or apply the array by a call of the operator, A({name})."
    lengths = found[-2:] if len(found) > 1 else found
    if columns and found == (needed,):
        return f"{text}, on two axes; for one vector, did you mean {side}matvec?"
    if not columns and needed in lengths:
        return f"{text}, on the last axis; for columns, did you mean {side}matmat?"
    if other != needed and other in lengths:
        meant = f"{opposite}mat{kind}"
        return f"{text}; length {other} is the {far}'s; did you mean {meant}?"
    return f"{text}; got {lengths[0] if lengths else 'no axis'}."


def wrong_shape(found: Shape, input_shape: Shape, output_shape: Shape, channel_axis: int | None) -> str:
    """Say which axes an array must end with that an operator is applied to."""
    text = f"x has shape {found}: its last axes must be input_shape {input_shape}, after any batch axes"
    if found[max(len(found) - len(output_shape), 0) :] == output_shape:
        return f"{text}; {output_shape} is the output's; did you mean A.H(x)?"
    if found == (prod(input_shape),):
        return f"{text}; it has the right length, so give x.reshape(A.input_shape), or A @ x."
    batch = len(found) - len(input_shape)
    if channel_axis == 0 and batch >= 0 and found[batch:] == (*input_shape[1:], input_shape[0]):
        return f"{text}; channels come first: give np.moveaxis(x, -1, {batch})."
    last = channel_axis == len(input_shape) - 1
    if last and batch >= 0 and found[batch:] == (input_shape[-1], *input_shape[:-1]):
        return f"{text}; channels come last: give np.moveaxis(x, {batch}, -1)."
    if sorted(found) == sorted(input_shape):
        order = ", channels first" if channel_axis == 0 else ", channels last" if last else ""
        return f"{text}; the same sizes in another order: transpose it{order}."
    return f"{text}; got {found[max(batch, 0) :]}."
