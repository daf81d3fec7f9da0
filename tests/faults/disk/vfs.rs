//! SQLite's file interface with a [`Disk`] between it and the real files: the one place of the project with `unsafe`.
//!
//! Files outside a watched folder pass through untouched, and so do locks and shared memory everywhere: they are the real
//! ones, so that several connections and processes meet as they always do.
#![allow(unsafe_code, reason = "SQLite asks for its file system by C function pointers")]

use std::ffi::{CStr, c_char, c_int, c_void};
use std::mem::size_of;
use std::path::Path;
use std::ptr;
use std::sync::{Arc, Once, OnceLock};

use rusqlite::ffi::{self, sqlite3_file, sqlite3_io_methods, sqlite3_vfs};

use super::{Disk, File};

/// An open file: SQLite's head, the file it stands for where its folder is watched, and behind it the real file.
#[repr(C)]
struct Handle {
    head: sqlite3_file,
    /// From `Box::into_raw`; null where the file is not watched.
    watched: *mut Watched,
}

struct Watched {
    disk: Arc<Disk>,
    file: Arc<File>,
}

struct Real(*mut sqlite3_vfs);
// SQLite's own file system is made for use by many threads, and is never taken back.
unsafe impl Send for Real {}
unsafe impl Sync for Real {}

static REAL: OnceLock<Real> = OnceLock::new();

/// Makes every connection that is opened from now on go through here.
pub(super) fn register() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| unsafe {
        let real = ffi::sqlite3_vfs_find(ptr::null());
        assert!(!real.is_null(), "SQLite has a file system");
        let mut faulty = *real;
        faulty.szOsFile += size_of::<Handle>() as c_int;
        faulty.pNext = ptr::null_mut();
        faulty.zName = c"faulty".as_ptr();
        faulty.xOpen = Some(open);
        faulty.xDelete = Some(delete);
        let _ = REAL.set(Real(real));
        let registered = ffi::sqlite3_vfs_register(Box::into_raw(Box::new(faulty)), 1);
        assert_eq!(registered, ffi::SQLITE_OK);
    });
}

fn real_vfs() -> *mut sqlite3_vfs {
    REAL.get().map_or(ptr::null_mut(), |real| real.0)
}

/// The real file behind a handle.
unsafe fn real(file: *mut sqlite3_file) -> *mut sqlite3_file {
    unsafe { file.cast::<Handle>().add(1).cast() }
}

unsafe fn methods(file: *mut sqlite3_file) -> &'static sqlite3_io_methods {
    unsafe { &*(*real(file)).pMethods }
}

unsafe fn watched<'a>(file: *mut sqlite3_file) -> Option<&'a Watched> {
    unsafe { (*file.cast::<Handle>()).watched.as_ref() }
}

unsafe fn path<'a>(name: *const c_char) -> Option<&'a Path> {
    if name.is_null() {
        return None;
    }
    unsafe { CStr::from_ptr(name) }.to_str().ok().map(Path::new)
}

/// Calls a method of the real file; `bundled` SQLite's Unix file system has every one of version 2.
macro_rules! pass {
    ($file:expr, $method:ident $(, $argument:expr)*) => {
        match methods($file).$method {
            Some(method) => method(real($file) $(, $argument)*),
            None => ffi::SQLITE_IOERR,
        }
    };
}

unsafe extern "C" fn open(
    _: *mut sqlite3_vfs,
    name: *const c_char,
    file: *mut sqlite3_file,
    flags: c_int,
    given: *mut c_int,
) -> c_int {
    unsafe {
        let handle = file.cast::<Handle>();
        (*handle).head.pMethods = ptr::null();
        (*handle).watched = ptr::null_mut();
        let found = path(name).and_then(|path| Some((Disk::of(path)?, path)));
        if found.as_ref().is_some_and(|(disk, _)| disk.is_off()) {
            return ffi::SQLITE_CANTOPEN;
        }
        // Asked before the real file system makes the file.
        let may_make = flags & ffi::SQLITE_OPEN_CREATE != 0;
        let opened = found.map(|(disk, path)| Watched { file: disk.open(path, may_make), disk });
        let Some(open) = (*real_vfs()).xOpen else { return ffi::SQLITE_CANTOPEN };
        let code = open(real_vfs(), name, real(file), flags, given);
        if code == ffi::SQLITE_OK {
            (*handle).watched = opened.map_or(ptr::null_mut(), |it| Box::into_raw(Box::new(it)));
            (*handle).head.pMethods = &METHODS;
        }
        code
    }
}

unsafe extern "C" fn delete(_: *mut sqlite3_vfs, name: *const c_char, sync: c_int) -> c_int {
    unsafe {
        if let Some(path) = path(name)
            && let Some(disk) = Disk::of(path)
            && let Err(code) = disk.delete(path, sync != 0)
        {
            return code;
        }
        match (*real_vfs()).xDelete {
            Some(delete) => delete(real_vfs(), name, sync),
            None => ffi::SQLITE_IOERR_DELETE,
        }
    }
}

unsafe extern "C" fn close(file: *mut sqlite3_file) -> c_int {
    unsafe {
        let code = pass!(file, xClose);
        let watched = ptr::replace(&mut (*file.cast::<Handle>()).watched, ptr::null_mut());
        if !watched.is_null() {
            drop(Box::from_raw(watched));
        }
        code
    }
}

unsafe extern "C" fn read(
    file: *mut sqlite3_file,
    into: *mut c_void,
    length: c_int,
    at: i64,
) -> c_int {
    unsafe {
        if let Some(Watched { disk, .. }) = watched(file)
            && disk.is_off()
        {
            return ffi::SQLITE_IOERR_READ;
        }
        pass!(file, xRead, into, length, at)
    }
}

unsafe extern "C" fn write(
    file: *mut sqlite3_file,
    from: *const c_void,
    length: c_int,
    at: i64,
) -> c_int {
    unsafe {
        let Some(Watched { disk, file: it }) = watched(file) else {
            return pass!(file, xWrite, from, length, at);
        };
        let bytes = std::slice::from_raw_parts(from.cast::<u8>(), length as usize);
        let (taken, failure) = disk.write(it, at as u64, bytes);
        let code =
            if taken > 0 { pass!(file, xWrite, from, taken as c_int, at) } else { ffi::SQLITE_OK };
        failure.unwrap_or(code)
    }
}

unsafe extern "C" fn truncate(file: *mut sqlite3_file, size: i64) -> c_int {
    unsafe {
        if let Some(Watched { disk, file: it }) = watched(file)
            && let Err(code) = disk.truncate(it, size as u64)
        {
            return code;
        }
        pass!(file, xTruncate, size)
    }
}

unsafe extern "C" fn sync(file: *mut sqlite3_file, flags: c_int) -> c_int {
    unsafe {
        match watched(file) {
            // The model knows what is synced; the real disk need not be waited for.
            Some(Watched { disk, file: it }) => disk.sync(it).err().unwrap_or(ffi::SQLITE_OK),
            None => pass!(file, xSync, flags),
        }
    }
}

unsafe extern "C" fn file_size(file: *mut sqlite3_file, size: *mut i64) -> c_int {
    unsafe { pass!(file, xFileSize, size) }
}

unsafe extern "C" fn lock(file: *mut sqlite3_file, level: c_int) -> c_int {
    unsafe { pass!(file, xLock, level) }
}

unsafe extern "C" fn unlock(file: *mut sqlite3_file, level: c_int) -> c_int {
    unsafe { pass!(file, xUnlock, level) }
}

unsafe extern "C" fn check_reserved(file: *mut sqlite3_file, held: *mut c_int) -> c_int {
    unsafe { pass!(file, xCheckReservedLock, held) }
}

unsafe extern "C" fn control(file: *mut sqlite3_file, what: c_int, with: *mut c_void) -> c_int {
    unsafe { pass!(file, xFileControl, what, with) }
}

unsafe extern "C" fn sector_size(file: *mut sqlite3_file) -> c_int {
    unsafe { pass!(file, xSectorSize) }
}

unsafe extern "C" fn device_characteristics(file: *mut sqlite3_file) -> c_int {
    unsafe { pass!(file, xDeviceCharacteristics) }
}

unsafe extern "C" fn shm_map(
    file: *mut sqlite3_file,
    page: c_int,
    size: c_int,
    extend: c_int,
    mapped: *mut *mut c_void,
) -> c_int {
    unsafe { pass!(file, xShmMap, page, size, extend, mapped) }
}

unsafe extern "C" fn shm_lock(
    file: *mut sqlite3_file,
    at: c_int,
    count: c_int,
    flags: c_int,
) -> c_int {
    unsafe { pass!(file, xShmLock, at, count, flags) }
}

unsafe extern "C" fn shm_barrier(file: *mut sqlite3_file) {
    unsafe {
        if let Some(barrier) = methods(file).xShmBarrier {
            barrier(real(file));
        }
    }
}

unsafe extern "C" fn shm_unmap(file: *mut sqlite3_file, delete: c_int) -> c_int {
    unsafe { pass!(file, xShmUnmap, delete) }
}

/// Version 2: no memory-mapped reading, so that everything passes by here.
static METHODS: sqlite3_io_methods = sqlite3_io_methods {
    iVersion: 2,
    xClose: Some(close),
    xRead: Some(read),
    xWrite: Some(write),
    xTruncate: Some(truncate),
    xSync: Some(sync),
    xFileSize: Some(file_size),
    xLock: Some(lock),
    xUnlock: Some(unlock),
    xCheckReservedLock: Some(check_reserved),
    xFileControl: Some(control),
    xSectorSize: Some(sector_size),
    xDeviceCharacteristics: Some(device_characteristics),
    xShmMap: Some(shm_map),
    xShmLock: Some(shm_lock),
    xShmBarrier: Some(shm_barrier),
    xShmUnmap: Some(shm_unmap),
    xFetch: None,
    xUnfetch: None,
};
