/** Bash and other shells: lines are commands, words open and close blocks. */
import { strayCloser } from "../programs/quirks/stray-closer.ts";
import { LONE_JUMP, LONG_DOUBLE_QUOTED, LONG_SINGLE_QUOTED } from "./families/common.ts";
import { type LanguageIdentity, syntaxOf } from "./language.ts";

/** Programs that shell scripts call at the start of a line. */
const COMMANDS =
  "apt|apt-get|awk|base64|basename|brew|cat|cd|chmod|chown|cp|curl|cut|date|declare|df|diff|dirname|docker|du|echo|env|eval|exec|exit|export|" +
  "expr|find|getopts|git|grep|egrep|gunzip|gzip|head|hostname|jq|kill|kubectl|ln|local|ls|make|mapfile|mkdir|mktemp|mv|node|npm|paste|" +
  "pip|pip3|printf|ps|pushd|popd|python|python3|pwd|read|readarray|readonly|realpath|rm|rmdir|rsync|scp|sed|seq|set|shift|shopt|sleep|" +
  "sort|source|ssh|stat|sudo|systemctl|tail|tar|tee|test|touch|tr|trap|tree|true|uname|uniq|unset|unzip|wait|wc|wget|which|xargs|zip";

export const identity: LanguageIdentity = {
  name: "Bash",
  aliases: ["shell", "shellscript", "zsh"],
  editorIds: ["shellscript"],
  extensions: ["sh"],
};

export const syntax = /* @__PURE__ */ syntaxOf(() => ({
  grammar: { files: { bash: "tree-sitter-bash/tree-sitter-bash.wasm" } },
  lexis: {
    lineComments: ["#"],
    blockComment: undefined,
    strings: [LONG_DOUBLE_QUOTED, LONG_SINGLE_QUOTED],
    interpolated: ['"'],
    heredocs: true,
    regexLiterals: false,
    preprocessor: false,
    blockWords: {
      open: new Map([["do", "done"]]),
      openStatement: new Map([
        ["if", "fi"],
        ["case", "esac"],
      ]),
      loops: new Set(),
      close: new Set(["fi", "esac", "done"]),
      stray: { node: "command_name", words: /^(?:[{}]|\]{1,2}|fi|done|esac|then|else|elif|do)$/ },
    },
  },
  nodes: {
    comments: "comment",
    strings: "string raw_string heredoc_body ansi_c_string regex subshell",
    functions: "function_definition",
    bodies: "compound_statement",
    imports: "",
  },
  guess: {
    signs: [
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
    acceptsProse: true,
  },
  lines: {
    starts: [
      /^(?:if|while|until|elif)\s+(?:\[\[?|!|\(\()\s*.*(?:;\s*(?:then|do))?$/,
      /^(?:if|elif|while|for|until|select)\b.*(?:;\s*(?:then|do)|\bin\b.*)$/,
      /^(?:fi|done|esac|then|do|else|;;)(?:\s*[;|&<>].*)?$/,
      /^[A-Za-z_][\w-]*\s*\(\)\s*\{/,
      /^[A-Z_a-z]\w*\+?=(?:["'$(\d]|\w*$)/,
      /^(?:\[\[?|\(\()\s.*(?:\]\]?|\)\))/,
      new RegExp(
        `^(?:${COMMANDS})(?:$|\\s+(?:[-+]|["'$./~\\d<>|*]|\\S*[/.=|>$-]|\\S+$|\\S+\\s+[-|>&"'$./]))`,
      ),
      /^[\w./-]+(?:\s+[^\s|]+)*\s+\|\s+[a-z]\w*/,
      /^case\s+.*\bin$|^for\s+\w+$/,
      /^[^\s()]+\)(?:\s+\S.*|\s*)(?:;;)?$/,
      /^\.{0,2}\/[\w.][\w./-]*(?:\s|$)/,
      /^[\w"*.?|[\]-]+\)\s*(?:\S.*)?$/,
      LONE_JUMP,
    ],
    loneWords: /^(?:fi|done|esac|then|wait|exit|return|true|set|shift)$/,
    commands: true,
    dollars: true,
    opensBlock: /(?:[({]|\bdo|\bthen|\belse|\bin)$/,
  },
  programs: {
    quirks: [(program) => strayCloser(program, "command", /^(?:fi|done|esac|then|else|elif|do|\})$/)],
    optionalSemicolons: true,
    indented: false,
    eitherQuote: "plain",
    readsInput: /\bread\s+-?\w|\$[1@#]/,
    enclosing: [["enclosing() {\n", "\n}\n"]],
  },
}));
