/** One program in each language, for what every language has to do. A new language is an entry here. */
import type { Language } from "../../../shared/syntax/languages/languages.ts";

/**
 * A program that defines a function `following`, documented by "The number after it.", with `x + 1` in its body and more
 * code behind it. The body is between █ and ¦.
 */
export const SAMPLES: Readonly<Record<Language, string>> = {
  python:
    "import os\n\n\n# The number after it.\ndef following(x):\n    █return x + 1¦\n\n\nprint(os.name, following(1))\n",
  javascript:
    'const fs = require("fs");\n\n// The number after it.\nfunction following(x) {\n  █return x + 1;¦\n}\n\nconsole.log(fs, following(1));\n',
  typescript:
    'import fs from "fs";\n\n// The number after it.\nexport function following(x: number): number {\n  █return x + 1;¦\n}\n\nconsole.log(fs, following(1));\n',
  tsx: 'import React from "react";\n\n// The number after it.\nexport function following(x: number): unknown {\n  █return <b className="a">{x + 1}</b>;¦\n}\n\nReact.render(following(1));\n',
  java: "import java.util.List;\n\nclass Numbers {\n  // The number after it.\n  static int following(int x) {\n    █return x + 1;¦\n  }\n\n  static int other() {\n    return following(1);\n  }\n}\n",
  c: '#include <stdio.h>\n\n/* The number after it. */\nint following(int x) {\n  █return x + 1;¦\n}\n\nint main(void) {\n  printf("%d", following(1));\n  return 0;\n}\n',
  cpp: "#include <iostream>\n\n// The number after it.\nint following(int x) {\n  █return x + 1;¦\n}\n\nint main() {\n  std::cout << following(1);\n  return 0;\n}\n",
  csharp:
    "using System;\n\nclass Numbers\n{\n    // The number after it.\n    static int following(int x)\n    {\n        █return x + 1;¦\n    }\n\n    static void Main()\n    {\n        Console.WriteLine(following(1));\n    }\n}\n",
  go: 'package main\n\nimport "fmt"\n\n// The number after it.\nfunc following(x int) int {\n\t█return x + 1¦\n}\n\nfunc main() {\n\tfmt.Println(following(1))\n}\n',
  rust: 'use std::fmt;\n\n// The number after it.\nfn following(x: i32) -> i32 {\n    █x + 1¦\n}\n\nfn main() {\n    println!("{}", following(1));\n}\n',
  ruby: 'require "set"\n\n# The number after it.\ndef following(x)\n  █x + 1¦\nend\n\nputs following(1)\n',
  php: "<?php\nuse A\\B;\n\n// The number after it.\nfunction following($x) {\n  █return $x + 1;¦\n}\n\necho following(1);\n",
  bash: '#!/bin/bash\nset -e\n\n# The number after it.\nfollowing() {\n  █local x="$1"\n  echo "$(( x + 1 ))"¦\n}\n\necho "$(following 1)"\n',
  kotlin:
    "import java.io.File\n\n// The number after it.\nfun following(x: Int): Int {\n    █return x + 1¦\n}\n\nfun main() {\n    println(following(1))\n}\n",
};
