/** A JSON document of a site. */
import { ServiceError } from "../errors.ts";
import { get, type SiteResponse } from "./get.ts";
import { refusalOf, requireNoPage } from "./refusals.ts";
import { Passing, retrying } from "./retry.ts";
import type { Site } from "./site.ts";

/** A listing of 10,000 files has 3 MB. */
const LARGEST_REPLY = 16 * 2 ** 20;

/**
 * Gets and parses it.
 * @param what it describes, for messages
 * @throws ServiceError download_failed, model_not_found; the signal's reason when aborted
 */
export async function getJson(
  site: Site,
  address: string,
  what: string,
  signal: AbortSignal,
): Promise<{ readonly json: unknown; readonly response: SiteResponse }> {
  return retrying(
    async () => {
      const response = await get(site, address, signal, { Accept: "application/json" });
      const { host } = response.url;
      if (response.status !== 200) throw refusalOf(site, response, what);
      requireNoPage(site, response, `the description of ${what}`);
      const parts: Uint8Array[] = [];
      let size = 0;
      for await (const chunk of response.body) {
        size += chunk.byteLength;
        if (size > LARGEST_REPLY) {
          throw new ServiceError("download_failed", `${host} answers without end. Check ${site.setting}.`);
        }
        parts.push(chunk);
      }
      try {
        return { json: JSON.parse(Buffer.concat(parts).toString("utf8")), response };
      } catch (error) {
        throw new Passing(
          `${host} answered with something that is no JSON. Check ${site.setting} and the network.`,
          error,
        );
      }
    },
    { signal, firstMs: site.retryMs, onWait: site.onWait },
  );
}
