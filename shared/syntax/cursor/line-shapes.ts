// What a line of code says about its block, by its own characters: that it opens, ends or leaves one.
import { type Language, SYNTAX } from "../languages/languages.ts";

/** The line ends in what opens a block in its language. */
export function opensBlock(line: string, language: Language): boolean {
  const comment =
    language === "python" || language === "ruby" || language === "bash" ? /\s#.*$/ : /\s\/\/.*$/;
  const code = line.replace(comment, "").trimEnd();
  if (language === "python") return /[:([{]$/.test(code);
  if (language === "ruby") {
    return /(?:[([{]|\bdo|\bthen|\|)$|^\s*(?:def|class|module|if|unless|while|until|case|begin|else|elsif|when|rescue|ensure)\b(?!.*\bend$)/.test(
      code,
    );
  }
  if (language === "bash") return /(?:[({]|\bdo|\bthen|\belse|\bin)$/.test(code);
  return /(?:[([{]|=>|->)$|^\s*(?:case\b.*|default|public|private|protected):$/.test(code);
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

/** The line starts something that usually stands at the left margin; `apart`: behind a blank line. */
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

/** The line is a comment, as far as its start tells. */
export function isComment(line: string, language: Language): boolean {
  const { lineComments, blockComment } = SYNTAX[language].lexis;
  const code = line.trimStart();
  return [...lineComments, ...(blockComment ?? [])].some((mark) => code.startsWith(mark));
}
