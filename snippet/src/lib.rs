//! The engine in the visitor's browser: it leads the capture of one event, and asks the model what is valid.
//!
//! Settings and values live in JavaScript (`js/host.js`). Numbers and one static buffer are all that crosses over:
//! strings through bindgen, an allocator or a number parser would each cost more bytes than this whole crate.
#![no_std]

use beaconry_model::check::{Rule, check};
use beaconry_model::convert::{Convert, Converted, DateOrder, Decimals, ROOM, convert};
use beaconry_model::value::{Kind, Value};
use wasm_bindgen::prelude::wasm_bindgen;

/// The most bytes of one text: an event has at most 16 KiB, and a character of JavaScript takes up to three.
const TEXT: usize = 48 * 1024 + ROOM;
/// The most bytes of a field's allowed values: 200 of 200 characters, four bytes each, one a line.
const ALLOWED: usize = 200 * (4 * 200 + 1);

/// Where JavaScript writes text: a value at the start, the values its field allows behind it.
static mut BUFFER: [u8; TEXT + ALLOWED] = [0; TEXT + ALLOWED];

#[wasm_bindgen(raw_module = "../js/host.js")]
unsafe extern "C" {
    /// A number of a field's settings, by its place in them; NaN where there is none.
    safe fn setting(field: u32, place: u32) -> f64;
    /// Fetches a field's value: how it came ([`Came::of`] lists the ways), plus eight times its length where it is text,
    /// which is then in the buffer.
    safe fn pull(field: u32) -> usize;
    /// Writes the texts a field allows into the buffer, one a line, from this place on; their length, 0 for none.
    safe fn allowed(field: u32, place: usize) -> usize;
    /// The number that the buffer's text says; where the end is 0, the pulled value itself.
    safe fn parse(start: usize, end: usize) -> f64;
    /// Takes text that fits, from the buffer.
    safe fn put_text(field: u32, start: usize, end: usize);
    /// Takes a number that fits, or a truth as 0 or 1.
    safe fn put_number(field: u32, number: f64);
    /// Takes note of a value that does not fit.
    safe fn fail(field: u32, code: u32);
}

/// Places in a field's settings.
mod place {
    /// Kind (bits 0 to 2), required (3), decimal sign (4 and 5), order of dates (6 and 7).
    pub(crate) const FLAGS: u32 = 1;
    /// The longest text.
    pub(crate) const MAX_CHARS: u32 = 3;
    /// The lowest number.
    pub(crate) const LOW: u32 = 4;
    /// The highest number.
    pub(crate) const HIGH: u32 = 5;
}

/// Where the buffer lies in memory.
#[wasm_bindgen]
pub fn buffer() -> *mut u8 {
    (&raw mut BUFFER).cast()
}

/// Captures one event of this many fields: each is pulled, converted where a page wrote it, checked, and put or failed.
#[wasm_bindgen]
pub fn capture(fields: u32) {
    for field in 0..fields {
        let flags = setting(field, place::FLAGS) as u8;
        let kind = Kind::from_number(flags & 7).unwrap_or(Kind::Text);
        let came = Came::of(field, kind, flags);
        let rule = Rule {
            kind,
            required: flags & 8 != 0,
            max_chars: limit(field, place::MAX_CHARS).map(|max| max as u32),
            low: limit(field, place::LOW),
            high: limit(field, place::HIGH),
            allowed: allowed_texts(field),
        };
        if let Err(violation) = check(&rule, came.value()) {
            fail(field, violation as u32);
            continue;
        }
        match came {
            Came::Text(start, end) => put_text(field, start, end),
            Came::Number(number) => put_number(field, number),
            Came::Bool(truth) => put_number(field, truth.into()),
            Came::Absent | Came::Other => {}
        }
    }
}

/// A field's value as it came, text by its place in the buffer.
enum Came {
    Absent,
    Text(usize, usize),
    Number(f64),
    Bool(bool),
    Other,
}

impl Came {
    fn of(field: u32, kind: Kind, flags: u8) -> Came {
        let pulled = pull(field);
        let len = pulled >> 3;
        match pulled & 7 {
            0 => Came::Absent,
            1 => Came::Text(0, len),
            2 => Came::converted(kind, flags, len),
            3 => Came::Number(parse(0, 0)),
            4 => Came::Bool(false),
            5 => Came::Bool(true),
            _ => Came::Other,
        }
    }

    /// What a mapping read on the page.
    fn converted(kind: Kind, flags: u8, len: usize) -> Came {
        let decimals = match flags >> 4 & 3 {
            0 => Decimals::Auto,
            1 => Decimals::Point,
            _ => Decimals::Comma,
        };
        let dates = match flags >> 6 {
            0 => DateOrder::Ymd,
            1 => DateOrder::Dmy,
            _ => DateOrder::Mdy,
        };
        match convert(kind, Convert { decimals, dates }, bytes(0, TEXT), len) {
            Converted::Absent => Came::Absent,
            Converted::Text(start, end) => Came::Text(start, end),
            Converted::Bool(truth) => Came::Bool(truth),
            Converted::Number(start, end) => Came::Number(parse(start, end)),
            Converted::Unreadable => Came::Text(0, len),
        }
    }

    fn value(&self) -> Option<Value<'static>> {
        match *self {
            Came::Absent => None,
            Came::Text(start, end) => Some(Value::Text(bytes(start, end))),
            Came::Number(number) => Some(Value::Num(number)),
            Came::Bool(truth) => Some(Value::Bool(truth)),
            Came::Other => Some(Value::Other),
        }
    }
}

fn limit(field: u32, place: u32) -> Option<f64> {
    let limit = setting(field, place);
    (!limit.is_nan()).then_some(limit)
}

fn allowed_texts(field: u32) -> Option<&'static [u8]> {
    match allowed(field, TEXT) {
        0 => None,
        len => Some(bytes(TEXT, TEXT + len)),
    }
}

/// Bytes of the buffer; none where the places are not in it.
#[expect(unsafe_code, reason = "the one static buffer that JavaScript writes to")]
fn bytes(start: usize, end: usize) -> &'static mut [u8] {
    if start > end || end > TEXT + ALLOWED {
        return &mut [];
    }
    // SAFETY: the places are within the buffer, and Wasm runs in one thread. No slice lives across an import that writes
    // to its part: a value's slices are made after its `pull`, the allowed texts' after `allowed`, and the two parts do
    // not overlap.
    unsafe { core::slice::from_raw_parts_mut(buffer().add(start), end - start) }
}

/// wasm-bindgen links against an allocator; nothing here ever asks it for memory.
#[cfg(target_arch = "wasm32")]
mod no_memory {
    use core::alloc::{GlobalAlloc, Layout};

    struct NoMemory;

    #[global_allocator]
    static NO_MEMORY: NoMemory = NoMemory;

    #[expect(unsafe_code, reason = "a global allocator is an unsafe trait")]
    // SAFETY: handing out nothing is always sound.
    unsafe impl GlobalAlloc for NoMemory {
        unsafe fn alloc(&self, _: Layout) -> *mut u8 {
            core::ptr::null_mut()
        }

        unsafe fn dealloc(&self, _: *mut u8, _: Layout) {}
    }
}

#[cfg(target_arch = "wasm32")]
#[panic_handler]
fn panic(_: &core::panic::PanicInfo) -> ! {
    core::arch::wasm32::unreachable()
}
