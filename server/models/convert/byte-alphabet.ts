/**
 * The letters that byte-level BPE writes bytes with (GPT-2): printable Latin-1 characters are themselves,
 * the other 68 bytes for the characters from U+0100 on, in order.
 * @returns 256 characters, index = byte
 */
export function byteAlphabet(): readonly string[] {
  let next = 0x100;
  return Array.from({ length: 256 }, (_, byte) => {
    const printable =
      (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte <= 0xac) || (byte >= 0xae && byte <= 0xff);
    return String.fromCharCode(printable ? byte : next++);
  });
}
