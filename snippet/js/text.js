// Text as bytes of UTF-8, and back.
const encoder = new TextEncoder();
const decoder = new TextDecoder();

// How many bytes there are.
export const bytesOf = text => encoder.encode(text).length;

// How many bytes of a text fit.
export const encodeInto = (text, room) => encoder.encodeInto(text, room).written;

export const decode = bytes => decoder.decode(bytes);
