/** The Hugging Face Hub as a site to download from: where it is, its token, and what its refusals mean. */

import { withoutEnd } from "../../../shared/text-end.ts";
import type { SiteResponse } from "../../downloads/get.ts";
import { checkEndpoint, PATIENCE, type Site } from "../../downloads/site.ts";
import { ServiceError } from "../../errors.ts";
import type { Environment } from "../../files/folders.ts";

const ENDPOINT = "https://huggingface.co";

/**
 * The Hub or the mirror that `HF_ENDPOINT` names, with the token of `HF_TOKEN`.
 * @throws ServiceError invalid_request
 */
export function hubFromEnvironment(env: Environment = process.env): Site {
  const token = env["HF_TOKEN"]?.trim() || undefined;
  if (token !== undefined && !/^[\x21-\x7e]+$/.test(token)) {
    throw new ServiceError("invalid_request", "HF_TOKEN holds characters that no token has. Set it anew.");
  }
  return hubAt(withoutEnd(env["HF_ENDPOINT"]?.trim() || ENDPOINT, "/"), token);
}

/**
 * The Hub at an address.
 * @throws ServiceError invalid_request
 */
export function hubAt(endpoint: string, token?: string): Site {
  checkEndpoint(endpoint, token, {
    wrong: "HF_ENDPOINT is not the address of a Hub, such as https://huggingface.co. Correct or unset it.",
    open: () =>
      `HF_TOKEN would travel unencrypted to ${endpoint}. Use an https address in HF_ENDPOINT, or unset HF_TOKEN.`,
  });
  return {
    endpoint,
    token,
    setting: "HF_ENDPOINT",
    ...PATIENCE,
    refusal: (response, repository) => hubRefusal({ endpoint, token }, response, repository),
  };
}

function hubRefusal(
  { endpoint, token }: Pick<Site, "endpoint" | "token">,
  response: SiteResponse,
  repository: string,
): ServiceError {
  const { status } = response;
  const { host } = response.url;
  const code = response.header("x-error-code") ?? "";
  const page = `${endpoint}/${repository}`;
  const failed = (message: string) => new ServiceError("download_failed", message);
  if (code === "GatedRepo") {
    return failed(
      token === undefined
        ? `${repository} is gated. Accept its terms at ${page}, then set HF_TOKEN to a token of that account.`
        : `The account of HF_TOKEN has no access to ${repository}. Ask for it at ${page}, and let the token read gated repositories.`,
    );
  }
  if (status === 403) {
    return failed(
      `${host} refuses ${repository} (status 403). If it is gated, accept its terms at ${page} and set HF_TOKEN; otherwise a proxy may forbid it.`,
    );
  }
  if (status === 401 && token !== undefined && code !== "RepoNotFound") {
    return failed(`${host} does not accept HF_TOKEN. Make a new token at ${endpoint}/settings/tokens.`);
  }
  if (code === "RevisionNotFound") {
    return new ServiceError(
      "model_not_found",
      `${repository} has no such revision. See its branches and commits at ${page}.`,
    );
  }
  if (status === 401 || status === 404) {
    return new ServiceError(
      "model_not_found",
      token === undefined
        ? `${host} knows no ${repository}, or it is private. Check the name; for a private one set HF_TOKEN.`
        : `${host} knows no ${repository} that the account of HF_TOKEN may see. Check the name.`,
    );
  }
  return failed(`${host} refuses the request (status ${status}). Check HF_ENDPOINT and the network.`);
}
