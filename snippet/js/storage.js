// The browser's storages, which may be refused, full, or missing.

// What the act answers; nothing where storage is refused.
const guarded = name => act => {
  try {
    return act(window[name]);
  } catch {}
};

// Kept until it is deleted.
export const inStorage = guarded('localStorage');
// Kept for this tab.
export const inSession = guarded('sessionStorage');
