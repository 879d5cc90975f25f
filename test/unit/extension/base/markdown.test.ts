import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { commandLink, escaped, fenced, withVisibleControls } from "../../../../src/base/markdown.ts";

describe("text of others in Markdown", () => {
  it("shows bidirectional and invisible characters by their code points", () => {
    expect(withVisibleControls("if (admin\u202e \u2066// check\u2069\u200b)")).toBe(
      "if (admin⟦U+202E⟧ ⟦U+2066⟧// check⟦U+2069⟧⟦U+200B⟧)",
    );
    expect(withVisibleControls("\u{e0041}\ufeff\u0007")).toBe("⟦U+E0041⟧⟦U+FEFF⟧⟦U+0007⟧");
  });

  it("keeps tabs, line ends, and letters of all scripts", () => {
    expect(withVisibleControls("a\tb\r\nשלום 日本 é")).toBe("a\tb\r\nשלום 日本 é");
  });

  it("cannot make a link, an image, a code span, an icon or HTML", () => {
    const hostile = "[x](command:evil) ![i](http://e) `c` <b> $(bell) **b** &lt;";
    expect(escaped(hostile)).not.toMatch(/(?<!\\)[[\]()`*$]|<|&(?!amp;|lt;)/);
  });

  it("stays on one line, so that it cannot start a block or leave its row", () => {
    expect(escaped("a\n# b\r\n| c |")).toBe("a \\# b \\| c \\|");
  });

  it("cannot end its fence, whatever runs of backticks it has", () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom("`", "```", "````", "\n", "x", "~~~")), (parts) => {
        const block = fenced(parts.join(""), "python");
        const [first = "", ...lines] = block.split("\n");
        const fence = /^`+/.exec(first)?.[0] ?? "";
        const closing = lines.findIndex((line) => new RegExp(`^ {0,3}\`{${fence.length},}\\s*$`).test(line));
        expect(closing).toBe(lines.length - 1);
      }),
    );
  });

  it("has no markup in the language of its fence", () => {
    expect(fenced("x", "python\n```\n[a](command:evil)").split("\n")[0]).toBe("```");
    expect(fenced("x", "c++").split("\n")[0]).toBe("```c++");
  });

  it("cannot leave the arguments of a command link", () => {
    const link = commandLink("Compare", "codescaler.compare", ["a) [b](command:evil", "'\"()"]);
    expect(link).toMatch(/^\[Compare\]\(command:codescaler\.compare\?[\w%.*~!-]+\)$/);
    const query = /\?(.*)\)$/.exec(link)?.[1] ?? "";
    expect(JSON.parse(decodeURIComponent(query))).toEqual(["a) [b](command:evil", "'\"()"]);
  });
});
