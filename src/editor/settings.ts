/** The only reader of configuration: each setting once, with its type, its default and its bounds. */

/** How a setting's raw value becomes a value that can be relied on. */
export interface Setting<T> {
  readonly fallback: T;
  /** The same as package.json says it, in JSON schema. */
  readonly schema: Readonly<Record<string, unknown>>;
  /** Undefined where the value cannot be meant; the default is taken then. */
  parse(value: unknown): T | undefined;
}

function bool(fallback: boolean): Setting<boolean> {
  return {
    fallback,
    schema: { type: "boolean" },
    parse: (value) => (typeof value === "boolean" ? value : undefined),
  };
}

/** A number outside its bounds is taken to the nearer one. */
function number(fallback: number, least: number, most: number): Setting<number> {
  return {
    fallback,
    schema: { type: "number", ...bounds(least, most) },
    parse: (value) =>
      typeof value === "number" && Number.isFinite(value)
        ? Math.min(most, Math.max(least, value))
        : undefined,
  };
}

/** What is only bounded by what a number can hold is not bounded. */
function bounds(minimum: number, maximum: number): Readonly<Record<string, number>> {
  return maximum === Number.MAX_SAFE_INTEGER ? { minimum } : { minimum, maximum };
}

function whole(fallback: number, least: number, most: number): Setting<number> {
  const { parse } = number(fallback, least, most);
  return {
    fallback,
    schema: { type: "integer", ...bounds(least, most) },
    parse: (value) => {
      const parsed = parse(value);
      return parsed === undefined ? undefined : Math.round(parsed);
    },
  };
}

function text(fallback: string): Setting<string> {
  return {
    fallback,
    schema: { type: "string" },
    parse: (value) => (typeof value === "string" ? value.trim() : undefined),
  };
}

function oneOf<const T extends string>(values: readonly [T, ...T[]]): Setting<T> {
  return {
    fallback: values[0],
    schema: { type: "string", enum: values },
    parse: (value) => values.find((known) => known === value),
  };
}

function texts(fallback: readonly string[]): Setting<readonly string[]> {
  return {
    fallback,
    schema: { type: "array", items: { type: "string" } },
    parse: (value) =>
      Array.isArray(value) ? value.filter((item): item is string => typeof item === "string") : undefined,
  };
}

/** Lists of objects are checked by whoever knows their shape. */
function list(): Setting<readonly unknown[]> {
  return {
    fallback: [],
    schema: { type: "array" },
    parse: (value) => (Array.isArray(value) ? value : undefined),
  };
}

/** Files that tend to hold credentials, whatever language they are shown in. */
export const SECRET_FILES: readonly string[] = [
  "**/.env",
  "**/.env.*",
  "**/*.env",
  "**/.envrc",
  "**/.netrc",
  "**/.npmrc",
  "**/.pypirc",
  "**/.git-credentials",
  "**/.ssh/**",
  "**/.aws/**",
  "**/.kube/**",
  "**/.gnupg/**",
  "**/id_rsa*",
  "**/id_ecdsa*",
  "**/id_ed25519*",
  "**/*.{pem,key,p12,pfx,jks,keystore,ppk,kdbx,asc}",
  "**/*{secret,credential,Secret,Credential}s.*",
  "**/{secret,credential}.*",
];

/** Every setting by its name below `codescaler.`. package.json and docs/settings.md are generated from it. */
export const SETTINGS = {
  enable: bool(true),
  "automatic.enable": bool(true),
  "automatic.candidates": whole(4, 1, 32),
  "automatic.budget": whole(4000, 200, 30_000),
  "automatic.debounce": whole(150, 0, 5000),
  "automatic.minimumProbability": number(0.1, 0, 1),
  "automatic.prefetch": bool(true),
  candidates: whole(8, 1, 64),
  maxTokens: whole(256, 16, 4096),
  temperature: number(0.8, 0, 2),
  sources: list(),
  dailyRequestLimit: whole(2000, 0, Number.MAX_SAFE_INTEGER),
  dailyTokenLimit: whole(500_000, 0, Number.MAX_SAFE_INTEGER),
  exclude: texts([]),
  secretFiles: texts(SECRET_FILES),
  rewardModel: text(""),
  device: oneOf(["auto", "gpu", "cpu"]),
  "server.url": text(""),
  "server.engines": texts([]),
  "server.unloadAfter": whole(5, 0, 1440),
  "hover.enable": bool(true),
  "statistics.enable": bool(true),
  "preferences.enable": bool(false),
} as const satisfies Record<string, Setting<unknown>>;

export type SettingName = keyof typeof SETTINGS;
type ValueOf<S> = S extends Setting<infer T> ? T : never;
/** A snapshot; it never changes. */
export type Settings = { readonly [Name in SettingName]: ValueOf<(typeof SETTINGS)[Name]> };

/**
 * Settings that name an endpoint, a program's input or what may be read: a workspace that is not trusted does
 * not decide them. package.json lists them under `restrictedConfigurations`.
 */
export const RESTRICTED: readonly SettingName[] = [
  "sources",
  "dailyRequestLimit",
  "dailyTokenLimit",
  "secretFiles",
  "rewardModel",
  "device",
  "server.url",
  "server.engines",
];

/** Where raw values come from, by a setting's name below `codescaler.`; undefined = not set there. */
export interface RawSettings {
  /** What applies, from all places. */
  value(name: SettingName): unknown;
  /** What the user set, without the workspace. */
  user(name: SettingName): unknown;
}

/**
 * Builds a snapshot.
 * @param trusted whether the workspace may decide about restricted settings
 */
export function readSettings(raw: RawSettings, trusted: boolean): Settings {
  const entries = (Object.keys(SETTINGS) as SettingName[]).map((name) => {
    const setting: Setting<unknown> = SETTINGS[name];
    const chosen = !trusted && RESTRICTED.includes(name) ? raw.user(name) : raw.value(name);
    return [name, setting.parse(chosen) ?? setting.fallback] as const;
  });
  return Object.freeze(Object.fromEntries(entries)) as Settings;
}
