// Which nodes of the fourteen grammars are units, hold them, or wrap them: one table per question, for all languages.

const words = (text: string): ReadonlySet<string> => new Set(text.split(/\s+/));

/** Declarations with code of their own. */
export const FUNCTIONS =
  words(`function_definition function_declaration generator_function_declaration method_definition
  method_declaration constructor_declaration compact_constructor_declaration destructor_declaration
  operator_declaration conversion_operator_declaration indexer_declaration local_function_statement function_item
  macro_definition method singleton_method secondary_constructor anonymous_initializer static_initializer
  class_static_block`);

/** Declarations of types: they hold units, and are one where the position is in none. */
export const TYPES =
  words(`class_definition class_declaration abstract_class_declaration class class_specifier
  interface_declaration enum_declaration record_declaration struct_declaration object_declaration companion_object
  singleton_class impl_item trait_item trait_declaration annotation_type_declaration struct_specifier union_specifier
  enum_specifier struct_item enum_item type_declaration type_alias_declaration type_item`);

/** Types that are mostly data: a field of them says nothing alone, so the whole type is the unit. */
export const DATA =
  words(`interface_declaration enum_declaration struct_specifier union_specifier enum_specifier trait_item
  trait_declaration annotation_type_declaration record_declaration struct_item enum_item type_declaration
  type_alias_declaration type_item`);

/** What else holds units. */
export const HOLDERS = words(`ERROR module mod_item namespace_definition namespace_declaration internal_module
  linkage_specification preproc_if preproc_ifdef preproc_else preproc_elif class_body declaration_list
  field_declaration_list interface_body enum_body enum_body_declarations enum_class_body enum_declaration_list annotation_type_body
  namespace_body foreign_mod_item`);

/** Bodies that hold units only under the parents named. */
export const BODIES: Readonly<Record<string, ReadonlySet<string>>> = {
  block: words("class_definition"),
  body_statement: words("class module singleton_class"),
  statement_block: words("internal_module module"),
  compound_statement: words("namespace_definition"),
};

/** These are what they wrap. */
export const WRAPPERS = words(`decorated_definition export_statement template_declaration expression_statement
  global_statement ambient_declaration`);

/** Functions without a declaration: callbacks, lambdas, blocks. */
export const FUNCTION_VALUES =
  words(`arrow_function function_expression generator_function func_literal closure_expression
  lambda_expression anonymous_function anonymous_method_expression lambda_literal do_block lambda`);

/** On the way from a statement to a method of an object in it. */
export const OBJECT_PATH =
  words(`lexical_declaration variable_declaration variable_declarator object pair export_statement
  expression_statement assignment_expression arguments call_expression new_expression parenthesized_expression
  as_expression satisfies_expression`);

/** Calls whose callback holds units: test suites and the like. */
export const GROUPING = /^(?:[\w.]+\.)?(?:[fx]?describe|context|suite|namespace|shared_examples(?:_for)?)$/;
export const CALLS = words("call_expression call");
export const CALL_PATH =
  words(`arguments argument_list arrow_function function_expression statement_block do_block
  body_statement block`);

export const COMMENTS = words("comment line_comment block_comment multiline_comment");

/** The node is a comment, in whichever grammar. */
export function isComment(node: { readonly type: string }): boolean {
  return COMMENTS.has(node.type);
}

/** Bodies of declarations whose grammar has no field for them. */
export const BODY_TYPES =
  words(`function_body class_body block compound_statement statement_block body_statement
  declaration_list field_declaration_list accessor_list arrow_expression_clause enum_body enum_class_body interface_body
  constructor_body`);
