/** Addresses of engines as users write them. */
import { expect, test } from "vitest";
import { readTargets } from "../../../server/remote/targets.ts";

test("the number of requests at once may follow an address", () => {
  expect(readTargets(["https://gpu.example/#concurrency=32", "http://127.0.0.1:8000/v1"], undefined)).toEqual(
    [
      { base: "https://gpu.example", host: "gpu.example", token: undefined, concurrency: 32 },
      { base: "http://127.0.0.1:8000", host: "127.0.0.1:8000", token: undefined, concurrency: undefined },
    ],
  );
});

test.each(["#concurrency=0", "#concurrency=99999", "#concurrency=x", "#other=1"])("%s is refused", (hash) => {
  expect(() => readTargets([`http://127.0.0.1:8000${hash}`], undefined)).toThrow(/#concurrency=N may follow/);
});
