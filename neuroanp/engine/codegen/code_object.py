"""Code objects of Brian2 in C++, as the engine makes and calls them."""

from __future__ import annotations

import ast
import copy
import functools
import re
from collections.abc import Mapping
from typing import Any

import numpy as np
from brian2 import Quantity
from brian2.codegen.generators.cpp_generator import CPPCodeGenerator
from brian2.core.base import BrianObjectException
from brian2.core.functions import DEFAULT_FUNCTIONS, Function
from brian2.core.variables import Constant
from brian2.devices.cpp_standalone.codeobject import CPPStandaloneCodeObject
from brian2.parsing.rendering import CPPNodeRenderer
from brian2.utils.stringtools import word_substitute
from jinja2.filters import do_dictsort

from neuroanp.engine.codegen.words import true_name
from neuroanp.engine.errors import NoImplementation


class _Renderer(CPPNodeRenderer):
    """Renderer that divides whole numbers in double precision, and by zero too.

    Brian2's has single precision, wrong above 2**24, and ends the process at a whole number modulo zero.
    """

    def __init__(self, variables: Mapping[str, Any], auto_vectorise: Any) -> None:
        super().__init__(auto_vectorise=auto_vectorise)
        self.variables = variables

    def render_BinOp(self, node: Any) -> str:
        text = str(super().render_BinOp(node))
        if isinstance(node.op, ast.Mod | ast.FloorDiv):
            name, arguments = text.split("(", 1)
            return f"neuroanp::divided([](auto a, auto b) {{ return {name}(a, b); }}, {arguments}"
        whole = isinstance(node.op, ast.Div) and self._is_whole(node.left)
        return text.replace("1.0f*", "1.0*", 1) if whole else text

    def _is_whole(self, node: ast.AST) -> bool:
        if isinstance(node, ast.Constant):
            return isinstance(node.value, int)
        if isinstance(node, ast.Name):
            variable = self.variables.get(node.id)
            return np.issubdtype(getattr(variable, "dtype", float), np.integer)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            returned = getattr(self.variables.get(node.func.id), "_return_type", None)
            return returned == "integer" or (returned == "highest" and all(map(self._is_whole, node.args)))
        if isinstance(node, ast.UnaryOp):
            return self._is_whole(node.operand)
        if isinstance(node, ast.BinOp) and not isinstance(node.op, ast.Div | ast.Pow):
            return self._is_whole(node.left) and self._is_whole(node.right)
        return False


class _Generator(CPPCodeGenerator):
    def translate_expression(self, expr: str) -> str:
        expr = word_substitute(expr, {**self._other_names(), **self.func_name_replacements})
        replaced = {name: self.variables[key] for key, name in self.func_name_replacements.items()}
        return str(_Renderer({**self.variables, **replaced}, self.auto_vectorise).render_expr(expr)).strip()

    def translate_statement(self, statement: Any) -> str:
        if statement.op == "%=":  # in C++ of whole numbers only, and with another sign
            statement, name = copy.copy(statement), statement.var
            statement.op, statement.expr = "=", f"{name} % ({statement.expr})"
            parts = statement.boolean_simplified_expressions or {}
            statement.boolean_simplified_expressions = {
                values: f"{name} % ({part})" for values, part in parts.items()
            }
        return str(super().translate_statement(statement))

    def _other_names(self) -> dict[str, str]:
        """Names in C++ of functions that the user's variables call otherwise, or are the engine's own."""
        names = {}
        for key, function in self.variables.items():
            if function is DEFAULT_FUNCTIONS["tanh"]:
                names[key] = "neuroanp_tanh"
            elif isinstance(function, Function):
                name = next((name for name, usual in DEFAULT_FUNCTIONS.items() if usual is function), None)
                name = name or getattr(function.pyfunc, "__name__", key)
                if name != key and (DEFAULT_FUNCTIONS.get(name) is function or self._defines(function, name)):
                    names[key] = name
        return names

    def _defines(self, function: Function, name: str) -> bool:
        code = function.implementations[self.codeobj_class].get_code(self.owner) or ""
        text = code if isinstance(code, str) else "\n".join(code.values())
        return re.search(rf"\b{re.escape(name)}\s*\(", text) is not None


class InProcessCodeObject(CPPStandaloneCodeObject):
    """Code object with the engine's own templates beside Brian2's."""

    generator_class = _Generator
    templater = CPPStandaloneCodeObject.templater.derive("neuroanp.engine")
    # Names that differ in case only would be in the order of Python's hash seed.
    templater.env.filters["dictsort"] = functools.partial(do_dictsort, case_sensitive=True)

    def __call__(self, **values: Any) -> None:
        """Code outside of a run, as for `StateMonitor.record_single_timestep`: on the NumPy target."""
        owner: Any = self.owner
        kept = {name: getattr(owner, name) for name in ("codeobj", "_code_objects")}
        namespace = {
            true_name(name): Quantity(variable.value, dim=variable.dim)
            for name, variable in self.variables.items()
            if isinstance(variable, Constant)
        }
        try:
            owner.create_code_objects(namespace)
            owner.codeobj()
        finally:
            for name, value in kept.items():
                setattr(owner, name, value)


def make_code_objects(net: Any, namespace: Mapping[str, Any]) -> None:
    """Let Brian2 make the code of a network's objects.

    Raises
    ------
    NoImplementation
        For a function that only Python has.
    """
    try:
        net.before_run(namespace)
    except BrianObjectException as error:
        cause: BaseException = error
        while cause.__cause__ is not None:
            cause = cause.__cause__
        if isinstance(cause, KeyError) and "No implementation available" in str(cause):
            where = str(error).split("\n", 1)[0].rpartition("named ")[2].rstrip(".")
            raise NoImplementation(f"{where} uses a function without an implementation in C++") from error
        raise
