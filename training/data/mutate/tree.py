"""Bugs by editing Python's syntax tree, printed by `ast.unparse`: independent of the token edits.

Its output has the normalised layout, so pairs made with it use the normalised
original on the right side too.
"""

import ast
import copy
import random
import warnings

COMPARE: dict[type[ast.cmpop], tuple[type[ast.cmpop], ...]] = {
    ast.Lt: (ast.LtE, ast.Gt),
    ast.LtE: (ast.Lt, ast.GtE),
    ast.Gt: (ast.GtE, ast.Lt),
    ast.GtE: (ast.Gt, ast.LtE),
    ast.Eq: (ast.NotEq, ast.Gt),
    ast.NotEq: (ast.Eq,),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
}
ARITHMETIC: dict[type[ast.operator], tuple[type[ast.operator], ...]] = {
    ast.Add: (ast.Sub, ast.Mult),
    ast.Sub: (ast.Add,),
    ast.Mult: (ast.Add, ast.Pow, ast.FloorDiv),
    ast.Div: (ast.Mult, ast.FloorDiv),
    ast.FloorDiv: (ast.Div, ast.Mod),
    ast.Mod: (ast.FloorDiv, ast.Mult),
    ast.Pow: (ast.Mult,),
    ast.BitAnd: (ast.BitOr,),
    ast.BitOr: (ast.BitAnd, ast.BitXor),
    ast.BitXor: (ast.BitAnd,),
    ast.LShift: (ast.RShift,),
    ast.RShift: (ast.LShift,),
}


def normalise(code: str) -> str | None:
    """`ast.unparse` of the code, or None where it does not parse."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.unparse(ast.parse(code))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def _edits(tree: ast.AST) -> list[tuple[str, ast.AST]]:
    """All (kind, node) places of the function body."""
    found: list[tuple[str, ast.AST]] = []
    for node in ast.walk(tree):
        match node:
            case ast.Compare(ops=[op]) if type(op) in COMPARE:
                found += [("compare", node), ("flip", node)]
            case ast.BinOp(op=op) if type(op) in ARITHMETIC:
                found += [("arithmetic", node), ("flip", node), ("half", node)]
            case ast.AugAssign(op=op) if type(op) in ARITHMETIC:
                found += [("arithmetic", node), ("plain", node)]
            case ast.BoolOp():
                found += [("logic", node), ("lose", node)]
            case ast.If() | ast.While():
                found += [("negate", node), ("once", node)]
            case ast.IfExp():
                found += [("negate", node), ("flip", node)]
            case ast.For():
                found += [("early", node), ("skip", node)]
            case ast.Constant(value=bool()):
                found.append(("constant", node))
            case ast.Constant(value=int()):
                found += [("constant", node)] * 2
            case ast.Slice() | ast.Subscript(slice=ast.Constant(value=int())):
                found.append(("index", node))
            case ast.Call(args=[_, *_]):
                found += [("argument", node), ("bare", node)]
            case ast.Return(value=ast.expr()):
                found.append(("return", node))
            case ast.comprehension(ifs=[_, *_]):
                found.append(("filter", node))
    return found


def mutate(rng: random.Random, code: str) -> tuple[str, str] | None:
    """(kind, normalised code with one bug), or None."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(code)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    places = _edits(tree)
    if not places:
        return None
    kinds = sorted({kind for kind, _ in places})
    kind = rng.choice(kinds)
    node = rng.choice([n for k, n in places if k == kind])
    names = sorted({n.id for n in ast.walk(tree) if isinstance(n, ast.Name)})
    if not _apply(rng, kind, node, names):
        return None
    try:
        return kind, ast.unparse(ast.fix_missing_locations(tree))
    except (ValueError, RecursionError):
        return None


def _apply(rng: random.Random, kind: str, node: ast.AST, names: list[str]) -> bool:
    """Edits the node in place; False where the edit has no effect."""
    match kind, node:
        case "compare", ast.Compare():
            node.ops = [rng.choice(COMPARE[type(node.ops[0])])()]
        case "arithmetic", ast.BinOp() | ast.AugAssign():
            node.op = rng.choice(ARITHMETIC[type(node.op)])()
        case "flip", ast.Compare():
            node.left, node.comparators = node.comparators[0], [node.left]
            return not isinstance(node.ops[0], ast.Eq | ast.NotEq)
        case "flip", ast.BinOp():
            node.left, node.right = node.right, node.left
            return not isinstance(node.op, ast.Add | ast.Mult | ast.BitAnd | ast.BitOr | ast.BitXor)
        case "flip", ast.IfExp():
            node.body, node.orelse = node.orelse, node.body
        case "half", ast.BinOp():
            kept = rng.choice((node.left, node.right))
            node.op, node.left, node.right = ast.Add(), kept, ast.Constant(0)
            return not isinstance(kept, ast.Constant)
        case "plain", ast.AugAssign():
            node.op = (
                ast.Mod()
                if isinstance(node.op, ast.FloorDiv)
                else ast.Sub()
                if isinstance(node.op, ast.Add)
                else ast.Add()
            )
        case "logic", ast.BoolOp():
            node.op = ast.Or() if isinstance(node.op, ast.And) else ast.And()
        case "lose", ast.BoolOp():
            node.values.pop(rng.randrange(len(node.values)))
            if len(node.values) == 1:
                node.values *= 2
        case "negate", ast.If() | ast.While() | ast.IfExp():
            test = node.test
            node.test = (
                test.operand
                if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not)
                else ast.UnaryOp(ast.Not(), test)
            )
        case "once", ast.While():
            node.body.append(ast.Break())
        case "once", ast.If():
            node.orelse = [] if node.orelse else copy.deepcopy(node.body[-1:])
        case "early", ast.For():
            node.body.append(
                rng.choice((ast.Break(), ast.Return(ast.Name(rng.choice(names))))) if names else ast.Break()
            )
        case "skip", ast.For():
            node.iter = ast.Subscript(
                node.iter, ast.Slice(*rng.choice(((ast.Constant(1), None), (None, ast.Constant(-1)))))
            )
        case "constant", ast.Constant(value=bool()):
            node.value = not node.value
        case "constant", ast.Constant(value=int(number)):
            node.value = max(0, number + rng.choice((-1, 1, 2))) if number else 1
        case "index", ast.Subscript(slice=ast.Constant(value=int(old))):
            node.slice = ast.Constant(old + 1 if old >= 0 else old - 1)
        case "index", ast.Slice():
            bounds = [node.lower, node.upper]
            side = rng.randrange(2)
            bound = bounds[side]
            new: ast.expr | None = None
            if bound is None:
                new = ast.Constant(1 + side)
            elif rng.random() >= 0.5:
                new = ast.BinOp(bound, ast.Add(), ast.Constant(1))
            node.lower, node.upper = (new, node.upper) if side == 0 else (node.lower, new)
        case "argument", ast.Call():
            if len(node.args) > 1 and rng.random() < 0.6:
                rng.shuffle(node.args)
                return True
            if not names:
                return False
            node.args[rng.randrange(len(node.args))] = ast.Name(rng.choice(names))
        case "bare", ast.Call():
            node.func, node.args, node.keywords = (
                ast.Name("list" if rng.random() < 0.3 else "str" if rng.random() < 0.4 else "len"),
                node.args[:1],
                [],
            )
        case "return", ast.Return(value=ast.expr() as returned) if names:
            node.value = rng.choice(
                (
                    ast.Constant(None),
                    ast.Constant(True),
                    ast.Name(rng.choice(names)),
                    ast.UnaryOp(ast.Not(), returned),
                )
            )
        case "filter", ast.comprehension():
            node.ifs = [] if rng.random() < 0.5 else [ast.UnaryOp(ast.Not(), node.ifs[0]), *node.ifs[1:]]
        case _:
            return False
    return True
