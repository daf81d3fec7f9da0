// The page comes first: nothing that goes wrong in the engine may reach it.
import { FAILED } from './kinds.js';
import { note } from './notes.js';

export const safely = act => (...given) => {
  try {
    return act(...given);
  } catch (error) {
    note(FAILED, error);
  }
};
