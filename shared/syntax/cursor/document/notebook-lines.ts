/** Lines of a notebook that are for IPython, made comments of the same length. */
export function masked(text: string): string {
  return text.replace(/^([ \t]*)[%!](?=[%\w])/gm, "$1#");
}
