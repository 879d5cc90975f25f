/**
 * Tells a line of prose from a line of code by its characters, in any of the languages. The parser decides in the
 * end; this decides what it is shown, since grammars take prose for code and prose is slow to parse.
 */
import { LANGUAGES, type Language, SYNTAX } from "../languages/languages.ts";
import { startsCode } from "./line-starts.ts";

/** How sure a line is code (positive) or prose (negative); 0 is either. */
export type Weight = number;

/** From here on a line is code whatever is around it. */
export const SURE = 3;

/** Prose as sure as this stays prose even where brackets seem to be open: they were not code's. */
export const SURE_PROSE: Weight = -4;

/** Words of the languages: in code, too, they follow one another. */
const KEYWORDS = new Set(
  (
    "abstract and as async auto await bool boolean break byte case catch char class companion const constexpr " +
    "continue data def default defer delegate do done double elif else elsif end enum except explicit export extends " +
    "extern false final finally float fn for foreach from fun func function global goto if impl implements import in " +
    "include inline instanceof int interface internal is lambda let local long loop match module mut mutable " +
    "namespace new nil none nonlocal not null nullptr object open operator or override package pass private " +
    "protected pub public raise readonly ref register require rescue return sealed select self short signed sizeof " +
    "static string struct super suspend switch template then this throw throws trait true try type typedef typename " +
    "typeof union unless unsafe unsigned until use using val var virtual void volatile when where while with yield " +
    "echo fi esac puts print begin range"
  ).split(" "),
);

/** Words that start a statement of nothing but words: `return total`, `import math`, `int count;`. */
const STATEMENT_WORDS = new Set(
  (
    "return raise throw import from del assert global nonlocal yield await puts echo include require extend package " +
    "using use namespace class struct enum interface object union trait mod module def fn func fun let var val const " +
    "int char float double long short bool boolean void string auto unsigned byte size_t public private protected " +
    "static final local export readonly unset source goto delete extern typedef defer go type new case cd exec sudo"
  ).split(" "),
);

/** Single words that are whole statements or brackets in words. */
const LONE_WORDS = /^(?:pass|break|continue|return|raise|else|do|yield|next|try|finally)[;:]?$/;
/** The same of the languages. */
const LONE_WORDS_OF: readonly RegExp[] = LANGUAGES.flatMap(
  (language) => SYNTAX[language].lines.loneWords ?? [],
);

/** A line of nothing but words, perhaps with commas between and a mark behind. */
const WORDS_ONLY = /^[A-Za-z][A-Za-z'’-]*(?:,?\s+[A-Za-z][A-Za-z'’-]*)*[.:;!?,…]*$/;

/** A whole line that is an assignment, with or without a type. */
const ASSIGNMENT =
  /^(?:[\w$<>[\],?.:&*]+\s+){0,3}[&*]{0,2}[$@]{0,2}[\w.$[\]"'()>-]+(?:\s*,\s*[$@*]?[\w.[\]]+)*(?:\s*:\s*[\w[\]<>, .|"'?&*]+)?\s*(?:[-+*/%|&^]|<<|>>|:|\/\/|\*\*|\?\?|\|\||&&)?=(?![=>~])\s*\S/;

/** A whole line that calls something, perhaps with fields of the result behind it. */
const CALL = /^(?:await\s+|!)?[\w$@][\w.$:>!?<-]*(?:\[.*\])?[!?]?\(.*\)(?:\.[\w!?]+)*[;,]?$/;

const DECLARATION =
  /^[A-Za-z_][\w:<>,[\]*&]*(?:\s+[\w:<>,[\]*&]+)*\s+[*&]*\w+\s*\([^.!?]*\)\s*(?:(?:const|noexcept|override)\s*)*(?:throws\s[\w,\s.]+)?\{?\}?$/;

/** Starts of lines that only prose, Markdown and transcripts have. */
const PROSE_STARTS: readonly RegExp[] = [
  /^#{2,6}\s+\S/,
  /^(?:[-+•–]|\*)\s+(?:\*|`|["']?[A-Z][a-z]+|[a-z]+(?:\s[a-z]+)+|\w+\s+(?:is|are|means|holds)\b)/,
  /^\d{1,3}[.)]\s+(?:\*\*|`|["']?[A-Z]|[a-z]+\s)/,
  /^\*\*[^*]+\*\*/,
  /^__[A-Z][^_]*__:?$/,
  /^\|.*\|$/,
  /^(?:-{3,}|={3,}|\*{3,}|_{3,})$/,
  /^>\s+[A-Z]/,
  /^(?:Sure|Certainly|Of course|Absolutely|Great|Okay|OK|Here|Below|Note|Notes|Explanation|Example|Examples|Usage|Output|Input|Result|Sample|Expected|Time|Space|Complexity|Approach|Solution|Code|Algorithm|Answer|Step|Steps|Test|Tests|Hope|Let|You|We|I|This|The|That|These|It|In|To|If|When|First|Then|Next|Finally|However|Also|For|By|With|As|An?|Alternatively|Remember|Please|And|Or|But|So|Since|Because|Using|Each|All|Both|Now)\b(?=[\s,:.!'’]|$)(?!\s*[=({[.<]|\s*:\s*(?:public|private|protected|[A-Z]\w*(?:<.*>)?\s*\{))/,
];

/** Strings, which hold anything; an apostrophe inside a word is none. */
const STRINGS = /"(?:[^"\\]|\\.)*"|(?<![\w)])'(?:[^'\\]|\\.)*'|`[^`]*`/g;

/** What is in the innermost brackets says nothing about the line. */
const BRACKETED = /\([^()]*\)|\[[^[\]]*\]/g;

/** A comment that ends the line. */
const TRAILING_COMMENT = /\s(?:\/\/|#)\s.*$|\s\/\*.*\*\/\s*$/;

/** Longest start of a line that is looked at: what a line is shows before that. */
const LOOK = 240;

/** Weighs one line by its own characters; with the language, when that is known. Blank lines weigh nothing. */
export function weigh(line: string, language: Language | undefined): Weight {
  const whole = line.slice(0, LOOK).trim();
  if (whole === "") return 0;
  const comment = commentWeight(whole, language);
  if (comment !== undefined) return comment;
  if (/^["']use strict["'];?$/.test(whole)) return SURE;
  const known = language && SYNTAX[language].lines;
  if (known?.commands && /^(?:echo|printf)\s/.test(whole)) return SURE;
  const text = whole.replace(STRINGS, '""').replace(TRAILING_COMMENT, "");
  const starts = startsCode(text, language);
  if (!starts && WORDS_ONLY.test(text)) return wordsWeight(text, whole, language);
  let weight = 0;
  if (starts) weight += 3;
  else if (known?.commands !== true && ASSIGNMENT.test(text)) weight += 3;
  else if (CALL.test(text)) weight += 2;
  else if (DECLARATION.test(text) && !/^(?:[A-Z][a-z]+\s[a-z]+\s)/.test(text)) weight += 2;
  if (/[;{}]$|^[\])}]|(?:=>|->|\|\||&&|[([{,\\])$/.test(text)) weight += 2;
  if (/\w\(\)|\w\[\w+\]|[=!]==?|[+\-*/]=|=>|->|::|\|\||&&|<<|\+\+|\$\{/.test(text)) weight += 1;
  if (/\$\w/.test(text)) weight += known === undefined || known.dollars ? 1 : -2;
  if (/^\s{2,}|^\t/.test(line)) weight += 1;
  return weight - proseIn(text, whole);
}

/** The weight of a line that is a comment; undefined when it is none. */
function commentWeight(text: string, language: Language | undefined): Weight | undefined {
  if (/^(?:\/\/|\/\*|\*\/|"""|'''|<!--)/.test(text)) return 1;
  if (!/^#(?:\s|$|-)|^##+\s*[-=*#~]{3}/.test(text)) return undefined;
  // A heading, where no comment starts so; directives of the preprocessor may have a space behind the mark.
  if (language !== undefined && !SYNTAX[language].lexis.lineComments.includes("#")) {
    return /^#\s*(?:include|define|if|ifdef|ifndef|else|elif|endif|pragma|undef|region|endregion|nullable)\b/.test(
      text,
    )
      ? SURE
      : -3;
  }
  return 1;
}

/** The weight of a line of words only: a short statement, or prose. */
function wordsWeight(text: string, whole: string, language: Language | undefined): Weight {
  if (LONE_WORDS.test(text)) return SURE;
  const lone = language === undefined ? LONE_WORDS_OF : [SYNTAX[language].lines.loneWords];
  if (lone.some((words) => words?.test(text))) return SURE;
  const words = text.split(/\s+/);
  const first = words[0] ?? "";
  const mark = /[.!?…]$/.test(text) ? 1 : 0;
  if (words.length === 1) return /:$/.test(text) ? (/^[A-Z]/.test(text) ? -2 : 1) : 0;
  if (STATEMENT_WORDS.has(first) && mark === 0) {
    const plain = words.slice(1).filter((word) => !KEYWORDS.has(word.replace(/\W+$/, ""))).length;
    if (plain <= 2 && !PROSE_STARTS.some((start) => start.test(whole))) return SURE;
  }
  // Declarations look like this as well: `Node head;`.
  if (text.endsWith(";") && words.length <= 3) return 0;
  if (/^(?:else if|for|while|if|elif|except|with|case|when|unless|until|elsif|match)\b.*:$/.test(text))
    return 2;
  return -Math.min(5, words.length) - mark;
}

/** How much of the line is prose, from 0. */
function proseIn(text: string, whole: string): Weight {
  let weight = 0;
  const run = wordsInARow(text.replace(BRACKETED, "()").replace(BRACKETED, "()"));
  if (run >= 6) weight += 5;
  else if (run >= 4) weight += 3;
  else if (run === 3) weight += 1;
  if (PROSE_STARTS.some((start) => start.test(whole))) weight += 3;
  if (/^["'(]?[A-Z][a-z']*(?:[\s,][^;{}=]*)?[a-z)`\]"'\d$][.:!?]$/.test(text) && /\s/.test(text)) weight += 2;
  return weight;
}

/** Most plain words that follow one another with single spaces between; keywords neither count nor end a row. */
function wordsInARow(text: string): number {
  let most = 0;
  let run = 0;
  for (const word of text.split(" ")) {
    if (KEYWORDS.has(word)) continue;
    if (/^[A-Za-z][a-z]+(?:[’'-][a-z]+)?[.,:;!?]?$/.test(word) || word === "a" || word === "A") {
      run += 1;
      if (run > most) most = run;
    } else run = 0;
  }
  return most;
}
