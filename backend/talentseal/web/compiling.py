"""How templates are compiled: what they say alike on every page is put in then, not looked up on each page.

Every language has an environment of its own, so that a text is known when its template is compiled.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

import jinja2
from jinja2 import nodes
from jinja2.bccache import Bucket
from jinja2.compiler import CodeGenerator
from jinja2.visitor import NodeTransformer
from markupsafe import Markup

SAY: Final = "_"
"""What templates call with a text, and with values for its `%(name)s`."""

ASSET: Final = "asset"
"""What templates call with the name of a file that pages load."""


class Compiled(jinja2.BytecodeCache):
    """Compiled templates, kept for the process: a second application in it compiles none of them again."""

    def __init__(self) -> None:
        self._kept: dict[str, bytes] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        if (code := self._kept.get(bucket.key)) is not None:
            bucket.bytecode_from_string(code)

    def dump_bytecode(self, bucket: Bucket) -> None:
        self._kept[bucket.key] = bucket.bytecode_to_string()


def environment(
    loader: jinja2.BaseLoader,
    say: Callable[[str], str],
    asset: Callable[[str], str],
    kept: Compiled | None = None,
) -> jinja2.Environment:
    """Templates in one language. say: a text in it. asset: the address of a file.

    A template is refused when it is loaded: by TemplateAssertionError for a text or name that is not written
    in it, and by what `say` and `asset` raise.
    """
    made = jinja2.Environment(
        loader=loader,
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        # To ask the disk about each template and each of its imports takes as long as a short page.
        auto_reload=False,
        bytecode_cache=kept,
    )
    made.code_generator_class = _generator({SAY: lambda text: Markup(say(text)), ASSET: asset})  # noqa: S704  # our own texts
    return made


def _generator(known: Mapping[str, Callable[[str], Any]]) -> type[CodeGenerator]:
    class Generator(CodeGenerator):
        def visit_Template(self, node: nodes.Template, frame: Any = None) -> None:  # noqa: N802  # Jinja's name
            super().visit_Template(_Known(known, self.name).visit(node), frame)

    return Generator


class _Known(NodeTransformer):
    """Replaces each call of a known function by what it answers."""

    def __init__(self, functions: Mapping[str, Callable[[str], Any]], template: str | None) -> None:
        self.functions = functions
        self.template = template

    def visit_Call(self, node: nodes.Call) -> nodes.Node:  # noqa: N802  # Jinja's name
        self.generic_visit(node)
        if not isinstance(node.node, nodes.Name) or node.node.name not in self.functions:
            return node
        match node.args:
            case [nodes.Const(value=str() as given)] if not (node.dyn_args or node.dyn_kwargs):
                pass
            case _:
                raise jinja2.TemplateAssertionError(
                    f"{node.node.name}() takes a text as it is", node.lineno, self.template
                )
        known = nodes.Const(self.functions[node.node.name](given), lineno=node.lineno)
        if node.node.name != SAY:
            return known
        pairs = [nodes.Pair(nodes.Const(each.key), each.value) for each in node.kwargs]
        return nodes.Mod(known, nodes.Dict(pairs), lineno=node.lineno)
