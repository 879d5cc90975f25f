/** The source of samples where there is none: says how to get one. */
import { ServiceError } from "../errors.ts";
import type { SampleSource } from "./samples.ts";

export const noWriter: SampleSource = {
  draw: async () => {
    throw new ServiceError(
      "model_not_found",
      "There is nothing here that writes samples. Start the server with --upstream URL, the address of an OpenAI-compatible server.",
    );
  },
};
