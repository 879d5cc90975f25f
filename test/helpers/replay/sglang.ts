/** SGLang's server for a sequence classifier as its release 0.5.23 answers, with rewards from a function. */
import { listenOnLoopback, type ReceivedRequest, sendJson } from "./loopback.ts";
import type { Reward } from "./vllm-setups.ts";

export type SglangSetup =
  | "right"
  /** Labels of a classifier that is no reward model. */
  | "labels"
  /** The route is older than token ids: it answers that `text` is missing. */
  | "texts-only"
  /** Only the OpenAI-like route, which always applies a softmax. */
  | "softmax-only";

export interface SglangReplay extends AsyncDisposable {
  readonly url: string;
  readonly requests: readonly ReceivedRequest[];
}

export async function startSglang(reward: Reward, setup: SglangSetup = "right"): Promise<SglangReplay> {
  const requests: ReceivedRequest[] = [];
  const loopback = await listenOnLoopback(0, async (request, response) => {
    requests.push(request);
    const { method, path, body } = request;
    switch (`${method} ${path}`) {
      case "GET /health":
        response.writeHead(200).end();
        return;
      case "GET /v1/models":
        return sendJson(response, 200, {
          object: "list",
          data: [
            {
              id: "nano",
              object: "model",
              created: 1,
              owned_by: "sglang",
              root: "nano",
              max_model_len: 2048,
            },
          ],
        });
      case "POST /classify": {
        if (setup === "softmax-only") return sendJson(response, 404, { detail: "Not Found" });
        if (setup === "texts-only") {
          return sendJson(response, 400, { error: { message: "Input should be a text" } });
        }
        const inputs = body["input_ids"] as readonly (readonly number[])[];
        const rewards = Array.from(await reward(inputs));
        return sendJson(
          response,
          200,
          rewards.map((value, index) => ({
            embedding: setup === "labels" ? [value, -value] : [value],
            meta_info: { id: String(index), prompt_tokens: inputs[index]?.length, e2e_latency: 0.01 },
          })),
        );
      }
      default:
        return sendJson(response, 404, { detail: "Not Found" });
    }
  });
  return { url: loopback.url, requests, [Symbol.asyncDispose]: loopback.close };
}
