// Text as bytes of UTF-8, and back.
export const encoder = new TextEncoder();
export const decoder = new TextDecoder();

// How many bytes there are.
export const bytesOf = text => encoder.encode(text).length;
