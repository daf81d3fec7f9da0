// The browser's storages, which may be refused, full, or missing.

// What the act answers; nothing where storage is refused.
const guarded = name => act => {
  try {
    return act(window[name]);
  } catch {}
};

// Set once any tab keeps something of ours. The first look into a tab's own storage stops the page for longer than anything
// else here, and hardly any tab has something in it.
const MARK = 'beaconry.tab';

const inTab = guarded('sessionStorage');

// Kept until it is deleted.
export const inStorage = guarded('localStorage');

// Kept for this tab: what was put there before.
export const inSession = act => inStorage(storage => storage[MARK]) && inTab(act);

// Kept for this tab: something new.
export const intoSession = act => {
  inStorage(storage => storage[MARK] = 1);
  return inTab(act);
};
