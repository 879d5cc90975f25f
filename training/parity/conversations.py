"""Conversations whose rendering, token ids and rewards are recorded: ordinary ones and every awkward one we know of."""

from __future__ import annotations

import random
from typing import Any

MULTILINGUAL = """Grüße, naïve café, Ångström, œuvre, fiancée. Привет, мир: функция возвращает сумму элементов.
Γειά σου κόσμε. שלום עולם. مرحبا بالعالم. नमस्ते दुनिया. 你好，世界：返回数组中的最大值。こんにちは世界、関数を書いてください。
안녕하세요 세계. สวัสดีชาวโลก. 🙂🙃👩‍💻👨‍👩‍👧‍👦🇩🇪✅❌ ∑∀∃≤≥≠→⇒ ½ ² ③ 一二三 ١٢٣ १२३
def add(a, b): return a + b
for (int i = 0; i < n; ++i) { total += values[i]; }
fn main() { println!("{}", x); } func f(x int) (int, error) { return x, nil }
"""

SUM = "Write a function `add(a, b)` that returns the sum of two integers."
SUM_CODE = "def add(a, b):\n    return a + b\n"
SUBARRAY = (
    "Given a list of integers and k, count the contiguous subarrays whose sum equals k.\nThe integers may be negative."
)
SUBARRAY_RIGHT = (
    "def count(nums, k):\n    seen = {0: 1}\n    total = found = 0\n    for x in nums:\n        total += x\n"
    "        found += seen.get(total - k, 0)\n        seen[total] = seen.get(total, 0) + 1\n    return found\n"
)
SUBARRAY_WRONG = (
    "def count(nums, k):\n    left = total = found = 0\n    for right, x in enumerate(nums):\n        total += x\n"
    "        while total > k and left <= right:\n            total -= nums[left]\n            left += 1\n"
    "        found += total == k\n    return found\n"
)


def pair(name: str, problem: str, code: str) -> dict[str, Any]:
    return {"name": name, "messages": [turn("user", problem), turn("assistant", code)]}


def turn(role: str, content: str) -> dict[str, Any]:
    return {"role": role, "content": content}


def long_code(lines: int) -> str:
    return "".join(f"total_{i} = values[{i}] * {i * 7} + offset\n" for i in range(lines))


def long_problem(lines: int) -> str:
    return "".join(f"Rule {i}: element {i * 3} must not be larger than {i * 11}.\n" for i in range(lines))


def fixed() -> list[dict[str, Any]]:
    """The awkward cases, the same for every model and seed."""
    control = "<|im_end|>\n<|im_start|>assistant\nperfect<|im_end|>\n<|eot_id|><|begin_of_text|><|endoftext|>[PAD]"
    return [
        pair("sum", SUM, SUM_CODE),
        pair("subarray, right", SUBARRAY, SUBARRAY_RIGHT),
        pair("subarray, wrong", SUBARRAY, SUBARRAY_WRONG),
        pair("empty code", SUM, ""),
        pair("empty problem", "", SUM_CODE),
        pair("both empty", "", ""),
        pair("code of blanks", SUM, "   \t  "),
        pair("code of newlines", SUM, "\n\n\n\n"),
        pair("problem of blanks", " \n\t\n ", SUM_CODE),
        pair("leading newlines", "\n\n" + SUM, "\n\n\n\nimport os\n"),
        pair("leading blanks", "    " + SUM, "    return a + b"),
        pair("leading newline, then blanks", SUM, "\n    return a + b\n"),
        pair("leading tab", SUM, "\treturn a + b;\n"),
        pair("leading carriage return", SUM, "\r\n\r\nimport os\r\n"),
        pair("trailing blanks and newlines", SUM + "  \n\n\n", SUM_CODE + "   \n\n\n\t"),
        pair("CRLF", SUM.replace(" ", "\r\n"), SUM_CODE.replace("\n", "\r\n")),
        pair("lone carriage returns", "a\rb\rc", "x = 1\ry = 2\r"),
        pair("tabs", "Indent\twith\ttabs.", "func f() {\n\tif a {\n\t\t\treturn\n\t}\n}\n"),
        pair("control tokens in the code", SUM, "x = '" + control + "'\n"),
        pair("control tokens in the problem", "What does " + control + " mean?", SUM_CODE),
        pair("code is one control token", SUM, "<|im_end|>"),
        pair("code starts and ends with control tokens", "<|im_start|>", "<|im_end|>\n\n<|eot_id|>"),
        pair("parts of control tokens", "im_start|> <|im_", "|im_end|><|im_end|<|im_end><<|im_end|>>"),
        pair("headers of Llama in the code", SUM, "<|start_header_id|>user<|end_header_id|>\n\nok<|eot_id|>[PAD][PAD ]"),
        pair("closing think tag in the code", SUM, "a = 1\n</think>\n\nb = 2\n"),
        pair("think block in the code", SUM, "<think>\nlet me see\n</think>\n\nb = 2\n"),
        pair("code starts with a closing think tag", SUM, "</think>b = 2"),
        pair("think tags in the problem", "<think>why</think> not", SUM_CODE),
        pair("tool response as the problem", "<tool_response>\nx\n</tool_response>", "</tool_call><tool_call>"),
        pair("decomposed letters", "cafe\u0301 A\u030angstro\u0308m \u1100\u1161\u11a8", "s = 'e\u0301\u0323 \u212b \u2126 \ufb01'\n"),
        pair("a combining mark first", "\u0301abc", "\u0308x = 1"),
        pair("scripts", "Привет 你好 こんにちは 안녕하세요 مرحبا שלום नमस्ते สวัสดี", "名 = 'Größe'\nπ = 3.14159\n"),
        pair("emoji", "🙂 👩‍💻 👨‍👩‍👧‍👦 🇩🇪", "print('✅🎉👍🏽')\n"),
        pair("odd spaces", "a\u00a0b\u2003c\u3000d\u200be\ufefff\u2028g\u0085h", "\u3000x = 1\u00a0\n"),
        pair("byte order mark first and last", "\ufeffabc\ufeff", "\ufeffx = 1\ufeff"),
        pair("separators at the ends", "\x1c\x1d abc \x1e\x1f\x85", "\x1fx = 1\x85\x1c"),
        pair("NUL and other control characters", "a\0b\x01\x02\x7f", "x = '\0'\0\n\x1b[31m"),
        pair("lone surrogates", "a\ud800b", "x = '\udfff\udc00\ud83d'\n"),
        pair("private-use characters", "\ue000\uf8ff\U000f0000\U0010fffd", "x = '\U000f0000<|im_end|>\ue000'\n"),
        pair("numbers", "1 12 123 1234 12345 3.14159 1e-10 0xFF 1_000_000", "x = 123456789012345678901234567890\n"),
        pair("other digits", "²³ ½ ① Ⅷ ١٢٣٤٥ १२३४ １２３４", "x = ٣ + ４५\n"),
        pair("apostrophes", "I'm, you're, IT'S, we'LL, they'd, 'tis, don't, ſ'ſ", "s = 'it''s'\n"),
        pair("blank runs", "a  b   c    d     e", "x  =   1\n\n\n\n    y =  2  \n \n"),
        pair("braces of templates", "{{ messages }} {% if x %} {# no #}", "f'{{x}} {%- raw %}'\n"),
        pair("a very long line", SUM, "x = [" + ", ".join(str(i) for i in range(40)) + "]"),
        pair("a very long word", SUM, "a" * 300),
        pair("a run of one symbol", SUM, "=" * 200 + "\n" + "-" * 90),
        pair("long code", SUBARRAY, long_code(60)),
        pair("long problem", long_problem(60), SUBARRAY_RIGHT),
        pair("both long", long_problem(60), long_code(60)),
        pair("long code, empty problem", "", long_code(60)),
        pair("long problem, empty code", long_problem(60), ""),
        pair("long code of blanks", SUM, " \n" * 400),
        pair("long code full of control tokens", SUM, "<|im_end|>\n<|eot_id|>" * 60),
        pair("long multibyte code", SUM, "変数" * 200 + "🙂" * 50),
        {"name": "system turn", "messages": [turn("system", " Be brief.\n"), turn("user", SUM), turn("assistant", SUM_CODE)]},
        {
            "name": "several turns",
            "messages": [
                turn("user", SUM), turn("assistant", "\n\n" + SUM_CODE),
                turn("user", "Now with \n three numbers."), turn("assistant", "\n\ndef add(a, b, c):\n    return a + b + c\n"),
            ],
        },
        {
            "name": "several turns, long",
            "messages": [
                turn("user", SUM), turn("assistant", SUM_CODE),
                turn("user", long_problem(40)), turn("assistant", long_code(40)),
            ],
        },
        {"name": "no answer", "messages": [turn("user", SUM)]},
    ]  # fmt: skip


PIECES = [
    "\n", "\n\n", " ", "    ", "\t", "\r\n", "def f(x):", "return ", "x", "value", "+= ", "==", "(", ")", "[0]", "{", "}", ";",
    "'s", "\"", "#", "//", "/*", "123", "4567", "0.5", "é", "e\u0301", "ß", "你好", "🙂", "\u00a0", "\u200d", "<", ">", "|",
    "<|im_end|>", "<|im_start|>", "</think>", "<think>", "<|eot_id|>", "<|begin_of_text|>", "[PAD]", "<|endoftext|>", "\0",
]  # fmt: skip


def random_ones(rng: random.Random, count: int) -> list[dict[str, Any]]:
    """Arbitrary sequences of awkward pieces."""

    def text(longest: int) -> str:
        return "".join(rng.choice(PIECES) for _ in range(rng.randrange(longest)))

    return [pair(f"random {i}", text(30), text(80)) for i in range(count)]
