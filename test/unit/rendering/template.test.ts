import { describe, expect, test } from "vitest";
import { ServiceError } from "../../../server/errors.ts";
import { compileTemplate } from "../../../server/rendering/template.ts";
import type { Message } from "../../../shared/contract.ts";

const MESSAGES: readonly Message[] = [
  { role: "user", content: "  \n problem \u0085\ufeff" },
  { role: "assistant", content: "\n\n    code\n" },
];
const render = (source: string, messages = MESSAGES): string => compileTemplate(source, {})(messages);
const failure = (work: () => unknown): ServiceError => {
  try {
    work();
  } catch (error) {
    if (error instanceof ServiceError) return error;
    throw error;
  }
  throw new Error("it did not fail");
};

describe("strings behave as Python's", () => {
  const expressions: readonly (readonly [string, string])[] = [
    ["messages[1].content.lstrip('\\n')", "    code\n"],
    ["messages[1].content.strip('\\n')", "    code"],
    ["messages[1].content.rstrip('\\n')", "\n\n    code"],
    ["messages[1].content.strip()", "code"],
    ["messages[1].content.lstrip(none)", "code\n"],
    ["'xxabxx'.strip('x')", "ab"],
    ["'xyab'.lstrip('yx')", "ab"],
    ["'ab🙂🙂'.rstrip('🙂')", "ab"],
    ["'ab'.strip('')", "ab"],
    ["(messages[0].content | trim) ~ '|'", "problem \u0085\ufeff|"],
    ["messages[0].content | trim | length", "10"],
    ["'🙂é' | length", "2"],
    ["messages | length", "2"],
    ["'x'.strip().strip() | trim('x') | length", "0"],
    ["'a</t>b</t>c'.split('</t>')[-1]", "c"],
    ["'a,b,c'.split(',', 1)[1]", "b,c"],
    ["' a  b c '.split() | join('-')", "a-b-c"],
    ["' a  b c '.split(none, 1) | join('-')", "a-b c "],
    ["'\\x1c a\\x1f'.strip() ~ '|'", "a|"],
  ];
  test.each(expressions)("%s", (expression, expected) => {
    expect(render(`{{- ${expression} -}}`)).toBe(expected);
  });
});

test("the date is always the same", () => {
  expect(render("{{ strftime_now('%d %b %Y, %A %B %-d, %H:%M %% %q') }}")).toBe(
    "26 Jul 2024, Friday July 26, 00:00 % %q",
  );
  expect(render("{{ date_string is defined }}")).toBe("false");
});

test("special tokens are there only where the model has them", () => {
  const source = "{{ bos_token is defined }} {{ bos_token }}";
  expect(compileTemplate(source, { bos_token: "<s>" })(MESSAGES)).toBe("true <s>");
  expect(compileTemplate(source, { bos_token: undefined })(MESSAGES)).toBe("false ");
});

test("a template that refuses a conversation says so to the caller", () => {
  const error = failure(() => render("{{ raise_exception('roles must alternate') }}"));
  expect(error.code).toBe("invalid_request");
  expect(error.message).toContain("roles must alternate");
});

describe("a hostile template ends in one sentence", () => {
  const nested = (count: number): string =>
    Array.from({ length: count }, (_, i) => `{% set a${i + 1} = [a${i}, a${i}] %}`).join("");
  const doubled = (count: number): string => "{% set x = x ~ x %}".repeat(count);
  const templates: readonly (readonly [string, string])[] = [
    ["no template at all", "{% if %}"],
    ["an unclosed block", "{% for m in messages %}"],
    ["an unknown function", "{{ exec('rm') }}"],
    ["too long", `{# ${"x".repeat(70_000)} #}`],
    ["a run of blanks", `{{ messages }}${" ".repeat(60_000)}{{ x }}`],
    ["nesting deeper than the stack", `{{ ${"(".repeat(20_000)}1${")".repeat(20_000)} }}`],
    ["endless recursion", "{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}"],
    [
      "branching recursion",
      "{% macro f(n) %}{% if n > 0 %}{{ f(n - 1) }}{{ f(n - 1) }}{% endif %}{% endmacro %}{{ f(40) }}",
    ],
    ["a large range", "{% for i in range(1000000000) %}x{% endfor %}"],
    ["a range without end", "{% for i in range(0, 10, 0) %}x{% endfor %}"],
    ["nested loops", "{% for i in range(9999) %}{% for j in range(9999) %}{% endfor %}{% endfor %}"],
    [
      "nested loops that define macros",
      `{% for i in range(9999) %}{% macro f() %}${"{{ i }}".repeat(5000)}{% endmacro %}{% endfor %}`,
    ],
    ["a doubling string", `{% set x = 'xxxxxxxx' %}${doubled(60)}{{ x }}`],
    ["doubling lists, printed", `{% set a0 = [1, 1] %}${nested(60)}{{ a60 }}`],
    ["doubling lists, as JSON", `{% set a0 = [1, 1] %}${nested(60)}{{ a60 | tojson }}`],
    ["doubling lists, compared with a text", `{% set a0 = [1, 1] %}${nested(60)}{{ a60 == 'x' }}`],
    [
      "doubling lists by concatenation",
      `{% set x = [1] %}${"{% set x = x + x %}".repeat(60)}{{ x | length }}`,
    ],
    [
      "nested namespaces",
      `{% set n0 = namespace(a=1) %}${Array.from({ length: 60 }, (_, i) => `{% set n${i + 1} = namespace(a=n${i}, b=n${i}) %}`).join("")}{{ n60 }}`,
    ],
    ["a namespace within itself", "{% set n = namespace(a=1) %}{% set n.a = n %}{{ n }}"],
    ["endless indentation", "{{ 'a\\nb' | indent(width=900000000) }}"],
    [
      "a replacement that explodes",
      "{% set x = range(9999) | join('xxxxxxxxxxxxxxxxxxxx') %}{{ x.replace('x', x) }}",
    ],
    ["a power", "{{ 9 ** 99999 }}"],
    ["not a text", "{{ messages.strip() }}"],
  ];
  test.each(templates)("%s", (_, source) => {
    const error = failure(() => render(source));
    expect(error.code).toBe("model_unusable");
    expect(error.message).toMatch(/^The model's chat template .*\. Get the model .*\.$/s);
    expect(error.message.length).toBeLessThan(500);
  });
});

test("a long conversation is no reason to give up", () => {
  const turns = Array.from({ length: 64 }, (_, index): Message => {
    return { role: index % 2 === 0 ? "user" : "assistant", content: "x = 1\n".repeat(20_000) };
  });
  const source =
    "{% for m in messages %}{{ '<' + m.role + '>' + m.content.strip('\\n') + '</>' }}{% endfor %}";
  expect(render(source, turns).length).toBeGreaterThan(64 * 119_000);
});
