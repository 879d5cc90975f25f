/** What is used of WebAssembly's JavaScript interface: its types are part of the DOM's, which are not for a server. */
declare namespace WebAssembly {
  type Exports = Readonly<Record<string, ((...args: number[]) => unknown) | object>>;
  class Memory {
    constructor(size: { readonly initial: number });
    readonly buffer: ArrayBuffer;
  }
  class Module {
    constructor(bytes: Uint8Array);
  }
  class Instance {
    constructor(module: Module, imports: Readonly<Record<string, Readonly<Record<string, Memory>>>>);
    readonly exports: Exports;
  }
}
