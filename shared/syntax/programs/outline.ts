/** What a program consists of at its top: which names it defines, which it uses, and of what kind it is. */
import { type Language, SYNTAX } from "../languages/languages.ts";
import type { SyntaxNode } from "../parsing/parser.ts";

/** What a piece of code is for. */
export type Kind = "definitions" | "imports" | "statements" | "nothing";

export interface Outline {
  readonly kind: Kind;
  /** Names of functions, methods, types and constants that it defines at the top or directly inside of types. */
  readonly defines: ReadonlySet<string>;
  /** Names defined at the top only. */
  readonly top: ReadonlySet<string>;
  /** All words in it that could be names, those in strings and comments included. */
  readonly words: ReadonlySet<string>;
  /** It tests or demonstrates what is defined elsewhere. */
  readonly tests: boolean;
  /** It reads its input: a program of its own rather than an example. */
  readonly reads: boolean;
  /** Has an entry point that runs when the program is started. */
  readonly entry: boolean;
}

const COMMENT = /comment$/;

const IMPORT =
  /^(?:import|package|use|using|namespace_use|preproc_include|preproc_def|extern_crate|future_import|global_using).*|^(?:import_list|package_header|import_header|php_tag|file_scoped_namespace_declaration|attribute_item|inner_attribute_item|empty_statement|package_clause)$/;

const DEFINITION =
  /function|method|class|interface|struct|enum|trait|impl|record|type_(?:declaration|alias|definition|item|spec)|module|namespace|macro_definition|constructor|protocol|object_declaration|union|template_declaration|delegate|alias_declaration|^const_item$|^static_item$|^mod_item$|^singleton_method$|^decorated_definition$|^preproc_function_def$|^concept/;

/** Nodes that wrap definitions: theirs are looked at instead. */
const WRAPPER =
  /^(?:export_statement|decorated_definition|template_declaration|namespace_definition|namespace_declaration|declaration_list|linkage_specification|preproc_ifdef|preproc_if|internal_module|module|ambient_declaration|class_body|block|body_statement|field_declaration_list|enum_body|interface_body|object_type|class_declaration|class_definition|class_specifier|struct_specifier|class|impl_item|trait_item|interface_declaration|companion_object|object_declaration|mod_item|type_declaration|global_statement|lexical_declaration|variable_declaration|expression_statement|declaration|property_declaration|field_declaration|const_declaration|var_declaration|enum_declaration|struct_declaration|record_declaration|trait_declaration|public_field_definition)$/;

/** Nodes inside of definitions that use names and give none. */
const USES_ONLY =
  /^(?:string|number|integer|comment)|parameter|argument|heritage|superclass|interfaces$|base_|delegation|extends|implements|permits|modifiers|annotation/;

/** Wrappers that put their members at the top: conditions, namespaces, exports. */
const OPEN_WRAPPER = /^(?:preproc_|namespace|linkage_|export_|internal_module|ambient_|template_|decorated_)/;

const NAME_FIELDS = ["name", "declarator", "left", "type"] as const;

/** Types define their members one level down; deeper ones are nobody's interface. */
const DEPTH = 6;

const TEST_NAME = /^(?:test_?|Test|should_|run_?[tT]ests?$|[A-Z]\w*Tests?$)/;

/** Outlines a program by its tree. */
export function outlineOf(root: SyntaxNode, code: string, language: Language): Outline {
  const top = new Set<string>();
  const defines = new Set<string>();
  let definitions = 0;
  let tests = 0;
  let imports = 0;
  let statements = 0;
  for (const node of root.namedChildren) {
    if (COMMENT.test(node.type)) continue;
    if (isImport(node)) {
      imports += 1;
      continue;
    }
    const names = new Set<string>();
    if (collect(node, names, 0)) {
      definitions += 1;
      const name = nameOf(node);
      if (name !== undefined && names.has(name)) {
        top.add(name);
        if (TEST_NAME.test(name)) tests += 1;
      }
      if (OPEN_WRAPPER.test(node.type)) for (const each of names) top.add(each);
      for (const each of names) defines.add(each);
    } else {
      statements += 1;
      // Assignments name constants; they define nothing that anyone asked for, but others may use them.
      for (const each of names) top.add(each);
    }
  }
  const kind: Kind =
    definitions > 0 ? "definitions" : statements > 0 ? "statements" : imports > 0 ? "imports" : "nothing";
  return {
    kind,
    defines,
    top,
    words: wordsOf(code),
    tests: definitions > 0 && tests === definitions,
    reads: SYNTAX[language].programs.readsInput.test(code),
    entry: hasEntry(code, language, defines),
  };
}

function isImport(node: SyntaxNode): boolean {
  if (IMPORT.test(node.type)) return true;
  // require "set" in Ruby, const fs = require("fs") in JavaScript, source x in a shell.
  return (
    node.endIndex - node.startIndex < 200 &&
    /^(?:require(?:_relative)?\s|(?:const|var|let)\s+[\w{},\s]+=\s*require\()/.test(node.text)
  );
}

/** Collects the names that a node defines; true when it defines a function or type rather than a value. */
function collect(node: SyntaxNode, names: Set<string>, depth: number): boolean {
  let defines = DEFINITION.test(node.type) && !/call|expression|arguments/.test(node.type);
  if (/^(?:arrow_function|function_expression|lambda|lambda_literal|closure_expression)$/.test(node.type))
    return depth > 0;
  const name =
    defines || WRAPPER.test(node.type) || node.type.endsWith("assignment") || node.type.endsWith("declarator")
      ? nameOf(node)
      : undefined;
  const prototype = node.type === "declaration" && declaratorType(node) === "function_declarator";
  if (name !== undefined && !prototype && !/^preproc_if/.test(node.type)) names.add(name);
  // A prototype says what others define, and is no statement either.
  if (prototype) return true;
  if (
    depth < DEPTH &&
    (WRAPPER.test(node.type) || /assignment|declarator|^variable_declarator|^pair$/.test(node.type))
  ) {
    for (const child of node.namedChildren) {
      const value = /^(?:arrow_function|function_expression|function|class|generator_function|lambda)$/.test(
        child.type,
      );
      if (value) defines = true;
      if (USES_ONLY.test(child.type)) continue;
      if (/expression/.test(child.type) && !/assignment/.test(child.type)) continue;
      if (collect(child, names, depth + 1)) defines = true;
    }
  }
  return defines;
}

function declaratorType(node: SyntaxNode): string {
  let inner = node.childForFieldName("declarator");
  for (let step = 0; step < DEPTH && inner !== null; step++) {
    if (inner.type === "function_declarator") return inner.type;
    inner = inner.childForFieldName("declarator");
  }
  return "";
}

/** The name that a definition gives, through declarators: the last word of `int (*f(void))[3]` and `A::f`. */
function nameOf(node: SyntaxNode): string | undefined {
  let current: SyntaxNode = node;
  for (let step = 0; step < DEPTH; step++) {
    const inner = fieldOf(current);
    if (inner === null) {
      if (current !== node) break;
      const child = current.namedChildren.find(
        (each) => DEFINITION.test(each.type) || /identifier|declarator/.test(each.type),
      );
      if (child === undefined) return undefined;
      current = child;
      continue;
    }
    current = inner;
  }
  if (current.endIndex - current.startIndex > 200) return undefined;
  return /(\w+[?!]?)\W*$/.exec(current.text)?.[1];
}

function fieldOf(node: SyntaxNode): SyntaxNode | null {
  for (const field of NAME_FIELDS) {
    if (field === "type" && !/^impl_item$/.test(node.type)) continue;
    const found = node.childForFieldName(field);
    if (found !== null) return found;
  }
  return null;
}

function wordsOf(code: string): Set<string> {
  return new Set(code.match(/[A-Za-z_]\w*[?!]?/g));
}

function hasEntry(code: string, language: Language, defines: ReadonlySet<string>): boolean {
  const { entry } = SYNTAX[language].programs;
  return entry === undefined ? defines.has("main") || defines.has("Main") : entry.test(code);
}
