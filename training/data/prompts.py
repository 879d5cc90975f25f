"""Problem statements in the styles users write them, from a function's documentation."""

import random
import re
from collections.abc import Sequence

TITLES = {
    "python": "Python",
    "javascript": "JavaScript",
    "typescript": "TypeScript",
    "java": "Java",
    "go": "Go",
    "rust": "Rust",
    "c": "C",
    "cpp": "C++",
}
MARKS = {"python": "#"}


def signature(language: str, code: str) -> str:
    """The header line of a function, without decorators or the opening brace."""
    if language == "python":
        match = re.search(r"^(?:async )?def .*?:[ \t]*(?:#.*)?$", code, re.S | re.M)
        return match.group().rstrip() if match else ""
    return re.sub(r"\s+", " ", code.split("{")[0]).strip()


def lowered(text: str) -> str:
    return text[:1].lower() + text[1:] if text[1:2].islower() else text


def imperative(doc: str) -> str:
    """'Returns the sum' → 'return the sum': what follows 'Write a function to'."""
    first, space, rest = doc.partition(" ")
    if re.fullmatch(r"[A-Z][a-z]+s", first) and not first.endswith("ss"):
        first = first[:-2] if re.search(r"(?:sh|ss|x|[^a]ch)es$", first) else first[:-1]
    return lowered(first + space + rest)


def problem(rng: random.Random, language: str, name: str, doc: str, code: str, beside: Sequence[str] = ()) -> str:
    """One of several phrasings; the same for every candidate of a group. `beside`: headers of functions that the file may also have."""
    title, head = TITLES[language], signature(language, code)
    style = rng.random()
    if style < 0.22:
        return doc
    if style < 0.34:
        return f"Write a {rng.choice((title + ' ', 'python ' if language == 'python' else title + ' ', ''))}function to {imperative(doc)}"
    if style < 0.46:
        return f"Write a {title} function `{head.rstrip(':')}` to solve the following problem:\n{doc}"
    if style < 0.60:
        return stub(language, head, doc)
    if style < 0.67:
        return f"{doc}\n\nThe function is called `{name}`."
    if style < 0.75:
        return f"Complete the following {title} function.\n\n```{language}\n{stub(language, head, doc)}\n```"
    return at_cursor(rng, language, name, doc, head, beside)


FILES = ("utils", "helpers", "main", "solution", "common", "tools", "index", "app", "test")
SUFFIXES = {
    "python": "py",
    "javascript": "js",
    "typescript": "ts",
    "java": "java",
    "go": "go",
    "rust": "rs",
    "c": "c",
    "cpp": "cpp",
}
OPEN_END = re.compile(r"(?:\s|\{|[=-]>|=|:)+$")


def at_cursor(rng: random.Random, language: str, name: str, doc: str, head: str, beside: Sequence[str] = ()) -> str:
    """What the editor asks about a function that is being written (shared/syntax/units/problem.ts)."""
    file = f" in {rng.choice((*FILES, name))}.{SUFFIXES[language]}" if rng.random() < 0.7 else ""
    parts = [f"Write the {TITLES[language]} function `{name}`{file}.", doc]
    if head:
        parts.append(f"Signature:\n```{language}\n{OPEN_END.sub('', head)}\n```")
    uses = [OPEN_END.sub("", other) for other in beside if other and other != head]
    if uses and rng.random() < 0.6:
        parts.append(f"It may use:\n```{language}\n" + "\n".join(uses) + "\n```")
    return "\n\n".join(parts)


def stub(language: str, head: str, doc: str) -> str:
    """Header and documentation as they stand in a file before the body is written."""
    if language == "python":
        body = doc.replace("\n", "\n    ")
        return f'{head}\n    """{body}\n    """' if "\n" in doc else f'{head}\n    """{body}"""'
    comment = "\n".join(f"// {line}".rstrip() for line in doc.split("\n"))
    return f"{comment}\n{head} {{"


def with_docstring(language: str, code: str, doc: str) -> str:
    """The program with its documentation inside (Python) or above it."""
    if language == "python":
        head = signature(language, code)
        return code.replace(head, stub(language, head, doc), 1) if head else code
    comment = "\n".join(f"// {line}".rstrip() for line in doc.split("\n"))
    return f"{comment}\n{code}"
