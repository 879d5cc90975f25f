/** What a line of code says about its block, by its own characters: that it opens, ends or leaves one. */
import { type Language, SYNTAX } from "../../languages/languages.ts";

/** The line ends in what opens a block in its language. */
export function opensBlock(line: string, language: Language): boolean {
  const { lexis, lines } = SYNTAX[language];
  const comment = lexis.lineComments[0] === "#" ? /\s#/ : /\s\/\//;
  const at = line.search(comment);
  return lines.opensBlock.test((at < 0 ? line : line.slice(0, at)).trimEnd());
}

/** The line starts with what ends or continues a block. */
export function isCloser(line: string): boolean {
  return /^\s*(?:[)\]}]|<\/|(?:end|fi|done|esac|else|elif|elsif|except|finally|rescue|ensure)\b)/.test(line);
}

/** Nothing sensible follows such a statement in its block. */
export function leavesBlock(line: string): boolean {
  return /^\s*(?:return|raise|throw|break|continue)\b/.test(line);
}

/** A statement that only a function's body may have. */
export function leavesUnit(line: string): boolean {
  return /^\s*(?:return|yield)\b/.test(line);
}

/** The line starts something that is usually at the left margin; `apart`: behind a blank line. */
export function startsUnit(line: string, apart: boolean, language: Language): boolean {
  if (language === "python") {
    return (
      /^(?:(?:def|class|async def|import|from)\s|if __name__|@)/.test(line) ||
      (apart && /^(?:print\(|assert\b|main\()/.test(line))
    );
  }
  return /^(?:export|public|private|class|interface|func|function|fn|def|impl|struct|int main|namespace|package|import)\b/.test(
    line,
  );
}

/** The line is a comment, as far as its start says. */
export function isComment(line: string, language: Language): boolean {
  const { lineComments, blockComment } = SYNTAX[language].lexis;
  const code = line.trimStart();
  return [...lineComments, ...(blockComment ?? [])].some((mark) => code.startsWith(mark));
}
