/** How lines of code start that no prose starts with. */
import { LANGUAGES, type Language, SYNTAX } from "../languages/languages.ts";

/** Starts of trimmed lines in whichever language. */
const STARTS: readonly RegExp[] = [
  /^(?:from\s+[\w.]+\s+import\s+[\w*(]|import\s+[\w.]+(?:\s+as\s+\w+)?(?:\s*,\s*[\w.]+(?:\s+as\s+\w+)?)*\s*;?\s*(?:[#/].*)?$)/,
  /^import\s+(?:static\s+[\w.*]+;|[\w.]+\.\*|type\s+\{|[\w*{][^.?!]*\bfrom\s+["']|["']|\()/,
  /^(?:async\s+)?def\s+(?:self\.)?\w+[?!=]?\s*(?:\(|$|;)/,
  /^class\s+\w+(?:\[.*\])?\s*(?:\(.*\))?\s*:/,
  /^(?:(?:export|default|public|private|protected|internal|abstract|final|sealed|static|partial|data|open|inner|enum|record|annotation|inline|value|readonly|ref|unsafe)\s+)*(?:class|interface|struct|enum|record|object|trait|union)\s+\w+[^.?!]*(?:\{.*|\{\s*\})$/,
  /^(?:(?:export|default|public|private|protected|internal|abstract|final|sealed|static|partial|data|open)\s+)*class\s+[A-Z]\w*(?:\s*<\s*[A-Z][\w:.]*)?\s*(?:[{;(].*|:\s*[\w(][^.?!]*)?$/,
  /^(?:export\s+)?(?:default\s+)?(?:async\s+)?function\b\s*(?:\*\s*)?(?:\w+\s*)?(?:<.*>\s*)?\(/,
  /^(?:(?:export|private|public|protected|override|internal|const|static)\s+)*(?:const|let|var|val)\s+(?:mut\s+)?[\w{[($].*=/,
  /^(?:(?:private|public|protected|override|internal|lateinit|open|abstract)\s+)*(?:val|var)\s+[\w.<>?]+\s*:\s*\w/,
  /^(?:package|module)\s+[\w.]+\s*;?$/,
  /^using\s+(?:namespace\s+[\w:]+|static\s+[\w.]+|[\w.]+(?:\s*=.+)?)\s*;/,
  /^namespace\s+[\w:.\\]+\s*[;{]?$/,
  /^(?:public|private|protected|internal|static|final|virtual|override|readonly|sealed|abstract|suspend|inline|extern|unsafe|constexpr|operator|open|lateinit|tailrec|infix)\s+[\w<>[\],?.:&*\s]+(?:[({=;:]|$)/,
  /^@[A-Za-z_][\w.:]*(?:\(.*\)?)?$/,
  /^#!\s*\/|^#!?\[|^<\?(?:php|=)|^\?>$/,
  /^(?:if|elif|for|while|with|try|match|case|async for|async with|except)\b.*:\s*(?:#.*)?$/,
  /^(?:else|try|finally|except)\s*:\s*(?:#.*)?$/,
  /^(?:\}\s*)?(?:if|else if|for|foreach|while|switch|catch|using|lock|unless|until|when)\s*\(.*\)\s*\{?$/,
  /^(?:\}\s*)?(?:if|for|while|switch|match|select|loop|unsafe|else|do|try|finally|else if)\b[^.?!]*\{$/,
  /^(?:return|throw|raise|yield|await|goto|delete|assert|del|break|continue)\b[^.?!]*;$/,
  /^(?:return|yield|raise|throw|await)\s+(?:[\w.]+[([{+\-*/%<>=!&|.]|["'[({\d-]|not\s|new\s|None|True|False|null|nil|true|false|self)/,
  /^(?:assert|del|global|nonlocal|yield|raise)\s+[\w"'([].*[\w)\]"']$/,
  /^(?:console\.\w+|System\.(?:out|err)\.\w+|Console\.\w+|std::\w+|fmt\.\w+|print(?:ln|f)?!?|panic!?|assert(?:_eq|_ne)?!?)\s*(?:\(|<<)/,
];

/** The same with those of all languages, each once. */
const ALL_STARTS: readonly RegExp[] = [
  ...new Set([...STARTS, ...LANGUAGES.flatMap((language) => SYNTAX[language].lines.starts)]),
];

/** Longest start of a line that is looked at, in UTF-16 units: what a line is shows before that. */
export const LINE_LOOK = 240;

/** Whether a trimmed line starts as only code does: in the language, or in any where it is not known. */
export function startsCode(text: string, language: Language | undefined): boolean {
  const start = text.slice(0, LINE_LOOK);
  const matches = (pattern: RegExp) => pattern.test(start);
  if (language === undefined) return ALL_STARTS.some(matches);
  return STARTS.some(matches) || SYNTAX[language].lines.starts.some(matches);
}
