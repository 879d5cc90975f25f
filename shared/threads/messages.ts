/** What a thread and its owner say to each other. */

/** To the thread. */
export type ToThread<Request> =
  | { readonly kind: "run"; readonly id: number; readonly request: Request }
  | { readonly kind: "cancel"; readonly id: number };

/** From the thread; `ready` once, before everything else. */
export type FromThread<Reply> =
  | { readonly kind: "ready" }
  /** It begins with a step of a request; there is no other work until it says something else. */
  | { readonly kind: "step"; readonly id: number; readonly about: string | undefined }
  | { readonly kind: "done"; readonly id: number; readonly reply: Reply }
  /** Without a code it was no failure that a person can do something about. */
  | {
      readonly kind: "failed";
      readonly id: number;
      readonly code: string | undefined;
      readonly message: string;
    };
