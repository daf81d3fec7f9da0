// The browser's storage, which may be refused, full, or missing.

// What the act answers; nothing where storage is refused.
export const inStorage = act => {
  try {
    return act(localStorage);
  } catch {}
};
