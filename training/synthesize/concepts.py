"""What a problem is about: algorithms, data structures and operations, asked from a model or read from the syntax."""

import ast
import re

MOST = 8
"""Concepts of one problem; models that go on and on repeat themselves."""
FEWEST = 3
"""With fewer of the model's, those of the syntax are added."""
PROMPT = """Which programming techniques does this problem need? Name 3 to 6 of them, one a line, at most three words each.

Problem:
{problem}
{solution}
Techniques:"""
METHODS = {
    "sort": "sorting", "append": "list building", "pop": "stack operations", "popleft": "queue operations",
    "split": "string splitting", "join": "string joining", "replace": "string replacement", "strip": "string trimming",
    "lower": "letter case", "upper": "letter case", "isupper": "letter case", "islower": "letter case",
    "isdigit": "character classes", "isalpha": "character classes", "isalnum": "character classes",
    "count": "counting", "find": "substring search", "index": "element search", "get": "dictionary lookup",
    "items": "dictionary traversal", "keys": "dictionary traversal", "values": "dictionary traversal",
    "union": "set operations", "intersection": "set operations", "difference": "set operations",
    "add": "set operations", "bit_length": "bit manipulation", "extend": "list joining", "insert": "list insertion",
    "remove": "list deletion", "reverse": "reversal",
}  # fmt: skip
FUNCTIONS = {
    "sorted": "sorting", "sum": "summation", "min": "minimum and maximum", "max": "minimum and maximum",
    "zip": "parallel traversal", "enumerate": "indexed traversal", "map": "mapping", "filter": "filtering",
    "reversed": "reversal", "set": "set operations", "dict": "dictionary", "Counter": "counting",
    "defaultdict": "dictionary", "deque": "queue operations", "any": "existence check", "all": "universal check",
    "ord": "character codes", "chr": "character codes", "abs": "absolute value", "round": "rounding",
    "tuple": "tuple conversion", "list": "list conversion", "str": "digit strings", "bin": "binary representation",
    "reduce": "reduction", "heappush": "heap", "heappop": "heap", "nlargest": "heap", "nsmallest": "heap",
    "gcd": "greatest common divisor", "sqrt": "square root", "permutations": "permutations",
    "combinations": "combinations", "groupby": "grouping", "isinstance": "type checks", "pow": "powers",
}  # fmt: skip
MODULES = {
    "re": "regular expressions", "math": "mathematical functions", "heapq": "heap", "collections": "collections",
    "itertools": "iteration tools", "bisect": "binary search", "datetime": "dates", "cmath": "complex numbers",
}  # fmt: skip


VAGUE = frozenset(
    "algorithm algorithms data structure structures operation operations programming concept concepts technique "
    "techniques problem problems solution solutions function functions python code input output variable variables "
    "method methods basic general simple".split()
)
"""A concept of nothing but such words joins problems that have nothing in common; small models like to name them."""


def prompt(problem: str, solution: str) -> str:
    """What a model is asked for a problem's concepts."""
    shown = f"\nSolution:\n```python\n{solution.strip()}\n```\n" if solution.strip() else ""
    return PROMPT.format(problem=problem, solution=shown)


def parse(reply: str) -> list[str]:
    """Concepts of a reply: one a line or with commas between, without numbering and explanations; at most MOST."""
    found: dict[str, None] = {}
    for line in reply.replace("`", "").splitlines():
        item = re.sub(r"^\s*(?:[-*•]|\d+[.)])?\s*", "", line).replace("**", "")
        for part in item.split(",") if item.count(",") >= 2 else [item]:
            name = re.split(r"[:(–—]| - ", part)[0].strip(" .;\"'").lower()
            if (
                0 < len(name.split()) <= 4
                and not set(name.split()) <= VAGUE
                and re.fullmatch(r"[a-z][a-z0-9 +/#'-]{2,39}", name)
            ):
                found[name] = None
    return list(found)[:MOST]


def together(asked: list[str], solution: str) -> list[str]:
    """A model's concepts, and where they are few, those of the solution's syntax too."""
    return asked if len(asked) >= FEWEST else list(dict.fromkeys([*asked, *of_syntax(solution)]))[:MOST]


def of_syntax(solution: str) -> list[str]:
    """Concepts that the syntax tree of a Python solution shows; none where it does not parse."""
    try:
        tree = ast.parse(solution)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return []
    found = {name for node in ast.walk(tree) for name in _of_node(node)}
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
    if any(_calls(function, function.name) for function in functions):
        found.add("recursion")
    if any(_nested_loop(node) for node in ast.walk(tree)):
        found.add("nested loops")
    return sorted(found)


def _of_node(node: ast.AST) -> list[str]:
    match node:
        case ast.Call(func=ast.Attribute(attr=name)) if name in METHODS:
            return [METHODS[name]]
        case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name)) if name in FUNCTIONS:
            return [FUNCTIONS[name]]
        case ast.Import(names=names):
            return [MODULES[alias.name] for alias in names if alias.name in MODULES]
        case ast.ImportFrom(module=str(module)) if module in MODULES:
            return [MODULES[module]]
        case ast.While():
            return ["while loop"]
        case ast.ListComp() | ast.SetComp() | ast.DictComp() | ast.GeneratorExp():
            return ["comprehension"]
        case ast.Lambda():
            return ["anonymous functions"]
        case ast.BinOp(op=ast.Mod()):
            return ["remainders"]
        case ast.BinOp(op=ast.FloorDiv()):
            return ["integer division"]
        case ast.BinOp(op=ast.Pow()):
            return ["powers"]
        case ast.BinOp(op=ast.BitAnd() | ast.BitOr() | ast.BitXor() | ast.LShift() | ast.RShift()):
            return ["bit manipulation"]
        case ast.Subscript(slice=ast.Slice()):
            return ["slicing"]
        case ast.Subscript(value=ast.Subscript()):
            return ["two-dimensional arrays"]
        case ast.Dict() | ast.DictComp():
            return ["dictionary"]
        case ast.IfExp() | ast.If():
            return ["branching"]
        case _:
            return []


def _calls(function: ast.FunctionDef, name: str) -> bool:
    return any(
        isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == name
        for node in ast.walk(function)
    )


def _nested_loop(node: ast.AST) -> bool:
    return isinstance(node, ast.For | ast.While) and any(
        isinstance(inner, ast.For | ast.While) for child in ast.iter_child_nodes(node) for inner in ast.walk(child)
    )
