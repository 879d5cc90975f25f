/** One server for all windows of a user: real windows, real servers, and what happens when any of them is killed. */
import { afterEach, expect, test } from "vitest";
import { Home, isRunning, LARGE, SMALL, until } from "../../helpers/windows.ts";

const homes: Home[] = [];

function newHome(env?: NodeJS.ProcessEnv): Home {
  const home = new Home(env);
  homes.push(home);
  return home;
}

afterEach(async () => {
  for (const home of homes.splice(0)) await home.dispose();
});

test("five windows that start at the same moment share one server", async () => {
  const home = newHome();
  const windows = await Promise.all(Array.from({ length: 5 }, () => home.window()));
  const urls = await Promise.all(windows.map((window) => window.tell({ do: "join" })));
  expect(new Set(urls).size).toBe(1);
  expect(await Promise.all(windows.map((window) => window.tell(SMALL)))).toEqual([2, 2, 2, 2, 2]);
  expect(home.starts()).toBe(1);
  expect(home.left()).toEqual(["server-v1.json"]);
});

test("a server outlives the window that started it, serves the others, and ends after the last", async () => {
  const home = newHome({ CODESCALER_EXIT_AFTER: "2" });
  const first = await home.window();
  const url = await first.tell({ do: "join" });
  const second = await home.window();
  expect(await second.tell({ do: "join" })).toBe(url);
  const server = home.lease()?.pid ?? 0;
  await first.kill();
  expect(await second.tell(SMALL)).toBe(2);
  // Longer than the time after which it ends without windows.
  await new Promise((resolve) => setTimeout(resolve, 3500));
  expect(isRunning(server)).toBe(true);
  await second.kill();
  await until("the server ends", () => !isRunning(server));
  expect(home.left()).toEqual([]);
  expect(home.starts()).toBe(1);
});

test("a server that is killed is replaced by one, and every request is answered", async () => {
  const home = newHome();
  const windows = await Promise.all([home.window(), home.window()]);
  await Promise.all(windows.map((window) => window.tell({ do: "join" })));
  const server = home.lease()?.pid ?? 0;
  const replies = windows.map((window) => window.tell(LARGE));
  await new Promise((resolve) => setTimeout(resolve, 300));
  process.kill(server, "SIGKILL");
  expect(await Promise.all(replies)).toEqual([24, 24]);
  expect(home.lease()?.pid).not.toBe(server);
  expect(home.starts()).toBe(2);
});
