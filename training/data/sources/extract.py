"""Documented functions out of source text: Python by its syntax tree, brace languages by matching."""

import ast
import re
import textwrap
import warnings
from collections.abc import Iterator
from dataclasses import dataclass

MAX_CODE = 1800
"""Characters; about 500 tokens, so that a pair fits one training row."""
MIN_CODE = 40
MAX_DOC = 500
MIN_DOC = 12

LANGUAGE_OF_SUFFIX = {
    ".py": "python",
    ".js": "javascript",
    ".mjs": "javascript",
    ".jsx": "javascript",
    ".ts": "typescript",
    ".java": "java",
    ".go": "go",
    ".rs": "rust",
    ".c": "c",
    ".cc": "cpp",
    ".cpp": "cpp",
    ".hpp": "cpp",
}


@dataclass(frozen=True)
class Function:
    """A function with its documentation; `code` is without its own docstring."""

    language: str
    name: str
    doc: str
    code: str
    method: bool


def functions(language: str, text: str) -> Iterator[Function]:
    """All documented functions of a file that are of a usable size."""
    found = _python(text) if language == "python" else _braces(language, text)
    for function in found:
        usable = len(function.doc) >= MIN_DOC and MIN_CODE <= len(function.code) <= MAX_CODE
        if usable and function.code.count("\n") >= 1 and function.doc.isascii():
            yield function


def shorten_doc(doc: str) -> str:
    """The description before parameter lists and sections, at most MAX_DOC characters."""
    doc = re.split(r"\n\s*(?:Parameters?|Args|Arguments|Returns?|Raises|Notes?|References|Examples?)\s*:?\s*\n", doc)[0]
    doc = re.split(r"\n\s*(?:@\w+|:param|:return|:type|:raises|>>>|\.\. )", "\n" + doc)[0].strip()
    if len(doc) > MAX_DOC:
        cut = doc.rfind("\n\n", 0, MAX_DOC)
        cut = cut if cut > MIN_DOC else doc.rfind(". ", 0, MAX_DOC) + 1
        doc = doc[:cut] if cut > MIN_DOC else ""
    return doc.strip()


def _python(text: str) -> Iterator[Function]:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return
    lines = text.split("\n")
    for owner in ast.walk(tree):
        for node in getattr(owner, "body", ()) if isinstance(owner, ast.Module | ast.ClassDef) else ():
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                function = _python_function(node, lines, isinstance(owner, ast.ClassDef))
                if function is not None:
                    yield function


def _python_function(node: ast.FunctionDef | ast.AsyncFunctionDef, lines: list[str], method: bool) -> Function | None:
    doc = ast.get_docstring(node)
    if doc is None or len(node.body) < 2 or node.end_lineno is None:
        return None
    string = node.body[0]
    if string.lineno == node.lineno or string.end_lineno is None:
        return None
    kept = lines[node.lineno - 1 : string.lineno - 1] + lines[string.end_lineno : node.end_lineno]
    code = textwrap.dedent("\n".join(line.rstrip() for line in kept)).strip("\n")
    return Function("python", node.name, shorten_doc(doc), code.expandtabs(4), method)


COMMENT = re.compile(r"/\*\*(?!/)(?P<block>.*?)\*/[ \t]*\n|(?P<lines>(?:^[ \t]*//[^\n]*\n)+)", re.S | re.M)
HEADER = {
    "go": re.compile(r"func\s+(?:\([^)]*\)\s*)?(?P<name>\w+)"),
    "rust": re.compile(r"(?:#\[[^\]]*\]\s*)*(?:pub(?:\([^)]*\))?\s+)?(?:const |unsafe |async )*fn\s+(?P<name>\w+)"),
    "javascript": re.compile(
        r"(?:export\s+)?(?:default\s+)?(?:async\s+)?(?:function\*?\s+(?P<name>\w+)|(?:const|var|let)\s+(?P<n2>\w+)\s*=|"
        r"(?:static\s+)?(?P<n3>\w+)\s*\(|(?P<n4>\w+)\s*:\s*function|[\w.]+\.(?P<n5>\w+)\s*=\s*(?:async\s*)?(?:function|\())"
    ),
    "c": re.compile(
        r"(?!class|struct|enum|namespace|if|for|while|switch|return|else|interface)[\w\s<>\[\],.*&:?@~]*?[\s*&](?P<name>\w+)\s*\("
    ),
}
HEADER["typescript"] = HEADER["javascript"]
HEADER["java"] = HEADER["cpp"] = HEADER["c"]
MAX_HEADER = 300


def _braces(language: str, text: str) -> Iterator[Function]:
    text = text.replace("\r\n", "\n").expandtabs(4)
    for comment in COMMENT.finditer(text):
        start = comment.end()
        opening = text.find("{", start, start + MAX_HEADER)
        if opening < 0 or opening == start:
            continue
        header = text[start:opening]
        match = HEADER[language].match(header.lstrip(" "))
        if match is None or "(" not in header or ";" in header or "}" in header or "/*" in header:
            continue
        end = _closing(text, opening)
        if end is None:
            continue
        name = next((value for value in match.groupdict().values() if value), "")
        code = textwrap.dedent("\n".join(line.rstrip() for line in text[start:end].split("\n"))).strip("\n")
        yield Function(language, name, shorten_doc(_comment_text(comment)), code, False)


def _comment_text(comment: re.Match[str]) -> str:
    block, lines = comment.group("block"), comment.group("lines")
    rows = (block if block is not None else lines).split("\n")
    cleaned = [re.sub(r"^\s*(?:\*|///?!?)\s?", "", row).rstrip() for row in rows]
    return re.sub(r"<[^>]{1,20}>|\{@\w+ ([^}]*)\}", r"\1", "\n".join(cleaned)).strip()


SKIP = re.compile(r"[{}]|//[^\n]*|/\*.*?\*/|\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])*'|`(?:\\.|[^`\\])*`", re.S)


def _closing(text: str, opening: int) -> int | None:
    """Index after the brace that closes the one at `opening`; strings and comments are skipped."""
    depth = 0
    for token in SKIP.finditer(text, opening, opening + MAX_CODE):
        if token.group() == "{":
            depth += 1
        elif token.group() == "}":
            depth -= 1
            if depth == 0:
                return token.end()
    return None
