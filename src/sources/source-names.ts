/** Names of the configured sources for the status item, without loading what asks them. Pure. */

/** Entries of `codescaler.sources` that have a name and are not switched off. */
export function configuredSources(
  entries: readonly unknown[],
): readonly { readonly id: string; readonly label: string }[] {
  return entries.flatMap((entry) => {
    if (typeof entry !== "object" || entry === null) return [];
    const { id, label, model, kind, enabled } = entry as Readonly<Record<string, unknown>>;
    if (typeof id !== "string" || enabled === false) return [];
    const name = [label, model, kind].find((one) => typeof one === "string" && one !== "");
    return { id, label: typeof name === "string" ? name : id };
  });
}
