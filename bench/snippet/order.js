// The event that every tracker sends, so that all of them carry the same four properties.
export const ORDER = { orderid: 'A-1', totalvalue: 129.5, currency: 'SEK', productcategories: 'Lamps' };

/** Whether a beacon's body has all four, however the tracker wraps them. */
export const carriesOrder = body => Object.values(ORDER).every(value => body.includes(String(value)));
