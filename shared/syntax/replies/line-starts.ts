// How lines of code start that no prose starts with, in all languages or in some.
import type { Language } from "../languages/languages.ts";

/** A pattern for the start of a trimmed line, and the languages it is for when that matters. */
export interface Start {
  readonly pattern: RegExp;
  readonly only: ReadonlySet<Language> | undefined;
}

const BRACES: readonly Language[] = [
  "javascript",
  "typescript",
  "tsx",
  "java",
  "c",
  "cpp",
  "csharp",
  "go",
  "rust",
  "php",
  "kotlin",
];
const SCRIPT: readonly Language[] = ["javascript", "typescript", "tsx"];

function any(...patterns: readonly RegExp[]): Start[] {
  return patterns.map((pattern) => ({ pattern, only: undefined }));
}

function only(languages: readonly Language[], ...patterns: readonly RegExp[]): Start[] {
  const set = new Set(languages);
  return patterns.map((pattern) => ({ pattern, only: set }));
}

/** Programs that shell scripts call at the start of a line. */
const COMMANDS =
  "apt|apt-get|awk|base64|basename|brew|cat|cd|chmod|chown|cp|curl|cut|date|declare|df|diff|dirname|docker|du|echo|env|eval|exec|exit|export|" +
  "expr|find|getopts|git|grep|egrep|gunzip|gzip|head|hostname|jq|kill|kubectl|ln|local|ls|make|mapfile|mkdir|mktemp|mv|node|npm|paste|" +
  "pip|pip3|printf|ps|pushd|popd|python|python3|pwd|read|readarray|readonly|realpath|rm|rmdir|rsync|scp|sed|seq|set|shift|shopt|sleep|" +
  "sort|source|ssh|stat|sudo|systemctl|tail|tar|tee|test|touch|tr|trap|tree|true|uname|uniq|unset|unzip|wait|wc|wget|which|xargs|zip";

export const CODE_STARTS: readonly Start[] = [
  ...any(
    /^(?:from\s+[\w.]+\s+import\s+[\w*(]|import\s+[\w.]+(?:\s+as\s+\w+)?(?:\s*,\s*[\w.]+(?:\s+as\s+\w+)?)*\s*;?\s*(?:[#/].*)?$)/,
    /^import\s+(?:static\s+[\w.*]+;|[\w.]+\.\*|type\s+\{|[\w*{][^.?!]*\bfrom\s+["']|["']|\()/,
    /^(?:async\s+)?def\s+(?:self\.)?\w+[?!=]?\s*(?:\(|$|;)/,
    /^class\s+\w+(?:\[.*\])?\s*(?:\(.*\))?\s*:/,
    /^(?:(?:export|default|public|private|protected|internal|abstract|final|sealed|static|partial|data|open|inner|enum|record|annotation|inline|value|readonly|ref|unsafe)\s+)*(?:class|interface|struct|enum|record|object|trait|union)\s+\w+[^.?!]*(?:\{.*|\{\s*\})$/,
    /^(?:(?:export|default|public|private|protected|internal|abstract|final|sealed|static|partial|data|open)\s+)*class\s+[A-Z]\w*(?:\s*<\s*[A-Z][\w:.]*)?\s*(?:[{;(].*|:\s*[\w(][^.?!]*)?$/,
    /^(?:export\s+)?(?:default\s+)?(?:async\s+)?function\b\s*\*?\s*\w*\s*(?:<.*>)?\s*\(/,
    /^(?:(?:export|private|public|protected|override|internal|const|static)\s+)*(?:const|let|var|val)\s+(?:mut\s+)?[\w{[($].*=/,
    /^(?:(?:private|public|protected|override|internal|lateinit|open|abstract)\s+)*(?:val|var)\s+[\w.<>?]+\s*:\s*\w/,
    /^(?:package|module)\s+[\w.]+\s*;?$/,
    /^using\s+(?:namespace\s+[\w:]+|static\s+[\w.]+|[\w.]+(?:\s*=\s*.+)?)\s*;/,
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
  ),
  ...only(
    ["c", "cpp", "csharp"],
    /^#\s*(?:include\s*[<"]|define\s+\w|ifn?def\s|endif\b|pragma\s|undef\s|if\s|elif\s|else\s*$|region\b|endregion\b|nullable\s)/,
  ),
  ...only(
    ["c", "cpp"],
    /^(?:typedef|template\s*<|extern\s+"C")/,
    /^(?:std::)?c(?:out|err|in)\s*(?:<<|>>)/,
    /^(?:struct|union|enum|class)\s+\w+\s*(?:;|:)/,
  ),
  ...only(
    ["rust"],
    /^(?:pub(?:\([\w:]+\))?\s+)?(?:(?:async|const|unsafe|extern(?:\s+"C")?)\s+)*(?:fn\s+\w+\s*[<(]|mod\s+\w+\s*[;{]|use\s+[\w:{]+.*;|impl\b.*|type\s+\w+.*=|const\s+\w+\s*:|static\s+\w+\s*:)/,
  ),
  ...only(
    ["go"],
    /^func\s+(?:\([^)]*\)\s*)?\w+\s*(?:\[.*\])?\(/,
    /^type\s+\w+(?:\[.*\])?\s+(?:struct|interface|func|map|\[\]|[a-z]+\d*$)/,
    /^(?:var|const|type|import)\s+\($/,
    /^(?:var|const)\s+\w+/,
    /^(?:go|defer)\s+\w.*\)$/,
  ),
  ...only(
    ["kotlin"],
    /^(?:@\w+\s+)*(?:(?:public|private|protected|internal|override|suspend|inline|operator|tailrec|infix|open|abstract|external)\s+)*fun\s+(?:<.*>\s*)?(?:[\w.<>?, ]+\.)?[\w`]+\s*\(/,
    /^(?:get|set)\(\w*\)\s*(?:=|\{)/,
  ),
  ...only(
    SCRIPT,
    /^(?:export\s+)?type\s+\w+(?:<.*>)?\s*=/,
    /^export\s+(?:\{|\*|default\b)/,
    /^(?:export\s+)?declare\s+(?:const|let|var|function|class|module|namespace|global|type|interface|enum)\b/,
    /^<\/?[A-Za-z][\w.]*(?:\s[^.]*)?\/?>/,
  ),
  ...only(["python", "ruby", "bash", "php", "kotlin"], /^(?:pass|break|continue|return|raise|next)$/),
  ...only(
    ["ruby"],
    /^(?:attr_(?:reader|writer|accessor)\s+:|require(?:_relative)?\s+["']|module\s+[A-Z]\w*$|puts\s+\S|p\s+\S+$|include\s+[A-Z]\w*$|extend\s+[A-Z])/,
    /^(?:end|begin|ensure|else|rescue\b.*)$|^end(?:\.\w+.*|\)|,|;|\s(?:if|unless)\s.*)$/,
    /\bdo(?:\s*\|[^|]*\|)?$/,
    /^(?:if|unless|while|until|elsif|case|when)\s+\S/,
    /^(?:return|raise|next|break|puts|yield)\b.*\b(?:if|unless)\s/,
  ),
  ...only(
    ["bash"],
    /^(?:if|while|until|elif)\s+(?:\[\[?|!|\(\()\s*.*(?:;\s*(?:then|do))?$/,
    /^(?:if|elif|while|for|until|select)\b.*(?:;\s*(?:then|do)|\bin\b.*)$/,
    /^(?:fi|done|esac|then|do|else|;;)(?:\s*[;|&<>].*)?$/,
    /^[A-Za-z_][\w-]*\s*\(\)\s*\{/,
    /^[A-Z_a-z]\w*\+?=(?:["'$(\d]|\w*$)/,
    /^(?:\[\[?|\(\()\s.*(?:\]\]?|\)\))/,
    new RegExp(`^(?:${COMMANDS})(?:$|\\s+(?:[-+]|["'$./~\\d<>|*]|\\S*[/.=|>$-]|\\S+$|\\S+\\s+[-|>&"'$./]))`),
    /^[\w./-]+(?:\s+[^\s|]+)*\s+\|\s+[a-z]\w*/,
    /^case\s+.*\bin$|^for\s+\w+$/,
    /^[^\s()]+\)(?:\s+\S.*|\s*)(?:;;)?$/,
    /^\.{0,2}\/[\w.][\w./-]*(?:\s|$)/,
    /^[\w"*.?|[\]-]+\)\s*(?:\S.*)?$/,
  ),
  ...only(
    ["php"],
    /^(?:endif|endforeach|endwhile|endfor);$/,
    /^(?:abstract|final)?\s*(?:class|trait|interface|enum)\s+\w+/,
    /^(?:echo|print|return)\s+\S.*;$/,
  ),
  ...only(["php", "ruby", "javascript", "typescript"], /^\$\w+/),
  ...only(BRACES, /^(?:else|do|try|finally)$/),
];
