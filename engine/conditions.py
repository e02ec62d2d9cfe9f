"""Conditions of alert rules: SQL text in, one Boolean Polars expression out, or one line that says why not.

Admitted by an allow-list over the parsed tree: the table's columns, literals, arithmetic, comparison, boolean
operators, IS, IN, BETWEEN, LIKE, CASE and a few scalar functions. What is not on the list cannot be said: no rule can
read a file, open a connection or build a huge string. The expression is made from the tree that was checked, never from
the user's text. A comparison whose number is not finite (1/0, LN of a negative) is SQL's UNKNOWN; to Polars NaN > 1.
"""

from __future__ import annotations

import logging
import re
from difflib import get_close_matches
from functools import lru_cache
from typing import Final

import polars as pl
import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from engine.errors import SizewatchError, one_line, sql_words

# its log repeats the text as it is, control characters and all; what is wrong is said in our own line
logging.getLogger("sqlglot").setLevel(logging.CRITICAL)

MAX_LENGTH: Final = 2_000
MAX_NODES: Final = 400
MAX_DEPTH: Final = 60
_FUNCTIONS: Final[dict[type[exp.Expression], str]] = {
    exp.Abs: "ABS",
    exp.Round: "ROUND",
    exp.Least: "LEAST",
    exp.Greatest: "GREATEST",
    exp.Coalesce: "COALESCE",
    exp.Ln: "LN",
    exp.Exp: "EXP",
    exp.Sqrt: "SQRT",
    exp.Pow: "POWER",
    exp.Sign: "SIGN",
}
_COMPARISONS: Final = (exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE)
_ADMITTED: Final = frozenset(
    {
        *_FUNCTIONS,
        *_COMPARISONS,
        exp.Column,
        exp.Identifier,
        exp.Literal,
        exp.Boolean,
        exp.Null,
        exp.Paren,
        exp.Add,
        exp.Sub,
        exp.Mul,
        exp.Div,
        exp.Mod,
        exp.Neg,
        exp.And,
        exp.Or,
        exp.Not,
        exp.Is,
        exp.In,
        exp.Between,
        exp.Like,
        exp.Case,
        exp.If,
    }
)
_NUMERIC: Final = (exp.Add, exp.Sub, exp.Mul, exp.Div, exp.Mod, exp.Neg, exp.Ln, exp.Exp, exp.Sqrt, exp.Pow)
_LARGEST: Final = "1.7976931348623157e308"


class ConditionError(SizewatchError):
    """A condition was refused; one line that names what is wrong and what would be right."""


def compile_condition(text: str, table: str, schema: pl.Schema) -> pl.Expr:
    """The Boolean expression of `text` over a table of this schema.

    Raises ConditionError: not SQL, a construct that is not admitted, an unknown column (with the nearest names), a
    wrong type, or a result that is not Boolean.
    """
    return _compile(text, table, tuple(schema.items()))


@lru_cache(maxsize=2_048)  # a rule is compiled when it is read and when it is set up, and again at every reload
def _compile(text: str, table: str, columns: tuple[tuple[str, pl.DataType], ...]) -> pl.Expr:
    schema = pl.Schema(columns)
    tree = _parse(text)
    _admit(tree, table, schema)
    sql = _guard_numbers(tree).sql(dialect="postgres", comments=False)
    try:
        expression = pl.sql_expr(sql)
        # some types clash only when a value meets them, so a row of plain values is tried and not the schema alone
        result = _probe(columns).select(expression.alias("condition")).schema["condition"]
    except (Exception, pl.exceptions.PanicException) as error:
        raise ConditionError(f"{_shown(text)}: {sql_words(error)}") from error
    if result != pl.Boolean:
        raise ConditionError(f"{_shown(text)}: gives {result}, not true or false; compare it, as in `… > 0`")
    return expression


@lru_cache(maxsize=64)
def _probe(columns: tuple[tuple[str, pl.DataType], ...]) -> pl.DataFrame:
    """One row with a value in every column."""
    return pl.DataFrame(
        {name: pl.Series(name, [0], dtype=pl.Int64).cast(kind) for name, kind in columns if not kind.is_nested()}
    )


def _parse(text: str) -> exp.Expression:
    if not text.strip():
        raise ConditionError("the condition is empty; write one such as `z252 > 2`")
    if len(text) > MAX_LENGTH:
        raise ConditionError(f"{_shown(text)}: {len(text):,} characters; at most {MAX_LENGTH:,}")
    # the parser recurses: bound what could nest before it sees the text
    depth = deepest = 0
    for token in re.findall(r"[(\[{]|[)\]}]", text):
        depth += 1 if token in "([{" else -1
        deepest = max(deepest, depth)
    if deepest > MAX_DEPTH or len(re.findall(r"\bCASE\b|\bNOT\b|[-+~]", text, re.IGNORECASE)) > 4 * MAX_DEPTH:
        raise ConditionError(f"{_shown(text)}: nested too deeply; at most {MAX_DEPTH} levels")
    try:
        trees = sqlglot.parse(text, dialect="postgres")
    except (SqlglotError, RecursionError, ValueError) as error:
        raise ConditionError(f"{_shown(text)}: not a condition: {sql_words(error)}") from error
    if len(trees) != 1 or not isinstance(trees[0], exp.Expression):
        raise ConditionError(f"{_shown(text)}: one condition is wanted, without `;`")
    return trees[0]


def _admit(tree: exp.Expression, table: str, schema: pl.Schema) -> None:
    columns = list(schema)
    for count, node in enumerate(tree.walk()):
        if count > MAX_NODES:
            raise ConditionError(f"too long: more than {MAX_NODES} terms")
        if type(node) not in _ADMITTED or (isinstance(node, exp.In) and node.args.get("query")):
            functions = ", ".join(_FUNCTIONS.values())
            raise ConditionError(
                f"{_shown(node.sql())}: not admitted in a rule; use columns, numbers, text, comparison, AND OR NOT,"
                f" IS NULL, IN, BETWEEN, LIKE, CASE and {functions}"
            )
        if isinstance(node, exp.Column):
            if node.table:
                raise ConditionError(f"{_shown(node.sql())}: name the column alone; the rule's table is {table}")
            if node.name in schema and schema[node.name].is_nested():
                raise ConditionError(f"{_shown(node.name)}: a list of values, which a rule cannot compare")
            if node.name not in schema:
                near = get_close_matches(node.name, columns, n=3, cutoff=0.5) or columns[:8]
                raise ConditionError(f"{_shown(node.name)}: no column of {table}; nearest are {', '.join(near)}")


def _guard_numbers(tree: exp.Expression) -> exp.Expression:
    """The same tree where a computed number that is not finite makes its comparison UNKNOWN."""

    def guarded(node: exp.Expression) -> exp.Expression:
        if node.find(*_NUMERIC) is None:
            return node
        inside = exp.Between(
            this=exp.Paren(this=node.copy()),
            low=exp.Literal.number(f"-{_LARGEST}"),
            high=exp.Literal.number(_LARGEST),
        )
        return exp.Paren(this=exp.Case(ifs=[exp.If(this=inside, true=exp.Paren(this=node.copy()))]))

    tree = tree.copy()
    for node in list(tree.find_all(*_COMPARISONS, exp.Between, exp.In, exp.Least, exp.Greatest)):
        for key in ("this", "expression", "low", "high"):
            operand = node.args.get(key)
            if isinstance(operand, exp.Expression):
                node.set(key, guarded(operand))
        listed = node.args.get("expressions")
        if listed:
            node.set("expressions", [guarded(operand) for operand in listed])
    return tree


def _shown(text: str) -> str:
    """The text in one short line that carries no control characters to a terminal."""
    line = one_line(text)
    return f"`{line[:60]}…`" if len(line) > 60 else f"`{line}`"
