/** What a language is: the one type that a file in this folder fills in. */
import type { SyntaxNode, SyntaxTree } from "../parsing/parser.ts";
import type { ProgramFault } from "../programs/validity.ts";
import type { Language } from "./languages.ts";

/** What everyone needs, the extension at its start too: names, and nothing that has to be computed. */
export interface LanguageIdentity {
  /** As people write it. */
  readonly name: string;
  /** Other names under which people and models know it, in lower case. */
  readonly aliases: readonly string[];
  /** VS Code's names for it. */
  readonly editorIds: readonly string[];
  /** Ends of its files' names, in lower case and without the dot; models use them as names too. */
  readonly extensions: readonly string[];
}

/** Names of nodes in the grammar, separated by white space. */
export type NodeNames = string;

/** A pattern, and how much one piece of code with it speaks for the language: 1 is a hint, 3 is nearly proof. */
export type Sign = readonly [pattern: RegExp, weight: number];

/** What only those need who parse or read code. */
export interface LanguageSyntax {
  readonly grammar: Grammar;
  readonly lexis: Lexis;
  readonly nodes: Nodes;
  readonly guess: Guess;
  readonly lines: Lines;
  readonly programs: Programs;
}

/** The tree-sitter grammar. */
export interface Grammar {
  /** WebAssembly by the name that the product gives it (`<name>.wasm`): package and file. */
  readonly files: Readonly<Record<string, string>>;
  /** Which of several grammars a text is parsed with; undefined where there is one, of the language's name. */
  readonly choose?: (text: string) => string;
}

/** How its characters make strings, comments and brackets. */
export interface Lexis {
  /** What starts a comment that ends with the line; the usual one first. */
  readonly lineComments: readonly string[];
  readonly blockComment: readonly [open: string, close: string] | undefined;
  /** Longest first. A `true` says that the string may span lines. */
  readonly strings: readonly (readonly [open: string, close: string, multiline: boolean])[];
  /** Ends of strings that hold code in brackets. */
  readonly interpolated: readonly string[];
  /** Strings that go on up to a line with their own word. */
  readonly heredocs: boolean;
  /** Literals between slashes. */
  readonly regexLiterals: boolean;
  /** Directives that start with `#`, with conditional groups among them. */
  readonly preprocessor: boolean;
  /** Blocks between words; undefined where brackets or indentation make them. */
  readonly blockWords: BlockWords | undefined;
}

export interface BlockWords {
  /** Words that open a block wherever they are, with the word that closes it. */
  readonly open: ReadonlyMap<string, string>;
  /** Words that open one only where a statement starts: elsewhere they modify it. */
  readonly openStatement: ReadonlyMap<string, string>;
  /** Words of loops whose `do` opens no block of its own. */
  readonly loops: ReadonlySet<string>;
  readonly close: ReadonlySet<string>;
  /** Nodes whose text, where it is one of the words, closes nothing: the grammar takes it for a name. */
  readonly stray: { readonly node: string; readonly words: RegExp };
}

/** Nodes by what they are. */
export interface Nodes {
  readonly comments: NodeNames;
  /** Nodes in which white space and marks mean something. */
  readonly strings: NodeNames;
  /** Declarations with code of their own. */
  readonly functions: NodeNames;
  /** Functions without a declaration: callbacks, lambdas, blocks. */
  readonly functionValues?: NodeNames;
  /** Declarations of types: they hold units, and are one where the position is in none. */
  readonly types?: NodeNames;
  /** Types that are mostly data: a field of them says nothing alone, so the whole type is the unit. */
  readonly data?: NodeNames;
  /** What else holds units. */
  readonly holders?: NodeNames;
  /** Bodies that hold units only under the parents named. */
  readonly bodiesUnder?: readonly (readonly [body: string, parents: NodeNames])[];
  /** These are what they wrap: decorated, exported and templated declarations. */
  readonly wrappers?: NodeNames;
  /** Bodies of declarations. */
  readonly bodies: NodeNames;
  readonly calls?: NodeNames;
  /** On the way from a call to the body of its callback. */
  readonly callPath?: NodeNames;
  /** On the way from a statement to a method of an object in it. */
  readonly objectPath?: NodeNames;
  /** Nodes at the top of a file that bring names in. */
  readonly imports: NodeNames;
}

/** How code shows that it is in the language, before any parser has seen it. */
export interface Guess {
  /** Signs of its own. */
  readonly signs: readonly Sign[];
  /** Signs that it has in common with others: they count, but prove nothing. */
  readonly shared?: readonly Sign[];
  /** The language that it contains: what speaks for that one speaks for this one, once a sign of its own does. */
  readonly contains?: Language;
  /** What rules it out. */
  readonly against?: RegExp;
  /** Languages in which the same text may well be a program too. */
  readonly relatives?: readonly Language[];
  /** Its grammar takes most prose for code. */
  readonly acceptsProse?: boolean;
}

/** What single lines of it look like. */
export interface Lines {
  /** Starts of trimmed lines that no prose has, beyond those of all languages. */
  readonly starts: readonly RegExp[];
  /** Words that are whole statements, or brackets in words. */
  readonly loneWords?: RegExp;
  /** Names may start with a dollar sign; elsewhere that is mathematics. */
  readonly dollars?: boolean;
  /** A line may be a command with its arguments, as in a shell. */
  readonly commands?: boolean;
  /** Lines that end in what opens a block. */
  readonly opensBlock: RegExp;
  /** Lines that start nothing of their own: the middle of what starts above. */
  readonly startsNoItem?: RegExp;
}

/** What its programs mean beyond what the grammar knows. */
export interface Programs {
  /** What the grammar accepts and the language does not, first things first. */
  readonly quirks: readonly Quirk[];
  /** A line end may take the place of the semicolon behind a statement. */
  readonly optionalSemicolons: boolean;
  /** Indentation makes the blocks. */
  readonly indented: boolean;
  /** Strings in either quotes are the same: all of them, or those that interpolate nothing. */
  readonly eitherQuote?: "always" | "plain";
  /** A string at the start of a body is its documentation. */
  readonly docstrings?: boolean;
  /** It reads its input: a program of its own rather than an example. */
  readonly readsInput: RegExp;
  /** Runs when the program is started; undefined where a function named `main` does. */
  readonly entry?: RegExp;
  /** What may enclose a piece of a file that starts inside something, with its end: types first, then functions. */
  readonly enclosing: readonly (readonly [open: string, close: string])[];
}

/** A parsed program. */
export interface ParsedProgram {
  readonly tree: SyntaxTree;
  /** The children of the tree's root. */
  readonly children: readonly SyntaxNode[];
  readonly code: string;
}

/** Looks for one kind of fault that the grammar lets pass. */
export type Quirk = (program: ParsedProgram) => ProgramFault | undefined;

/**
 * The syntax of a language. With `@__PURE__` in a comment before the call, a bundle that only names languages leaves it
 * out.
 */
export function syntaxOf(define: () => LanguageSyntax): LanguageSyntax {
  return define();
}
