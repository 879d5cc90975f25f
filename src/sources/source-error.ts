/**
 * Everything that can be wrong with a source, as its user reads it: what is wrong, then the way out.
 * `{name}` stands for a value of the failure; the templates are what a translation replaces.
 */
export const FAILURES = {
  unreachable: "{source} does not answer at {address}. Start it, or correct its address in the settings.",
  timeout: "{source} did not answer within {seconds} s. See whether it is busy, or choose a smaller model.",
  deadline:
    "{source} had no completion ready within {seconds} s. Choose a faster model, or allow more time in the settings.",
  unauthorized: "{source} does not accept the API key. Set a valid key for this source.",
  forbidden:
    "{source} does not allow this with the given API key. Check what the key and its account may use.",
  no_credit: "The account of {source} has no credit left. Add credit there, or choose another source.",
  rate_limited: "{source} takes no more requests before {time}. It is left alone until then.",
  capped:
    "Today's limit for {source} is reached ({used} of {limit} {unit}). It is asked again tomorrow, or when you raise the limit in the settings.",
  no_model: "{source} has no model “{model}”. Install it there, or choose another model.",
  no_writer:
    "{source} has no model “{model}” on this machine any more. Choose one with “CodeScaler: Add a Source of Completions”.",
  not_written: "{source} could not write. {detail}",
  no_infill:
    "The model “{model}” of {source} cannot fill in the middle. Choose a code model that can, or use this source as chat.",
  loading: "{source} is still loading its model. It is asked again with the next request.",
  wrong_service:
    "{source} finds no such service at {address}. Correct the address or the kind of this source in the settings.",
  web_page:
    "{source} got a web page from {address} instead of completions. Check the address, and whether a proxy or a login stands in between.",
  redirected:
    "{address} redirects {source} to {target}. Set that address if you trust it; code and keys are not sent on by themselves.",
  malformed:
    "{source} sent an answer that cannot be read. Check the address and the kind of this source in the settings.",
  dropped: "{source} broke off in the middle of its answer. If that happens again, see its log.",
  too_large: "{source} sent more than {limit} MiB and was cut off. Check what answers at {address}.",
  rejected: "{source} refused the request (HTTP {status}). {detail}",
  failed: "{source} failed (HTTP {status}). {detail}",
  certificate:
    "The certificate of {address} is not trusted ({code}). Add its authority to the certificates of your system, or see the setting http.proxyStrictSSL.",
  proxy: "The proxy {proxy} does not let {source} through to {address}. Check the http.proxy settings.",
  bad_address:
    "{source} has the address “{address}”, which is not an http or https URL. Correct it in the settings.",
  no_editor_model:
    "The editor offers no language model for {source}. Sign in to a provider, or choose another source.",
  no_consent: "{source} may not be used by CodeScaler yet. Run the command again and allow it.",
  editor_refused:
    "{source} refused the request. Check the account and the limits of the editor's language models.",
  unexpected: "{source} failed in an unknown way. See the CodeScaler log, and report it if it happens again.",
} as const;

/** Values of failures that are words of ours, which a translation replaces too. */
export const WORDS = {
  no_reason: "It gave no reason; see its log.",
  reason_hidden: "Its reason quotes the request and is not shown.",
  another_address: "another address",
  loaded_model: "the loaded model",
  requests: "requests",
  tokens: "tokens",
} as const;

export type SourceErrorKind = keyof typeof FAILURES;

/** The values that the sentence of a failure names. Never a key, never code. */
export type SourceErrorValues = Readonly<Record<string, string>>;

/** What is wrong with a source: `message` is for the user, `kind` for the program. */
export class SourceError extends Error {
  override readonly name = "SourceError";
  readonly kind: SourceErrorKind;
  readonly values: SourceErrorValues;
  /** The source is left alone until then, in milliseconds since 1970; undefined when it may be asked again at once. */
  readonly retryAt: number | undefined;

  /** Takes no `cause` on purpose: errors of HTTP clients carry headers with keys and bodies with code. */
  constructor(kind: SourceErrorKind, values: SourceErrorValues, retryAt?: number) {
    super(sentence(FAILURES[kind], values));
    this.kind = kind;
    this.values = values;
    this.retryAt = retryAt;
  }
}

/** Fills the `{name}` places of a sentence; a value that is missing leaves nothing behind. */
function sentence(template: string, values: SourceErrorValues): string {
  return template.replaceAll(/\{(\w+)\}/g, (_, name: string) => values[name] ?? "").trim();
}

/**
 * Whether asking again is pointless until somebody changed something: the key, the model, the address.
 * Automatic requests then wait longer than explicit ones.
 */
export function needsSomebody(kind: SourceErrorKind): boolean {
  switch (kind) {
    case "unauthorized":
    case "forbidden":
    case "no_credit":
    case "no_model":
    case "no_writer":
    case "not_written":
    case "no_infill":
    case "wrong_service":
    case "web_page":
    case "redirected":
    case "malformed":
    case "too_large":
    case "rejected":
    case "certificate":
    case "proxy":
    case "bad_address":
    case "no_editor_model":
    case "no_consent":
    case "editor_refused":
      return true;
    case "unreachable":
    case "timeout":
    case "deadline":
    case "rate_limited":
    case "capped":
    case "loading":
    case "dropped":
    case "failed":
    case "unexpected":
      return false;
    default:
      kind satisfies never;
      return false;
  }
}
