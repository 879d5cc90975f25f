/** What several languages have in common, by name. */
import type { Lexis } from "../language.ts";

type StringSyntax = Lexis["strings"][number];

export const DOUBLE_QUOTED: StringSyntax = ['"', '"', false];
export const SINGLE_QUOTED: StringSyntax = ["'", "'", false];
export const LONG_DOUBLE_QUOTED: StringSyntax = ['"', '"', true];
export const LONG_SINGLE_QUOTED: StringSyntax = ["'", "'", true];
export const TRIPLE_QUOTED: StringSyntax = ['"""', '"""', true];
export const BACKTICKED: StringSyntax = ["`", "`", true];

/** Ends of lines that open a block in languages with braces. */
export const BRACES_OPEN = /(?:[([{]|=>|->)$|^\s*(?:case\b.*|default|public|private|protected):$/;

/** A lone word in a language with braces. */
export const BRACE_WORD = /^(?:else|do|try|finally)$/;

/** A lone word that leaves a block, where no semicolon has to follow. */
export const LONE_JUMP = /^(?:pass|break|continue|return|raise|next)$/;

/** A variable at the start of a line. */
export const DOLLAR_NAME = /^\$\w+/;

/** A line of the preprocessor. */
export const DIRECTIVE =
  /^#\s*(?:include\s*[<"]|define\s+\w|ifn?def\s|endif\b|pragma\s|undef\s|if\s|elif\s|else\s*$|region\b|endregion\b|nullable\s)/;

/** Starts of lines in C and C++. */
export const C_STARTS: readonly RegExp[] = [
  /^(?:typedef|template\s*<|extern\s+"C")/,
  /^(?:std::)?c(?:out|err|in)\s*(?:<<|>>)/,
  /^(?:struct|union|enum|class)\s+\w+\s*(?:;|:)/,
];
