"""Which Python functions need nothing but the language: they resemble the questions people ask.

Most functions of packages lean on their own module's helpers, so whether they are right cannot be
seen in their text; those that do not are kept more often by the later steps.
"""

import ast
import builtins
import warnings

BUILTIN = frozenset(dir(builtins))
KNOWN_MODULES = frozenset(
    "math re itertools functools collections operator random string heapq bisect copy sys os time datetime json cmath statistics "
    "np numpy fractions decimal textwrap hashlib defaultdict Counter deque OrderedDict namedtuple chain combinations permutations "
    "product groupby reduce partial wraps heappush heappop sqrt ceil floor gcd log exp pi sin cos Fraction Decimal Path "
    "Any Optional Union List Dict Tuple Set Callable Iterable Iterator Sequence Mapping TypeVar T".split()
)


def is_standalone(code: str) -> bool:
    """Whether every name the function reads is bound in it, built in, or of a common standard module."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(code)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    bound, read = set(), set()
    for node in ast.walk(tree):
        match node:
            case ast.Name(id=name, ctx=ast.Load()):
                read.add(name)
            case ast.Name(id=name):
                bound.add(name)
            case (
                ast.arg(arg=name)
                | ast.FunctionDef(name=name)
                | ast.AsyncFunctionDef(name=name)
                | ast.ClassDef(name=name)
            ):
                bound.add(name)
            case ast.alias(name=name, asname=other):
                bound.add(other or name.split(".")[0])
            case ast.ExceptHandler(name=str(name)):
                bound.add(name)
            case _:
                pass
    return not {"self", "cls"} & (bound | read) and read <= bound | BUILTIN | KNOWN_MODULES
