"""A small lexer that is good enough to mutate every language of the corpus without reparsing."""

import re
from dataclasses import dataclass

PYTHON = re.compile(
    r"(?P<comment>#[^\n]*)|(?P<string>[rRbBuUfF]{0,2}(?:'''.*?'''|\"\"\".*?\"\"\"|'(?:\\.|[^'\\\n])*'|\"(?:\\.|[^\"\\\n])*\"))"
    r"|(?P<number>\d[\w.]*)|(?P<name>[A-Za-z_]\w*)|(?P<newline>\n)|(?P<space>[ \t\r]+)"
    r"|(?P<op>\*\*=|//=|<<=|>>=|\.\.\.|->|:=|\*\*|//|<<|>>|[<>=!+\-*/%&|^@]=|.)",
    re.S,
)
BRACES = re.compile(
    r"(?P<comment>//[^\n]*|/\*.*?\*/)|(?P<string>'(?:\\.|[^'\\\n])*'|\"(?:\\.|[^\"\\\n])*\"|`(?:\\.|[^`\\])*`)"
    r"|(?P<number>\d[\w.]*)|(?P<name>[A-Za-z_$]\w*)|(?P<newline>\n)|(?P<space>[ \t\r]+)"
    r"|(?P<op>>>>=|===|!==|<<=|>>=|>>>|\.\.\.|&&=|=>|->|::|:=|&&|\|\||\+\+|--|<<|>>|<-|[<>=!+\-*/%&|^]=|.)",
    re.S,
)
# Rust's lifetimes ('a) look like unclosed strings.
RUST = re.compile(BRACES.pattern.replace(r"'(?:\\.|[^'\\\n])*'|", r"'(?:\\.|[^'\\\n])'|'\w+|", 1), re.S)

KEYWORDS = frozenset(
    "False None True and as assert async await break class continue def del elif else except finally for from global if "
    "import in is lambda nonlocal not or pass raise return try while with yield self cls super this new delete typeof "
    "instanceof var let const function void null undefined true false nil switch case default do throw catch public private "
    "protected static final int long float double char bool boolean byte short string String str list dict set tuple "
    "interface struct enum impl fn mut pub use mod match where type func package range go defer chan map extends "
    "implements throws usize u8 u16 u32 u64 i8 i16 i32 i64 f32 f64 Self Some Ok Err Option Result Vec Box error "
    "unsigned signed sizeof typedef const_cast auto template typename namespace using object Object".split()
)


@dataclass(frozen=True, slots=True)
class Token:
    kind: str
    text: str


def lex(code: str, language: str) -> list[Token]:
    """All tokens including white space: joining their texts gives the code again."""
    pattern = PYTHON if language == "python" else RUST if language == "rust" else BRACES
    return [Token(str(match.lastgroup), match.group()) for match in pattern.finditer(code)]


def significant(tokens: list[Token]) -> list[int]:
    """Indices of the tokens that are neither white space nor comments."""
    return [i for i, token in enumerate(tokens) if token.kind not in ("space", "newline", "comment")]
