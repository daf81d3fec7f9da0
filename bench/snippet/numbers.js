// What is said of many measurements: their median, and how far they lie apart.
const quantile = (values, part) => {
  const sorted = [...values].sort((one, other) => one - other);
  const at = (sorted.length - 1) * part;
  const below = sorted[Math.floor(at)];
  return below + (sorted[Math.ceil(at)] - below) * (at % 1);
};

export const median = values => quantile(values, .5);

/** The median with the quartiles beside it. */
export const spread = values => `${Math.round(median(values))} (${Math.round(quantile(values, .25))}–${Math.round(quantile(values, .75))})`;
