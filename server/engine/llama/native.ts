/**
 * koffi, set up for llama.cpp. The only file that imports it, because its settings count only before the first library
 * is loaded.
 */
import koffi from "koffi";

/**
 * Stack of a native call outside the event loop's thread, in bytes: what a main thread has on Linux. koffi's 128 KiB are
 * just enough for the smallest model; compilers inside GPU drivers need far more, and an overflow ends the process. The
 * system gives memory only to what is used of it.
 */
const ASYNC_STACK_BYTES = 8 * 1024 ** 2;

koffi.config({ async_stack_size: ASYNC_STACK_BYTES });

export type Library = ReturnType<typeof koffi.load>;
export type NativeFunction = ReturnType<Library["func"]>;

/** Runs a native function outside the event loop's thread. What its arguments point to must live until it returns. */
export function inWorker<T>(fn: NativeFunction, ...args: unknown[]): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    fn.async(...args, (error: Error | null, result: T) => (error ? reject(error) : resolve(result)));
  });
}

/**
 * A copy of native floats. A view of them would be quicker still, but Electron forbids buffers outside of its own heap:
 * there koffi's `view` ends the process.
 * @param pointer address of at least `length` floats
 */
export function copyFloats(pointer: unknown, length: number): Float32Array {
  return koffi.decode(pointer, "float", length);
}

export { koffi };
