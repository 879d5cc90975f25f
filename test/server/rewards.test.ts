/** The reward functions for trainers against a real server, and pairs for fine-tuning. They are Python: without it there is nothing to run. */
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { expect, test } from "vitest";
import { serverScript } from "../../server/files/package-files.ts";

const python = ["python3", "python"].find((name) => {
  const { status, stdout } = spawnSync(name, ["-c", "import sys; print(sys.version_info >= (3, 10))"], {
    encoding: "utf8",
  });
  return status === 0 && stdout.trim() === "True";
});

/** Ten seconds of work; the rest is for a machine that is busy with other things. */
const PATIENCE_MS = 600_000;

const TESTS = [
  "test_valid_programs_get_softplus_of_the_logit_and_all_else_gets_zero",
  "test_more_samples_of_a_problem_than_a_request_may_have",
  "test_a_server_that_is_busy_or_loses_a_connection_is_asked_again",
  "test_a_refusal_is_not_repeated_and_says_why",
  "test_verl_single_and_batched_agree_and_read_the_problem_from_extra_info",
  "test_trl_takes_texts_and_conversations",
  "test_openrlhf_as_a_service",
];

test.skipIf(python === undefined)("the editor's export is what fine-tuning reads (needs Python 3.10)", () => {
  const { status, stderr } = spawnSync(python ?? "", ["-m", "unittest", "test_preference_pairs"], {
    cwd: join(import.meta.dirname, "../../training"),
    env: { ...process.env, PYTHONDONTWRITEBYTECODE: "1" },
    encoding: "utf8",
  });
  expect(status, stderr).toBe(0);
});

test.skipIf(python === undefined)(
  "the rewards that OpenRLHF, veRL and TRL get are the server's (needs Python 3.10)",
  () => {
    const names = TESTS.map((name) => `test_rewards.Rewards.${name}`);
    const { status, stderr } = spawnSync(
      python ?? "",
      ["-m", "unittest", ...names, "test_rewards.Conversations"],
      {
        cwd: join(import.meta.dirname, "../../training/rewards"),
        env: { ...process.env, CODESCALER_SERVER: serverScript, PYTHONDONTWRITEBYTECODE: "1" },
        encoding: "utf8",
      },
    );
    expect(status, stderr).toBe(0);
  },
  PATIENCE_MS,
);
