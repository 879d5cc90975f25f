/** The part of mocha that the suite uses; mocha itself lives in the host's own node_modules. */
declare module "mocha" {
  type Body = () => void | Promise<void>;
  export interface Test {
    fullTitle(): string;
    readonly duration?: number;
  }
  export interface Runner {
    on(event: "pass" | "pending", listener: (test: Test) => void): this;
    on(event: "fail", listener: (test: Test, error: Error) => void): this;
    on(event: "end", listener: () => void): this;
  }
  export default class Mocha {
    constructor(options: {
      ui: "bdd";
      timeout: number;
      forbidOnly?: boolean;
      grep?: string;
      reporter?: (runner: Runner) => void;
    });
    readonly suite: {
      emit(event: "pre-require", globals: typeof globalThis, file: string, mocha: Mocha): void;
    };
    run(done: (failures: number) => void): Runner;
  }
}

declare function describe(title: string, body: () => void): void;
declare var it: (title: string, body: import("mocha").Body) => void;
declare function before(body: import("mocha").Body): void;
declare function after(body: import("mocha").Body): void;
declare function beforeEach(body: import("mocha").Body): void;
declare function afterEach(body: import("mocha").Body): void;
