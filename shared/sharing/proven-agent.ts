/**
 * Connections to the server of a lease. Each one is challenged before a request may use it: a port that another
 * process took over a moment ago is sent neither token nor code.
 */
import { Agent } from "node:http";
import { connect, type Socket } from "node:net";
import type { Duplex } from "node:stream";
import type { Lease } from "./lease.ts";
import { CHALLENGE_PATH, isProof, newNonce } from "./proof.ts";

/** A server answers at once even while it loads or scores; a busy machine is given time. */
export const CHALLENGE_TIMEOUT_MS = 5000;
/** For each of two tries to find out whether a server lives: a start must not be held up by what is silent. */
const ALIVE_TIMEOUT_MS = 1200;
/** The answer has some 200 bytes; what sends more is not ours. */
const MAX_ANSWER_BYTES = 4096;

/** What listens at the lease's port is not the lease's server, or nobody listens. */
export class UnprovedError extends Error {
  override readonly name = "UnprovedError";
  /** As system errors have one. */
  readonly code = "EUNPROVED";
  /** Nothing came back: it may be a busy machine. */
  readonly silent: boolean;

  constructor(message: string, silent = false) {
    super(message);
    this.silent = silent;
  }
}

/**
 * Connects and has the other side prove that it is the lease's server.
 * @throws UnprovedError, or a system error (ECONNREFUSED …)
 */
export function provenSocket(lease: Lease, timeoutMs = CHALLENGE_TIMEOUT_MS): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const nonce = newNonce();
    const socket = connect({ host: "127.0.0.1", port: lease.port, noDelay: true });
    let answer = "";
    const finish = (error?: Error) => {
      clearTimeout(timer);
      // Only ours: the socket has listeners of its own.
      socket.off("error", finish).off("close", closed).off("data", read);
      if (!error) return resolve(socket);
      // An error after the end interests nobody.
      socket.on("error", () => {}).destroy();
      reject(error);
    };
    const closed = () => finish(new UnprovedError("The connection was closed."));
    const read = (chunk: Buffer) => {
      answer += chunk.toString("latin1");
      const body = wholeBody(answer);
      if (answer.length > MAX_ANSWER_BYTES) finish(new UnprovedError("The answer is too long."));
      else if (body === undefined) return;
      else if (isProof(lease, nonce, proofIn(body))) finish();
      else finish(new UnprovedError("The proof is wrong."));
    };
    const timer = setTimeout(
      () => finish(new UnprovedError("There was no answer in time.", true)),
      timeoutMs,
    );
    socket.once("error", finish).once("close", closed).on("data", read);
    socket.once("connect", () => {
      socket.write(
        `GET ${CHALLENGE_PATH}?nonce=${nonce} HTTP/1.1\r\nHost: 127.0.0.1:${lease.port}\r\nConnection: keep-alive\r\n\r\n`,
      );
    });
  });
}

/** The body of an HTTP reply, once all of it is there. */
function wholeBody(text: string): string | undefined {
  const end = text.indexOf("\r\n\r\n");
  if (end < 0) return undefined;
  const length = /\r\ncontent-length: *(\d+)/i.exec(text.slice(0, end))?.[1];
  const body = text.slice(end + 4);
  return body.length < Number(length ?? 0) ? undefined : body;
}

function proofIn(body: string): unknown {
  try {
    const value: unknown = JSON.parse(body);
    return typeof value === "object" && value !== null && "proof" in value ? value.proof : undefined;
  } catch {
    return undefined;
  }
}

/** Whether the lease's server lives. Two tries: a machine that just woke up may need one. */
export async function proves(lease: Lease, timeoutMs = ALIVE_TIMEOUT_MS): Promise<boolean> {
  for (let attempt = 0; attempt < 2; attempt++) {
    try {
      (await provenSocket(lease, timeoutMs)).destroy();
      return true;
    } catch (error) {
      // Nobody listens, or someone else: that is final. Only silence may be a busy machine.
      if (!(error instanceof UnprovedError && error.silent)) return false;
    }
  }
  return false;
}

/** An agent whose connections are all proven. */
export class ProvenAgent extends Agent {
  readonly #lease: Lease;

  constructor(lease: Lease) {
    super({ keepAlive: true, maxSockets: 16 });
    this.#lease = lease;
  }

  override createConnection(
    _options: unknown,
    callback?: (error: Error | null, stream: Duplex) => void,
  ): undefined {
    provenSocket(this.#lease).then(
      (socket) => callback?.(null, socket),
      (error: Error) => {
        // The second argument is not read when there is an error.
        Reflect.apply(callback ?? (() => {}), undefined, [error]);
      },
    );
  }
}
