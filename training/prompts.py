"""Problem statements in the styles users write them, from a function's documentation."""

import random
import re

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
        first = first[:-3] if first.endswith("shes") else first[:-1]
    return lowered(first + space + rest)


def problem(rng: random.Random, language: str, name: str, doc: str, code: str) -> str:
    """One of several phrasings; the same for every candidate of a group."""
    title, head = TITLES[language], signature(language, code)
    style = rng.random()
    if style < 0.30:
        return doc
    if style < 0.45:
        return f"Write a {rng.choice((title + ' ', 'python ' if language == 'python' else title + ' ', ''))}function to {imperative(doc)}"
    if style < 0.60:
        return f"Write a {title} function `{head.rstrip(':')}` to solve the following problem:\n{doc}"
    if style < 0.80:
        return stub(language, head, doc)
    if style < 0.90:
        return f"{doc}\n\nThe function is called `{name}`."
    return f"Complete the following {title} function.\n\n```{language}\n{stub(language, head, doc)}\n```"


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
