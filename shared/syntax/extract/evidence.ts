// What speaks for a language in a piece of code, before any parser has seen it.
import { LANGUAGES, type Language } from "../languages/languages.ts";

/** A pattern and how much one piece of code that has it says: 1 is a hint, 3 is nearly proof. */
type Sign = readonly [pattern: RegExp, weight: number];

const SIGNS: Record<Language, readonly Sign[]> = {
  python: [
    [/^[ \t]*(?:async\s+)?def\s+\w+\s*\(.*\)?\s*(?:->.*)?:\s*(?:#.*)?$/m, 4],
    [/^[ \t]*class\s+\w+\s*(?:\(.*\))?:/m, 3],
    [/^[ \t]*from\s+[\w.]+\s+import\s/m, 4],
    [/^[ \t]*import\s+\w+(?:\.\w+)*(?:\s+as\s+\w+)?\s*$/m, 2],
    [/^[ \t]*(?:if|elif|for|while|with|try|except|else)\b[^{;]*:\s*(?:#.*)?$/m, 2],
    [/\bself\.|\b__\w+__\b|\bNone\b|\bnot in\b|\bis not\b/, 2],
    [/\bprint\(|\blen\(|\brange\(|\bTrue\b|\bFalse\b|\blambda\s*\w*:/, 1],
    [/^[ \t]*(?:"""|''')/m, 2],
  ],
  javascript: [
    [/^[ \t]*(?:export\s+)?(?:default\s+)?(?:async\s+)?function\b\s*\*?\s*\w*\s*\([^:)]*\)\s*\{/m, 3],
    [/\b(?:const|let)\s+[\w{[].*=/, 2],
    [/=>/, 1],
    [/\bconsole\.\w+\(|\brequire\(["']|\bmodule\.exports\b|\bdocument\.|\bwindow\./, 3],
    [/===|!==/, 2],
    [/^[ \t]*(?:import|export)\b.*\bfrom\s+["']|^[ \t]*export\s+(?:default|const|function|class)\b/m, 2],
    [/\bfunction\s*\(|\bundefined\b|\bMath\.\w+\(|\bnew (?:Map|Set|Array|Promise)\b|\bprototype\b/, 1],
    [/^[ \t]*(?:var\s+\w+\s*=|(?:static\s+)?(?:async\s+)?constructor\s*\()/m, 1],
  ],
  typescript: [
    [
      /[)\w]\??\s*:\s*(?:string|number|boolean|void|any|unknown|never|bigint|Promise<|Array<|Record<|Map<)/,
      4,
    ],
    [/^[ \t]*(?:export\s+)?interface\s+\w+(?:<.*>)?\s*(?:extends\s.*)?\{/m, 2],
    [/^[ \t]*(?:export\s+)?type\s+\w+(?:<.*>)?\s*=/m, 3],
    [
      /\bas\s+(?:const|string|number|any|unknown)\b|\bimport\s+type\b|\breadonly\s+\w+|\bkeyof\b|\bdeclare\s/,
      2,
    ],
    [/\bfunction\s+\w+\s*<\w+|\b(?:new\s+)?(?:Map|Set|Array|Promise)<\w/, 2],
    [/\b(?:const|let)\s+\w+\s*:\s*\w/, 2],
    [/^[ \t]*(?:export\s+)?(?:default\s+)?(?:async\s+)?function\b/m, 1],
    [/===|!==|=>|\bconsole\.\w+\(/, 1],
  ],
  tsx: [],
  java: [
    [/\bpublic\s+static\s+void\s+main\s*\(\s*(?:final\s+)?String/, 5],
    [/^[ \t]*import\s+(?:static\s+)?(?:java|javax|org|com)\.[\w.*]+;/m, 5],
    [/\bSystem\.(?:out|err|in)\b/, 4],
    [
      /^[ \t]*(?:public|private|protected)\s+(?:static\s+)?(?:final\s+)?(?:class|interface|enum|int|void|boolean|String|long|double|List<|Map<)/m,
      2,
    ],
    [
      /\b(?:ArrayList|HashMap|HashSet|LinkedList|ArrayDeque|Scanner|StringBuilder|Integer|Optional|Collectors)\b/,
      2,
    ],
    [/\b(?:int|long|void|double|char)\s+[a-z]+[A-Z]\w*\s*\(/, 1],
    [/^[ \t]*(?:abstract\s+|final\s+)*class\s+\w+(?:<.*>)?[^:;]*\{\s*$/m, 1],
    [/\bMath\.\w+\(|\bnull\b|\bString\b|\.length\(\)|\.equals\(/, 1],
    [/@Override\b|\bthrows\s+\w+|\bextends\s+\w+|\bimplements\s+\w+|\bfinal\s+\w+|\binstanceof\b/, 1],
    [/\b(?:boolean|String)\s*(?:\[\])*\s+\w+\s*[=;(]|\b(?:int|long|char|double)\s*(?:\[\s*\])+\s*\w+/, 1],
  ],
  c: [
    [/^[ \t]*#\s*include\s*<(?:stdio|stdlib|string|math|stdbool|stdint|ctype|limits|assert|unistd)\.h>/m, 4],
    [/\b(?:printf|scanf|malloc|calloc|free|realloc|strlen|memcpy|memset|sizeof|fgets)\s*\(/, 2],
    [/\bstruct\s+\w+\s*\*|\btypedef\s+struct\b|\bint\s+main\s*\(\s*(?:void|int)?/, 2],
    [/\b(?:int|char|void|double|float|size_t|uint\d+_t|struct\s+\w+)\s*\*+\s*\w+/, 2],
    [/\bNULL\b|->/, 1],
    [
      /^[ \t]*(?:static\s+)?(?:unsigned\s+|const\s+)?(?:int|void|char|double|float|long|bool|size_t)\s+\**\w+\s*\([^)]*\)\s*\{?/m,
      1,
    ],
  ],
  cpp: [
    [
      /^[ \t]*#\s*include\s*<(?:iostream|vector|string|algorithm|map|set|unordered_map|unordered_set|queue|stack|memory|bits\/stdc\+\+\.h|\w+)>/m,
      4,
    ],
    [/\bstd::\w+/, 4],
    [/\busing\s+namespace\s+\w+\s*;/, 4],
    [/\bc(?:out|err|in)\s*(?:<<|>>)/, 4],
    [/\b(?:vector|unordered_map|unordered_set|pair|priority_queue|unique_ptr|shared_ptr)\s*</, 3],
    [/^[ \t]*template\s*</m, 3],
    [
      /\b(?:int|char|bool|long|double|float|string|size_t|auto|T)\s*&\s*\w+\s*[,):=;]|\bstring\s+&?\w+\s*[,)]/,
      3,
    ],
    [/\bfor\s*\(\s*(?:const\s+)?(?:auto|string)\s*&?\s*(?:\w+|\[[\w, ]+\])\s*:/, 3],
    [
      /\bthis->|\boperator\s*(?:[-+*/<>=!]=?|\[\]|\(\))\s*\(|\b(?:static|dynamic|const|reinterpret)_cast\s*</,
      3,
    ],
    [/\.(?:push_back|emplace_back|pop_back|c_str|substr)\(|\bdelete(?:\s*\[\s*\])?\s+\w+\s*;/, 2],
    [
      /\bnullptr\b|\bconst\s+\w+(?:<.*>)?\s*&|\bauto\s*[&*]?\s*\w+|\w::\w|\bconstexpr\b|\bclass\s+\w+\s*(?::\s*public\s+\w+\s*)?\{/,
      2,
    ],
    [/^[ \t]*(?:public|private|protected)\s*:\s*$/m, 3],
    [
      /^[ \t]*(?:static\s+)?(?:unsigned\s+|const\s+)?(?:int|void|char|double|float|long|bool|size_t)\s+\**\w+\s*\([^)]*\)\s*\{?/m,
      1,
    ],
  ],
  csharp: [
    [/^[ \t]*using\s+(?:static\s+)?[A-Z][\w.]*\s*;/m, 4],
    [/\bConsole\.\w+\(/, 4],
    [/^[ \t]*namespace\s+[A-Z][\w.]*\s*[;{]?\s*$/m, 2],
    [/\bstatic\s+(?:async\s+)?(?:void|int|Task)\s+Main\s*\(/, 4],
    [
      /\{\s*get;|\bforeach\s*\(\s*(?:var|\w+)\s+\w+\s+in\b|\b(?:IEnumerable|IList|IDictionary|Dictionary|List)<\w+|\bstring\.\w+|\.(?:Length|Count|Add|ToList|Select|Where)\b/,
      2,
    ],
    [
      /^[ \t]*(?:public|private|protected|internal)\s+(?:static\s+|override\s+|async\s+|virtual\s+)*(?:[\w<>[\],?]+)\s+[A-Z]\w*\s*\(/m,
      2,
    ],
    [/\bstring\b|\bvar\s+\w+\s*=\s*new\b|\bnew\s*\(\)/, 1],
  ],
  go: [
    [/^[ \t]*package\s+\w+\s*$/m, 4],
    [/^[ \t]*func\s+(?:\(\s*\w+\s+\*?\w+(?:\[.*\])?\s*\)\s*)?\w+(?:\[.*\])?\s*\(/m, 4],
    [/:=/, 2],
    [
      /\bfmt\.\w+\(|\berr\s*!=\s*nil\b|\bmake\(\s*(?:\[\]|map|chan)|\[\](?:int|string|byte|rune|float64)\b|\bmap\[\w+\]/,
      3,
    ],
    [/^[ \t]*import\s+(?:\(|"[\w/.]+")\s*$/m, 3],
    [/^[ \t]*type\s+\w+(?:\[.*\])?\s+(?:struct|interface)\s*\{/m, 4],
    [/\brange\s|\bnil\b|\bdefer\s|\bgo\s+func\b|<-/, 1],
  ],
  rust: [
    [/^[ \t]*macro_rules!|^[ \t]*#!?\[\w+|^[ \t]*(?:pub\s+)?unsafe\s+(?:impl|fn)\b|^[ \t]*pub\(crate\)/m, 4],
    [/\bfn\s+\w+\s*(?:<[^>]*>)?\s*\(/, 4],
    [/\blet\s+mut\s/, 4],
    [/^[ \t]*use\s+(?:std|crate|super|self|core)::/m, 4],
    [/^[ \t]*impl\b.*\{/m, 3],
    [/\b(?:println|vec|format|assert_eq|panic|print|write|writeln)!\s*[([]/, 3],
    [
      /&(?:mut\s+)?(?:str|self|\[)|\b(?:i32|i64|u8|u32|u64|usize|f64)\b|\bVec<|\bOption<|\bResult<|\bSome\(|\.iter\(\)|\.unwrap\(\)/,
      2,
    ],
    [/^[ \t]*(?:pub\s+)?(?:struct|enum|trait|mod)\s+\w+|#\[derive\(/m, 2],
    [/^[ \t]*let\s+\w+\s*(?::\s*[\w<>&]+)?\s*=.*;\s*$/m, 1],
  ],
  ruby: [
    [/^[ \t]*def\s+(?:self\.)?\w+[?!=]?\s*(?:\([^:]*\))?\s*$/m, 4],
    [/^[ \t]*end\s*$/m, 3],
    [/\bdo\s*\|.*\||\{\s*\|.*\|/, 3],
    [/^[ \t]*(?:puts|require|require_relative|attr_accessor|attr_reader|include|module)\s+["':A-Z\w]/m, 2],
    [/\.(?:each|map|select|inject|reduce|each_with_index|times|nil\?|empty\?|to_s|to_i|include\?)\b/, 1],
    [/\belsif\b|\bunless\b|@\w+\s*=|\bnil\b|^[ \t]*class\s+[A-Z]\w*(?:\s*<\s*[A-Z]\w*)?\s*$/m, 2],
  ],
  php: [
    [/<\?php|<\?=/, 8],
    [/^[ \t]*\$\w+\s*=|\$this->|\$\w+->\w+|\$\w+\[/m, 4],
    [/\bfunction\s+\w*\s*\((?:[^)]*\$\w+)?[^)]*\)/, 1],
    [/\bforeach\s*\(\s*\$|\becho\s+[$"']|\barray\(|\bcount\(\$|\bstrlen\(\$/, 3],
  ],
  bash: [
    [/^#!\s*\/(?:usr\/)?bin\/(?:env\s+)?(?:ba|z|k)?sh/m, 6],
    [/^[ \t]*(?:fi|done|esac)\s*(?:[;|#>&<].*)?$/m, 4],
    [/;\s*(?:then|do)\s*$|^[ \t]*then\s*$/m, 3],
    [/\bif\s+\[\[?\s|\[\[\s.*\]\]|\$\(\(|\$\(\w|\$\{\w+[}:#%/[]|"\$[\w@#*]/, 3],
    [/^[ \t]*(?:function\s+)?\w+\s*\(\)\s*\{/m, 2],
    [
      /^[ \t]*(?:echo|printf|read|export|local|declare|set -|cd|grep|sed|awk|mkdir|curl|sudo|apt|pip|npm|cat|ls|rm|chmod|git)\s/m,
      1,
    ],
    [/^[ \t]*[A-Za-z_]\w*=["'$\w(]/m, 1],
  ],
  kotlin: [
    [/\bfun\s+(?:<.*>\s*)?(?:[\w.<>?]+\.)?\w+\s*\(/, 4],
    [/\b(?:val|var)\s+\w+\s*(?::\s*[A-Z][\w<>?, ]*)?\s*(?:=|by\b)/, 2],
    [/:\s*(?:Int|String|Boolean|Long|Double|List<|Map<|IntArray|Unit)\b/, 3],
    [
      /\bdata\s+class\b|\bwhen\s*[({]|\bcompanion\s+object\b|\bmutable(?:List|Map|Set)Of\b|\blistOf\(|\bmapOf\(/,
      3,
    ],
    [/\?\.|\?:|!!|\bit\.|\bprintln\(|\buntil\b|\.\.\s*\w|\bdownTo\b/, 1],
  ],
};

/** JSX in code of TypeScript or JavaScript. */
const JSX = /(?:return|=>|[=(?:&]|^)\s*\(?\s*<(?:[A-Za-z][\w.]*[\s/>]|>)[\s\S]*?(?:<\/[\w.]*>|\/>)/m;

/** Longest piece that is looked at: a program shows its language early. */
const LOOK = 4_000;

/** How much speaks for a language. */
export interface Evidence {
  readonly language: Language;
  readonly weight: number;
}

/** The languages that something speaks for, the most likely one first. */
export function evidenceIn(code: string): Evidence[] {
  // What comments say about types is no code.
  const text = code.slice(0, LOOK).replace(/(?<=^|\s)\/\*[\s\S]*?\*\//g, "");
  const found = new Map<Language, number>();
  for (const language of LANGUAGES) {
    let weight = 0;
    for (const [pattern, value] of SIGNS[language]) if (pattern.test(text)) weight += value;
    if (weight > 0) found.set(language, weight);
  }
  settle(found, text);
  return [...found].map(([language, weight]) => ({ language, weight })).sort((a, b) => b.weight - a.weight);
}

/** Languages that contain one another: the larger one needs a sign of its own. */
function settle(found: Map<Language, number>, text: string): void {
  const typed = SIGNS.typescript.slice(0, 6).some(([pattern]) => pattern.test(text));
  const script = found.get("javascript") ?? 0;
  if (!typed) found.delete("typescript");
  else if (script > 0) found.set("typescript", (found.get("typescript") ?? 0) + script);
  const tag = /<\w/.test(text) && JSX.test(text);
  if (tag && found.has("typescript")) found.set("tsx", (found.get("typescript") ?? 0) + 2);
  else if (tag && script > 0) found.set("javascript", script + 2);
  // C has no classes, and its structures end with a semicolon.
  if (/^[ \t]*(?:public\s+|abstract\s+|final\s+)*class\s+\w+/m.test(text)) found.delete("c");
  const plus = SIGNS.cpp.slice(0, -2).some(([pattern]) => pattern.test(text));
  if (!plus) found.delete("cpp");
  else if (found.has("c")) found.set("cpp", (found.get("cpp") ?? 0) + (found.get("c") ?? 0));
}
