import { expect, test } from "vitest";
import { scanBrackets } from "../../../shared/syntax/cursor/scan-brackets.ts";
import type { Language } from "../../../shared/syntax/languages/languages.ts";

/** What is left open, what closes nothing, and what the text stops in: "open | loose | inside". */
function scan(language: Language, text: string, inside?: string): string {
  const { open, loose, inside: end } = scanBrackets(text, language, inside);
  const words = (all: readonly string[]) => all.join(" ");
  return [words(open.map((one) => one.close)), words(loose.map((one) => one.text)), end ?? ""]
    .join(" | ")
    .trim();
}

test("open and loose brackets are told apart", () => {
  expect(scan("c", "f(a[1], {")).toBe(") } |  |");
  expect(scan("c", "x); }")).toBe("| ) } |");
});

test("brackets in strings, comments and regular expressions do not count", () => {
  expect(scan("javascript", "f(\"(\", '[', `{`) // )\n/* } */")).toBe("|  |");
  expect(scan("javascript", "text.match(/[({[]/g)")).toBe("|  |");
  expect(scan("python", "x = '''(\n[''' # {")).toBe("|  |");
  expect(scan("rust", "fn f<'a>(x: &'a str) -> char { '{' }")).toBe("|  |");
  expect(scan("cpp", 'auto s = R"(})"; int n = 1\'000;')).toBe("|  |");
});

test("interpolations hold code, and their strings go on behind it", () => {
  // biome-ignore lint/suspicious/noTemplateCurlyInString: it is the text that is scanned
  expect(scan("typescript", "`a ${f({ b: 1 })} (`")).toBe("|  |");
  expect(scan("typescript", "`a ${f(")).toBe("} ) |  |");
  expect(scan("bash", 'echo "$(basename "$1") ("')).toBe("|  |");
  // biome-ignore lint/suspicious/noTemplateCurlyInString: it is the text that is scanned
  expect(scan("kotlin", '"${if (a) "{" else "}"}"')).toBe("|  |");
});

test("block words of Ruby and the shell count as brackets, modifiers do not", () => {
  expect(scan("ruby", "def f(x)\n  return 1 if x\n  y.each do |z|")).toBe("end end |  |");
  expect(scan("ruby", "while x do\nend\nend")).toBe("| end |");
  expect(scan("ruby", "x = if a\n  1\nelse\n  2\nend")).toBe("|  |");
  expect(scan("bash", "if a; then\n  for b in c; do\n    case d in\n      e) f ;;\n")).toBe(
    "fi done esac |  |",
  );
});

test("a text may start and stop inside a string", () => {
  expect(scan("java", 'Hello");', '"')).toBe("| ) |");
  expect(scan("java", 'f("Hello')).toBe(') |  | "');
});

test("lines of strings and heredocs are data, lines in brackets continue a statement", () => {
  const python = scanBrackets("x = f(\n  1,\n)\ny = '''\n  2\n'''\n", "python");
  expect([...python.continuationLines]).toEqual([1, 2]);
  expect([...python.literalLines]).toEqual([4, 5]);
  expect([...scanBrackets("cat <<EOF\n  a\nEOF\nb\n", "bash").literalLines]).toEqual([1, 2]);
  // A documentation string moves with its code.
  expect([...scanBrackets('"""Doc.\n  more\n"""\n', "python").literalLines]).toEqual([]);
});
