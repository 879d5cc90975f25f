// Tells a line of prose from a line of code by its characters, in any of the languages. The parser decides in
// the end; this decides what it is shown, since grammars take prose for code and prose is slow to parse.

/** How sure a line is code (positive) or prose (negative); 0 is either. */
export type Weight = number;

/** From here on a line is code or prose whatever stands around it. */
export const SURE = 3;

/** Words that stand in a row in code as well. */
const KEYWORDS = new Set(
  (
    "abstract and as async auto await bool boolean break byte case catch char class companion const constexpr continue data def " +
    "default defer delegate do double elif else elsif end enum except explicit export extends extern false final " +
    "finally float fn for foreach from fun func function global goto if impl implements import in include inline " +
    "instanceof int interface internal is lambda let local long loop match module mut mutable namespace new nil " +
    "none nonlocal not null nullptr object of open operator or override package pass private protected pub public raise " +
    "readonly ref register require rescue return sealed select self short signed sizeof static string struct super suspend " +
    "switch template then this throw throws trait true try type typedef typename typeof union unless unsafe unsigned " +
    "until use using val var virtual void volatile when where while with yield echo fi done esac puts print begin"
  ).split(" "),
);

/** Starts of lines that only code has, in one or several of the languages. */
const CODE_STARTS: readonly RegExp[] = [
  /^(?:from\s+[\w.]+\s+import\s+[\w*(]|import\s+[\w.]+(?:\s+as\s+\w+)?(?:\s*,\s*[\w.]+(?:\s+as\s+\w+)?)*\s*;?\s*(?:[#/].*)?$)/,
  /^import\s+(?:static\s+[\w.*]+;|[\w.]+\.\*|type\s+\{|[\w*{][^.?!]*\bfrom\s+["']|["']|\()/,
  /^(?:async\s+)?def\s+(?:self\.)?\w+[?!=]?\s*(?:\(|$|;)/,
  /^class\s+\w+(?:\[.*\])?\s*(?:\(.*\))?\s*:/,
  /^(?:(?:export|default|public|private|protected|internal|abstract|final|sealed|static|partial|data|open|inner|enum|record|annotation|inline|value)\s+)*(?:class|interface|struct|enum|record|object|trait|union)\s+\w+[^.?!]*(?:\{.*|\{\s*\})$/,
  /^class\s+[A-Z]\w*(?:\s*<\s*[A-Z][\w:.]*)?\s*(?:[{;(].*|:\s*[\w(][^.?!]*)?$/,
  /^(?:export\s+)?(?:default\s+)?(?:async\s+)?function\b\s*\*?\s*\w*\s*(?:<.*>)?\s*\(/,
  /^(?:export\s+)?(?:const|let|var|val)\s+(?:mut\s+)?[\w{[($].*=/,
  /^(?:lateinit\s+)?(?:val|var)\s+\w+\s*:\s*\w/,
  /^#\s*(?:include\s*[<"]|define\s+\w|ifn?def\s|endif\b|pragma\s|undef\s|if\s+(?:defined|\w+\s*[<>=])|elif\s|else\s*$)/,
  /^#!\s*\/|^#!?\[|^<\?(?:php|=)|^\?>$/,
  /^package\s+[\w.]+\s*;?$/,
  /^using\s+(?:namespace\s+[\w:]+|static\s+[\w.]+|[\w.]+(?:\s*=\s*.+)?)\s*;/,
  /^namespace\s+[\w:.\\]+\s*[;{]?$/,
  /^(?:public|private|protected|internal|static|final|virtual|override|readonly|sealed|abstract|suspend|inline|extern|unsafe|constexpr|operator|open|lateinit|tailrec|infix)\s+[\w<>[\],?.:&*\s]+(?:[({=;:]|$)/,
  /^(?:pub(?:\([\w:]+\))?\s+)?(?:(?:async|const|unsafe|extern(?:\s+"C")?)\s+)*(?:fn\s+\w+\s*[<(]|mod\s+\w+\s*[;{]|use\s+[\w:{]+.*;|impl\b.*|type\s+\w+.*=|const\s+\w+\s*:|static\s+\w+\s*:)/,
  /^func\s+(?:\([^)]*\)\s*)?\w+\s*(?:\[.*\])?\(/,
  /^(?:(?:public|private|protected|internal|override|suspend|inline|operator|tailrec|infix|open)\s+)*fun\s+(?:<.*>\s*)?(?:[\w.<>?]+\.)?[\w`]+\s*\(/,
  /^type\s+\w+(?:\[.*\])?\s+(?:struct|interface|func|map|\[\]|[a-z]+\d*$)/,
  /^(?:export\s+)?type\s+\w+(?:<.*>)?\s*=/,
  /^(?:typedef|template\s*<|extern\s+"C")/,
  /^@[A-Za-z_][\w.]*(?:\(.*\)?)?$/,
  /^(?:if|elif|for|while|with|async for|async with|except|match|case)\b.*:\s*(?:#.*)?$/,
  /^(?:else|try|finally|except)\s*:\s*(?:#.*)?$/,
  /^(?:\}\s*)?(?:if|else if|for|foreach|while|switch|catch|using|lock|unless|until|when)\s*\(.*\)\s*\{?$/,
  /^(?:if|for|while|switch|match|select|loop|unsafe|else|do|try|finally|else if)\b[^.?!]*\{$/,
  /^(?:if|while|until|elif)\s+(?:\[\[?|!|\(\()\s*.*(?:;\s*(?:then|do))?$/,
  /^(?:if|elif|while|for|until)\b.*;\s*(?:then|do)$/,
  /^(?:fi|done|esac|then|do|else|end|begin|ensure|endif;|endforeach;|endwhile;)$/,
  /^end(?:\.\w+.*|\)|,|;)$/,
  /^(?:attr_(?:reader|writer|accessor)\s+:|require(?:_relative)?\s+["']|module\s+[A-Z]\w*$|puts\s+\S|include\s+[A-Z]\w*$)/,
  /^(?:console\.\w+|System\.(?:out|err)\.\w+|Console\.\w+|std::\w+|fmt\.\w+|print(?:ln|f)?!?|panic!?|assert(?:_eq|_ne)?!?)\s*(?:\(|<<)/,
  /^(?:std::)?c(?:out|err|in)\s*(?:<<|>>)/,
  /^(?:return|throw|raise|yield|await|goto|delete|assert|del|break|continue)\b[^.?!]*[;]$/,
  /^(?:pass|break|continue|return|raise|next)$/,
  /^(?:assert|del|global|nonlocal|yield|raise)\s+[\w"'([].*[\w)\]"']$/,
  /^(?:echo|printf|read|export|local|declare|set|shift|exit|source|cd|grep|sed|awk|cat|cut|sort|trap|unset|mkdir|find|rm)\s+(?:-|["'$]|\S*[=|>])/,
  /^(?:echo|printf)\s+\S/,
  /^[A-Za-z_]\w*\s*\(\)\s*\{/,
  /^[A-Z_a-z]\w*=(?:["'$(\d]|\w*$)/,
];

/** A whole line that is an assignment, with or without a type. */
const ASSIGNMENT =
  /^(?:[\w$<>[\],?.:&*]+\s+){0,3}[&*]{0,2}[$@]{0,2}[\w.$[\]"'()>-]+(?:\s*,\s*[$@]?[\w.[\]]+)*(?:\s*:\s*[\w[\]<>, .|"'?&*]+)?\s*(?:[-+*/%|&^]|<<|>>|:|\/\/|\*\*|\?\?|\|\||&&)?=(?![=>~])\s*\S/;

/** A whole line that calls something. */
const CALL = /^(?:await\s+|!)?[\w$@][\w.$:>!?<-]*(?:\[.*\])?[!?]?\(.*\)(?:\.[\w!?]+(?:\(.*\))?)*[;,]?$/;

const DECLARATION =
  /^[A-Za-z_][\w:<>,[\]*&\s]*\s[*&]*\w+\s*\([^.!?]*\)\s*(?:const\s*|noexcept\s*|override\s*|throws\s+[\w,\s.]+)*\{?\}?$/;

/** Starts of lines that only prose, Markdown and transcripts have. */
const PROSE_STARTS: readonly RegExp[] = [
  /^#{2,6}\s+\S/,
  /^(?:[-+•–]|\*)\s+(?:\*\*|`|[A-Z][a-z]+|[a-z]+(?:\s[a-z]+)+)/,
  /^\d{1,3}[.)]\s+(?:\*\*|`|["']?[A-Z]|[a-z]+\s)/,
  /^\*\*[^*]+\*\*/,
  /^__[A-Z][^_]*__:?$/,
  /^\|.*\|$/,
  /^(?:-{3,}|={3,}|\*{3,}|_{3,})$/,
  /^>\s+[A-Z]/,
  /^(?:Sure|Certainly|Of course|Absolutely|Great|Okay|OK|Here|Below|Note|Notes|Explanation|Example|Examples|Usage|Output|Input|Result|Sample|Expected|Time|Space|Complexity|Approach|Solution|Code|Algorithm|Answer|Step|Steps|Test|Tests|Hope|Let|You|We|I|This|The|That|These|It|In|To|If|When|First|Then|Next|Finally|However|Also|For|By|With|As|An?|Alternatively|Remember|Please|And|Or|But|So)\b(?=[\s,:.!'’]|$)(?!\s*[=({[.]|\s*:\s*(?:public|private|protected|[A-Z]\w*(?:<.*>)?\s*\{))/,
];

/** Strings, which hold anything; an apostrophe inside a word is none. */
const STRINGS = /"(?:[^"\\]|\\.)*"|(?<![\w)])'(?:[^'\\]|\\.)*'|`[^`]*`/g;

/** A comment that ends the line. */
const TRAILING_COMMENT = /\s(?:\/\/|#)\s.*$|\s\/\*.*\*\/\s*$/;

/** Longest start of a line that is looked at: what a line is shows before that. */
const LOOK = 240;

/** Weighs one line by its own characters. Blank lines weigh nothing. */
export function weigh(line: string): Weight {
  const whole = line.slice(0, LOOK).trim();
  if (whole === "") return 0;
  const text = whole.replace(STRINGS, '""').replace(TRAILING_COMMENT, "");
  if (isComment(whole)) return 1;
  let weight = 0;
  if (CODE_STARTS.some((start) => start.test(text))) weight += 3;
  else if (ASSIGNMENT.test(text)) weight += 3;
  else if (CALL.test(text)) weight += 2;
  else if (DECLARATION.test(text) && !/^(?:[A-Z][a-z]+\s[a-z]+\s)/.test(text)) weight += 2;
  if (/[;{}]$|^[\])}]|(?:=>|->|\|\||&&|[([{,\\])$/.test(text)) weight += 2;
  if (/\w\(\)|\w\[\w+\]|[=!]==?|[+\-*/]=|=>|->|::|\|\||&&|<<|\+\+|\$\{|\$\w/.test(text)) weight += 1;
  if (/^\s{2,}|^\t/.test(line)) weight += 1;
  return weight - proseIn(text, whole);
}

/** How much of the line is prose, from 0. */
function proseIn(text: string, whole: string): Weight {
  let weight = 0;
  const run = wordsInARow(text);
  if (run >= 6) weight += 5;
  else if (run >= 4) weight += 3;
  else if (run === 3) weight += 1;
  if (PROSE_STARTS.some((start) => start.test(whole))) weight += 3;
  if (
    /^["'(]?[A-Z][a-z']*(?:[\s,][^;{}=]*)?[a-z)`\]"'\d][.:!?]$/.test(text) &&
    /\s|^[A-Z][a-z]+:$/.test(text)
  )
    weight += 2;
  return weight;
}

/** Most plain words that follow one another with single spaces between, keywords not counted. */
function wordsInARow(text: string): number {
  let most = 0;
  let run = 0;
  for (const word of text.split(" ")) {
    if (/^[A-Za-z][a-z]*(?:[’'-][a-z]+)?[.,:;!?]?$/.test(word) && !KEYWORDS.has(word)) {
      run += 1;
      if (run > most) most = run;
      // A comma or a full stop goes on within prose, not within code.
    } else if (!KEYWORDS.has(word)) run = 0;
  }
  return most;
}

function isComment(text: string): boolean {
  return /^(?:\/\/|\/\*|\*\/|\*\s|\*$|#(?:\s|$)|"""|'''|--\s|<!--)/.test(text) && !/^\*\s+\*\*/.test(text);
}
