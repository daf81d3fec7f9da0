// What Wasm pulls while it captures one event, field by field, and what it hands back.
//
// A field's settings are a list, as the generator writes them:
// [name, flags, source, longest text, lowest, highest, allowed texts one a line]; flags are those of `src/lib.rs`.
import { imports, text } from 'beaconry:wasm';
import { UNREADABLE } from './kinds.js';
import { note } from './notes.js';
import { read } from './page.js';
import { decoder, encoder } from './text.js';

// The largest texts that cross over, in bytes; `src/lib.rs` has room for them.
const TEXT_ROOM = 48 * 1024;
const ALLOWED_ROOM = 200 * (4 * 200 + 1);

const KINDS = ['text', 'bool', 'date', 'timestamp', 'number', 'decimal'];
const CODES = ['', 'missing_field', 'unexpected_field', 'wrong_type', 'too_long', 'not_allowed', 'out_of_range'];

// The engine, once Wasm is up, and its buffer: its memory never grows.
let wasm;
let buffer;
// The capture that is under way; another can begin inside it, where reading the page runs the page's own code.
let now;
// The value that was pulled last.
let value;

// How many bytes of a text fit.
const write = (text, place, room) => encoder.encodeInto(text, buffer.subarray(place, place + room)).written;
const textAt = (start, end) => decoder.decode(buffer.subarray(start, end));

// What a mapping finds; nothing where the page does not let itself be read, or a selector is none.
const find = ([name, flags, source]) => {
  try {
    return read(source, now.context, flags & 7);
  } catch (error) {
    note(UNREADABLE, name, error);
  }
};

export const setting = (field, place) => now.fields[field][place];

export const pull = field => {
  const settings = now.fields[field];
  let came = 1;
  value = now.given[settings[0]];
  if (value == null) {
    value = find(settings);
    came = 2;
  }
  return value?.big ? came + 8 * write(value, 0, TEXT_ROOM)
    : { number: 3, boolean: value ? 5 : 4, undefined: 0 }[typeof value] ?? 6;
};

export const allowed = (field, place) => write(now.fields[field][6] || '', place, ALLOWED_ROOM);

export const parse = (start, end) => +(end ? textAt(start, end) : value);

export const put_text = (field, start, end) => {
  now.data[now.fields[field][0]] = textAt(start, end);
};

export const put_number = (field, number) => {
  const [name, flags] = now.fields[field];
  now.data[name] = (flags & 7) == 1 ? !!number : number;
};

export const fail = (field, code) => {
  const [name, flags, , longest, lowest, highest, texts] = now.fields[field];
  const expected = { 4: 'at most ' + longest, 5: texts, 6: [lowest, highest].join('..') }[code] || KINDS[flags & 7];
  now.errors.push({ field: name, code: CODES[code], expected, got: value });
};

// Captures one event: what was given to `track()`, else what the settings say is in the trigger's context or on the page.
// The outcome holds `data`, and `errors` by field. Without Wasm nothing is converted or checked.
export const capture = (fields, given, context) => {
  const outer = now;
  const mine = now = { fields, given: { __proto__: null, ...given }, context, data: {}, errors: [] };
  try {
    if (wasm) {
      unexpected(mine);
      wasm[WASM_CAPTURE](fields.length);
    } else {
      raw(mine);
    }
  } finally {
    now = outer;
  }
  return mine;
};

const unexpected = ({ fields, given, errors }) => {
  for (const name in given) {
    if (!fields.some(field => field[0] == name)) {
      errors.push({ field: name, code: CODES[2], expected: '', got: given[name] });
    }
  }
};

// Values as they are, for the collector to convert and check.
const raw = ({ fields, given, data }) => {
  Object.assign(data, given);
  for (const field of fields) {
    data[field[0]] ??= find(field);
  }
  for (const name in data) {
    // Half a surrogate pair would make the event unreadable; it becomes U+FFFD, as in the checked way.
    data[name] = data[name]?.toWellFormed?.() ?? data[name];
  }
};

// Whether values are checked here.
export const checks = () => wasm;

// The engine's bytes, which its script holds as text of one character each. Character by character it is a loop that browsers
// set about compiling.
const bytes = () => Uint8Array.fromBase64?.(btoa(text)) || Uint8Array.from(text, character => character.charCodeAt());

// Starts the engine, at once: so small a module is compiled sooner here than handed to another thread and back. Where a
// policy refuses Wasm, values go unchecked.
export const start = () => {
  wasm = new WebAssembly.Instance(new WebAssembly.Module(bytes()), imports()).exports;
  buffer = new Uint8Array(wasm[WASM_MEMORY].buffer, BUFFER);
};
